"""Readers of data sets: IDX files, folders of pictures, arrays, named sets."""
