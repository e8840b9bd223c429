"""Digits with a slant, a thickness and a width that are asked for."""
