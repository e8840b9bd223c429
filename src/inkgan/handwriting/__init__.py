"""Writing numbers in one hand: outlines of drawn digits, laid out as people write."""
