"""Metrics as pure functions of arrays of images or features; no metric knows a generator."""
