"""Tests of inversion."""
