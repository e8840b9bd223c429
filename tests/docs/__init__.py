"""Tests of the docs folder."""
