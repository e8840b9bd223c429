"""Data sets: found or downloaded, read strictly, kept as one uint8 tensor on the device."""
