"""Values that are typed in a notation of their own: seeds, counts, bounds."""

from inkgan.errors import ConfigError

MAX_SEEDS = 1_000_000


def parse_seeds(text: str, flag: str = "--seeds") -> list[int]:
    """Read "0-63,70" as a list of seeds, in the order written.

    Args:
        text: whole numbers and ranges, with commas between them.
        flag: names the option in messages.

    Raises:
        ConfigError: not such a list, a range that runs backwards, or more than MAX_SEEDS seeds.
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and first.isascii()) or (dash and not last.isdecimal()):
            raise ConfigError(f"{flag} {text!r}: write numbers and ranges, for example 0-63,70")
        # nineteen digits hold 2**63 - 1, and int() refuses thousands of them
        too_long = max(len(first), len(last)) > 19
        start, end = (0, -1) if too_long else (int(first), int(last) if dash else int(first))
        if end < start or end >= 2**63:
            raise ConfigError(f"{flag} {text!r}: the range {part.strip()} is impossible")
        if len(seeds) + end - start + 1 > MAX_SEEDS:
            raise ConfigError(f"{flag} {text!r}: more than {MAX_SEEDS:,} seeds")
        seeds += range(start, end + 1)
    return seeds


def parse_counts(text: str, flag: str) -> int | list[int]:
    """Read "6000" as one count for every class, and "10,20,30" as a count for each.

    Raises:
        ConfigError: anything but whole numbers from 0, with commas between them.
    """
    counts = [_whole(part) for part in text.split(",")]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        raise ConfigError(f"{flag} {text!r}: write one count for all classes, or one,for,each")
    return known[0] if len(known) == 1 else known


def parse_bounds(text: str | None, flag: str) -> tuple[float, float] | None:
    """Read "-10:10" as least and most.

    Raises:
        ConfigError: no two numbers with a colon between them.
    """
    if text is None:
        return None
    try:
        least, most = map(float, text.split(":"))
    except ValueError:
        raise ConfigError(f"{flag} {text!r}: write least:most, for example -10:10") from None
    return least, most


def parse_lengths(text: str, flag: str) -> tuple[int, int] | dict[int, float]:
    """Read "1-6", or "4" alone, as fewest and most; "4=1,6=3" as a weight for each length.

    Raises:
        ConfigError: neither of these.
    """
    if "=" in text:
        weights = {}
        for part in text.split(","):
            length, _, weight = part.partition("=")
            number = _whole(length)
            try:
                weights[-1 if number is None else number] = float(weight)
            except ValueError:
                number = None
            if number is None:
                raise ConfigError(f"{flag} {text!r}: write length=weight, for example 4=1,6=3")
        return weights
    first, dash, last = text.partition("-")
    fewest, most = _whole(first), _whole(last) if dash else _whole(first)
    if fewest is None or most is None:
        raise ConfigError(f"{flag} {text!r}: write fewest-most, for example 1-6")
    return fewest, most


def _whole(text: str) -> int | None:
    text = text.strip()
    # fifteen digits: more is beyond any disk, and int() refuses thousands of them
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None
