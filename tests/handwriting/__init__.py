"""Tests of handwriting."""
