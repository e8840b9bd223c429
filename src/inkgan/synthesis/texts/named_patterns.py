"""Dates, amounts, telephone numbers, and numbers with check digits."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from inkgan.errors import ConfigError, did_you_mean
from inkgan.synthesis.texts.pattern_parser import WRITABLE, Node, parse_expression

FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2049, 12, 31)
DIRECTIVES = {
    "%d": "{day:02}",
    "%-d": "{day}",
    "%m": "{month:02}",
    "%-m": "{month}",
    "%Y": "{year:04}",
    "%y": "{short:02}",
    "%H": "{hour:02}",
    "%M": "{minute:02}",
    "%S": "{second:02}",
}
AMOUNT = re.compile(r"(?:#(?P<group>[., ])##)?0(?:(?P<point>[.,])(?P<decimals>0{1,4}))?")
MOST_WHOLE_DIGITS = 6  # of an amount
LONGEST_NUMBER = 32  # with its check digits


@dataclass(frozen=True)
class Dates:
    """Days from 1950 to 2049, and times of the day, in a format of strftime."""

    format: str

    def draw(self, random: np.random.Generator) -> str:
        """Draw a day and a time and write them."""
        days, second = random.integers([(LAST_DAY - FIRST_DAY).days + 1, 86400]).tolist()
        day = FIRST_DAY + timedelta(days=days)
        return write_date(self.format, day, second)

    def longest(self) -> int:
        """Return the length of the longest text."""
        return len(write_date(self.format, date(2026, 12, 31), 86399))


@dataclass(frozen=True)
class Amounts:
    """Amounts of 1 to 6 digits before the point, all lengths alike."""

    group: str
    point: str
    decimals: int

    def draw(self, random: np.random.Generator) -> str:
        """Draw an amount and write it."""
        digits = int(random.integers(1, MOST_WHOLE_DIGITS + 1))
        least = 0 if digits == 1 else 10 ** (digits - 1)
        whole = f"{int(random.integers(least, 10**digits)):,}".replace(",", self.group)
        if not self.decimals:
            return whole
        return f"{whole}{self.point}{int(random.integers(10**self.decimals)):0{self.decimals}}"

    def longest(self) -> int:
        """Return the length of the longest text."""
        return MOST_WHOLE_DIGITS + len(self.group) + len(self.point) + self.decimals


@dataclass(frozen=True)
class CheckedNumbers:
    """Numbers whose last digits check the others."""

    kind: str
    length: int

    def draw(self, random: np.random.Generator) -> str:
        """Draw a number; its check digits are computed."""
        size = self.length - (2 if self.kind == "mod97" else 1)
        while True:
            body = "".join(map(str, random.integers(10, size=size).tolist()))
            check = CHECKS[self.kind](body)
            if check is not None:
                return body + check

    def longest(self) -> int:
        """Return the length of the longest text."""
        return self.length


def luhn_digit(body: str) -> str:
    """Return the check digit of Luhn's algorithm (ISO/IEC 7812-1), as on bank cards."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def mod11_digit(body: str) -> str | None:
    """Return the check digit modulo 11 of ISBN-10: None where it would be X, which is no digit."""
    total = sum(weight * int(digit) for weight, digit in enumerate(reversed(body), 2))
    check = -total % 11
    return None if check == 10 else str(check)


def mod97_digits(body: str) -> str:
    """Return the two check digits of ISO/IEC 7064 MOD 97-10, as of IBANs."""
    return f"{98 - int(body) * 100 % 97:02}"


CHECKS = {"luhn": luhn_digit, "mod11": mod11_digit, "mod97": mod97_digits}
LENGTHS = {"luhn": (16, 2, LONGEST_NUMBER), "mod11": (10, 2, 10), "mod97": (12, 3, LONGEST_NUMBER)}
"""Default, least and greatest length; beyond 10 digits the weights of ISBN-10 would repeat."""
DEFAULTS = {"date": "%Y-%m-%d", "time": "%H:%M", "amount": "#,##0.00", "phone": "0## ### ####"}
NAMES = (*DEFAULTS, *CHECKS)
Source = Node | Dates | Amounts | CheckedNumbers


def parse_pattern(pattern: str) -> Source:
    """Read a pattern: a name such as date:%d.%m.%Y or luhn:16, or a regular expression.

    Raises:
        ConfigError: names the pattern and what is wrong with it.
    """
    found = re.fullmatch(r"([a-z]+[0-9]*)(?::(.*))?", pattern)
    if not found:
        return parse_expression(pattern)
    name, given = found.groups()
    if name not in NAMES:
        raise ConfigError(
            f"`pattern` {pattern!r}: {name!r} is unknown{did_you_mean(name, NAMES)}; the names are "
            f"{', '.join(NAMES)}"
        )
    if name in CHECKS:
        return _checked_numbers(pattern, name, given)
    wanted = DEFAULTS[name] if given is None else given
    if name == "amount":
        return _amounts(pattern, wanted)
    if name == "phone":
        _refuse_unwritable(pattern, wanted.replace("#", "0"))
        return parse_expression(wanted.replace("#", "[0-9]"))
    rest = wanted
    for directive in DIRECTIVES:
        rest = rest.replace(directive, "0")
    if rest == wanted:
        raise ConfigError(
            f"`pattern` {pattern!r}: write a format such as date:%d.%m.%Y; known are "
            f"{' '.join(DIRECTIVES)}"
        )
    _refuse_unwritable(pattern, rest)
    return Dates(wanted)


def write_date(format: str, day: date, second: int) -> str:
    """Write a day and a second of the day in a format of strftime, on every platform alike."""
    text = format
    for directive, field in DIRECTIVES.items():
        text = text.replace(directive, field)
    minute, seconds = divmod(second, 60)
    return text.format(
        day=day.day,
        month=day.month,
        year=day.year,
        short=day.year % 100,
        hour=minute // 60,
        minute=minute % 60,
        second=seconds,
    )


def _amounts(pattern: str, wanted: str) -> Amounts:
    found = AMOUNT.fullmatch(wanted)
    if not found or (found["group"] and found["group"] == found["point"]):
        raise ConfigError(
            f"`pattern` {pattern!r}: write an amount as #,##0.00, #.##0,00, # ##0,00, 0.00 or 0"
        )
    return Amounts(found["group"] or "", found["point"] or "", len(found["decimals"] or ""))


def _checked_numbers(pattern: str, name: str, given: str | None) -> CheckedNumbers:
    default, least, most = LENGTHS[name]
    text = str(default) if given is None else given
    length = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1
    if not least <= length <= most:
        raise ConfigError(
            f"`pattern` {pattern!r}: write {name}:{default}, with a length from {least} to {most}"
        )
    return CheckedNumbers(name, length)


def _refuse_unwritable(pattern: str, text: str) -> None:
    strange = sorted(set(text) - set(WRITABLE))
    if strange:
        raise ConfigError(f"`pattern` {pattern!r}: {strange[0]!r} cannot be written")
