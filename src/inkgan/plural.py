"""Numbers with their nouns, times, and sizes of files."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun in the singular or the plural.

    Args:
        number: of the things.
        noun: in the singular.
        plural: where it is not the noun and "s".

    Examples:
        >>> counted(1, "thread"), counted(1200, "image"), counted(2, "class", "classes")
        ('1 thread', '1,200 images', '2 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Write a time with the unit that suits it.

    Examples:
        >>> duration(3.2), duration(300), duration(60), duration(9000)
        ('3.2 seconds', '5.0 minutes', '1.0 minutes', '2.5 hours')
    """
    for limit, unit, name in ((60, 1, "seconds"), (5400, 60, "minutes")):
        if seconds < limit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds / 3600:.1f} hours"


def percent(share: float) -> str:
    """Write a share in whole percent; what is more than nothing is never 0.

    Examples:
        >>> percent(0.126), percent(0.001), percent(0)
        ('13%', 'less than 1%', '0%')
    """
    return "less than 1%" if 0 < share < 0.005 else f"{share:.0%}"


def data_size(count: int) -> str:
    """Write a number of bytes with the unit that suits it.

    Examples:
        >>> data_size(120), data_size(61_440), data_size(3_200_000_000)
        ('120 bytes', '61 KB', '3.2 GB')
    """
    for unit, name, digits in ((10**9, "GB", 1), (10**6, "MB", 1), (10**3, "KB", 0)):
        if count >= unit:
            return f"{count / unit:,.{digits}f} {name}"
    return counted(count, "byte")
