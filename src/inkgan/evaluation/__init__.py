"""Judging images: pure functions of arrays, never of a generator."""
