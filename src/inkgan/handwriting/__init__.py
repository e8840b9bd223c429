"""Numbers in one handwriting: outlines of generated digits, laid out as people write."""
