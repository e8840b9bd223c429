"""Labeled data sets, drawn from a trained generator."""
