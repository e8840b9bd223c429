"""Numbers with their nouns."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun in the singular or the plural.

    Args:
        number: of the things.
        noun: in the singular.
        plural: where it is not the noun and "s".

    Example:
        >>> counted(1, "thread"), counted(1200, "image"), counted(2, "class", "classes")
        ('1 thread', '1,200 images', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
