"""Data sets: found or fetched, read strictly, held as one uint8 tensor on the device."""
