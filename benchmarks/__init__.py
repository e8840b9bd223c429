"""Measurements of speed: the engine beside a textbook loop, and both beside the machine."""
