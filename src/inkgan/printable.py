"""Text from files and strangers made harmless for a terminal, a log and a message."""

import json
import re
import shlex
import unicodedata
from typing import Any

LONGEST_WORD = 1000  # characters; no path, name or value has more
LONGEST_LINE = 2000


def printable(text: str) -> str:
    r"""Escape control characters, as in "\x1b[2J", so that text cannot steer the terminal.

    Line breaks stay. Characters that reverse or hide text count as control characters.
    """
    return "".join(
        c if c in "\n " or c.isprintable() or unicodedata.category(c) == "Zs" else _escape(c)
        for c in text
    )


def one_line(text: str) -> str:
    r"""Return text as one printable line: line breaks become "\n", and endless words are cut.

    Examples:
        >>> one_line("no\nrun")
        'no\\nrun'
    """
    line = printable(text[: 20 * LONGEST_LINE]).replace("\n", "\\n")
    line = re.sub(rf"\S{{{LONGEST_WORD},}}", lambda match: f"{match[0][:80]}...", line)
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..."


def shell_words(*words: object) -> str:
    r"""Quote words for a shell, on one line and without control characters.

    A word that has some is written as `$'...'`, which bash, zsh and ksh read.

    Examples:
        >>> shell_words("inkgan", "my run")
        "inkgan 'my run'"
        >>> shell_words("a\nb")
        "$'a\\nb'"
    """
    return " ".join(map(_shell_word, map(str, words)))


def _shell_word(word: str) -> str:
    if "\n" not in word and printable(word) == word:
        return shlex.quote(word)
    plain = {"\\": "\\\\", "'": "\\'", "\n": "\\n"}
    return f"$'{''.join(plain.get(c) or _shell_character(c) for c in word)}'"


def _shell_character(character: str) -> str:
    if printable(character) == character:
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def utf8(text: str) -> str:
    r"""Return text that UTF-8 can hold: a byte of a file name that is none becomes "\xe9".

    Example:
        >>> utf8("caf\udce9")
        'caf\\xe9'
    """
    return re.sub("[\ud800-\udfff]", lambda match: _escape(match[0]), text)


def is_utf8(text: str) -> bool:
    """Return whether UTF-8 can hold a text."""
    return utf8(text) == text


def path_line(path: object) -> str:
    r"""Return a path as one printable line, whatever its length: line breaks become "\n"."""
    return printable(str(path)).replace("\n", "\\n")


def markdown(text: str) -> str:
    r"""Return text for Markdown: one line, with nothing that starts a tag, a link or a cell.

    Example:
        >>> markdown("<b>|")
        '\\<b\\>\\|'
    """
    return re.sub(r"([\\`*<>\[\]|&])", r"\\\1", one_line(text))


def code(text: str) -> str:
    """Return text as code in Markdown, on one line, whatever backticks it has.

    Examples:
        >>> code("runs/a")
        '`runs/a`'
        >>> code("a`b")
        '``a`b``'
    """
    line = one_line(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{room}{line}{room}{fence}"


def yaml(text: str) -> str:
    """Return text as a value of YAML: as it is where it has only plain words, else in quotes.

    Examples:
        >>> yaml("Synthetic mnist images")
        'Synthetic mnist images'
        >>> yaml("a: b")
        '"a: b"'
    """
    return text if re.fullmatch(r"[A-Za-z][\w -]*\w", text, re.ASCII) else json.dumps(text)


def brief(value: Any) -> str:
    """Show any value in a message, of any size.

    Example:
        >>> brief("x" * 5000)[-5:]
        'xx...'
    """
    try:
        shown = repr(value)
    except (ValueError, RecursionError):  # thousands of digits or of brackets
        return f"a very large {type(value).__name__}"
    return shown if len(shown) <= 200 else f"{shown[:80]}..."


def _escape(character: str) -> str:
    byte = ord(character) - 0xDC00  # Python's stand-in for a byte that is no UTF-8
    if 0x80 <= byte <= 0xFF:
        return f"\\x{byte:02x}"
    return character.encode("unicode_escape").decode("ascii")
