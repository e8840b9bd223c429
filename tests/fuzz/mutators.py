"""Changes of files: bits, bytes, lines, numbers and words, at random but from a seed."""

import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

# What breaks readers: bounds, not-a-numbers, other types, nesting, control characters, long words.
HOSTILE_WORDS = (
    *("0", "-1", "1", "-0.0", "1e999", "-1e999", "1e-400", "NaN", "Infinity", "-inf", "nan"),
    *("null", "none", "true", "false", '""', '"x"', "[]", "{}", "[[]]", '{"a": 1}', "'"),
    *("9" * 5000, "1." + "3" * 5000, "2147483648", "-9223372036854775809", "18446744073709551616"),
    *("[" * 3000, "{" * 3000, '{"a":' * 3000, "[" * 200 + "]" * 200, "\\u0000", "\\ud800"),
    *("\x00", "\x1b[2J", "\u202e", "<script>alert(1)</script>", "../../etc/passwd", "x" * 5000),
    *("\n", "\r\n", " ", "=", ":", ",", "é", "\ufeff", '"\n', "%s", "{0}"),
)
HOSTILE_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 0.5, -0.0, float("nan"), float("inf"), float("-inf")),
    *(2**31, 2**63, -(2**63) - 1, 10**400, 1e308, "", "x", "nan", "mlp", "\x00", "\x1b[2J"),
    *("<script>alert(1)</script>", "a\nb", "../..", "x" * 5000, [], {}, [[]], [None], {"": 0}),
    *([1, 2, 3], {"a": {"b": {"c": 1}}}, ["x"] * 50, [0] * 10),
)


def mutate_file(chance: Random, path: Path) -> str:
    """Change the bytes of a file in one to three places; return what was done."""
    data = path.read_bytes()
    done = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        change = chance.choice(BYTE_CHANGES)
        data = change(chance, data)
        done.append(change.__name__)
    path.write_bytes(data)
    return f"{path.name}: {', '.join(done)}"


def mutate_json(chance: Random, document: Any) -> Any:
    """Return a JSON document with one value replaced, removed, renamed or added."""
    places = list(_places(document))
    if not places or chance.random() < 0.03:
        return chance.choice(HOSTILE_VALUES)
    path = chance.choice(places)
    return _changed(chance, document, path)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    if isinstance(value, list | tuple):
        value = dict(enumerate(value))
    for key, item in value.items() if isinstance(value, dict) else ():
        yield (*path, key)
        yield from _places(item, (*path, key))


def _changed(chance: Random, value: Any, path: tuple[Any, ...]) -> Any:
    key, *rest = path
    copied = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copied[key] = _changed(chance, value[key], tuple(rest))
        return copied
    act = chance.random()
    if act < 0.6:
        copied[key] = chance.choice(HOSTILE_VALUES)
    elif act < 0.75:
        del copied[key]
    elif act < 0.85 and isinstance(value[key], int | float) and not isinstance(value[key], bool):
        copied[key] = value[key] + chance.choice((-1, 1, 0.5, 1e9))
    elif act < 0.95 and isinstance(copied, dict):
        copied[chance.choice(("x", "", "kind", f"{key}2"))] = copied.pop(key)
    elif isinstance(copied, dict):
        copied[f"{key}2"] = chance.choice(HOSTILE_VALUES)
    else:
        copied.insert(key, chance.choice(HOSTILE_VALUES))
    return copied


# --- changes of bytes ---


def flip_bit(chance: Random, data: bytes) -> bytes:
    """Flip one bit."""
    if not data:
        return b"\x01"
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def flip_bit_near_the_start(chance: Random, data: bytes) -> bytes:
    """Flip one bit of the first 600 bytes, where headers are."""
    return flip_bit(chance, data[:600]) + data[600:]


def replace_byte(chance: Random, data: bytes) -> bytes:
    """Replace one byte by an end of the range, or by any."""
    at = chance.randrange(len(data) + 1)
    new = chance.choice((0, 1, 10, 127, 128, 255, chance.randrange(256)))
    return data[:at] + bytes([new]) + data[at + 1 :]


def truncate(chance: Random, data: bytes) -> bytes:
    """Cut the end off."""
    return data[: chance.randrange(len(data) + 1)]


def remove_bytes(chance: Random, data: bytes) -> bytes:
    """Remove some bytes."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 4, 64, 1000)) :]


def repeat_bytes(chance: Random, data: bytes) -> bytes:
    """Write some bytes twice."""
    at, count = chance.randrange(len(data) + 1), chance.choice((1, 4, 64, 1000))
    return data[: at + count] + data[at:]


def insert_bytes(chance: Random, data: bytes) -> bytes:
    """Insert random bytes."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 4, 64))) + data[at:]


def zero_bytes(chance: Random, data: bytes) -> bytes:
    """Replace bytes by zeros, as a crash of the machine leaves them."""
    at, count = chance.randrange(len(data) + 1), chance.choice((4, 64, 4096))
    gone = data[at : at + count]
    return data[:at] + bytes(len(gone)) + data[at + len(gone) :]


def append_bytes(chance: Random, data: bytes) -> bytes:
    """Append random bytes, or the file itself."""
    return data + chance.choice((b"\x00", b"\n", chance.randbytes(16), data))


def replace_word(chance: Random, data: bytes) -> bytes:
    """Replace a number or a word by a hostile one."""
    found = list(re.finditer(rb"-?[0-9][0-9.e+-]*|[A-Za-z_]+|\"[^\"\n]{0,80}\"", data[:20_000]))
    if not found:
        return insert_word(chance, data)
    match = chance.choice(found)
    return data[: match.start()] + _word(chance) + data[match.end() :]


def insert_word(chance: Random, data: bytes) -> bytes:
    """Insert a hostile word."""
    at = chance.randrange(min(len(data), 20_000) + 1)
    return data[:at] + _word(chance) + data[at:]


def remove_line(chance: Random, data: bytes) -> bytes:
    """Remove a line."""
    lines = data.splitlines(keepends=True)
    return b"".join(line for i, line in enumerate(lines) if i != chance.randrange(len(lines) + 1))


def repeat_line(chance: Random, data: bytes) -> bytes:
    """Write a line again, anywhere."""
    lines = data.splitlines(keepends=True)
    if lines:
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"".join(lines)


def _word(chance: Random) -> bytes:
    return chance.choice(HOSTILE_WORDS).encode("utf-8", "surrogatepass")


BYTE_CHANGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    flip_bit,
    flip_bit_near_the_start,
    replace_byte,
    truncate,
    remove_bytes,
    repeat_bytes,
    insert_bytes,
    zero_bytes,
    append_bytes,
    replace_word,
    replace_word,
    insert_word,
    remove_line,
    repeat_line,
)
