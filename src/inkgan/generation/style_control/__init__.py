"""Draws digits with a requested slant, thickness and width."""
