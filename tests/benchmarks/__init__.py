"""Tests of the benchmarks folder."""
