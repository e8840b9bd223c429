"""The classes of detection: ten digits, then five marks."""

from inkgan.handwriting.text import DIGITS, PUNCTUATION

CLASSES = DIGITS + PUNCTUATION


def class_of(character: str) -> int:
    """Return the class of a character; a digit's is the digit."""
    return CLASSES.index(character)
