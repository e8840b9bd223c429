"""The rows of a metrics.jsonl that grows, by number, without keeping them in memory."""

import zlib
from array import array
from pathlib import Path
from typing import Any

from inkgan.files import parse_json
from inkgan.io.live_folder import finite
from inkgan.io.metrics_file import fits

PIECE = 1 << 20  # bytes read at once
LONGEST_ROW = 1 << 16  # bytes; what is longer is no row of metrics


class RowTail:
    """Follows one file: where each row begins, and whether the file was rewritten.

    A resumed run, and one that the health monitor rolls back, replaces the file by a shorter one.

    Args:
        path: of metrics.jsonl; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.generation = 0
        """How often the file was found to be another one."""
        self._ends = array("Q")  # offset behind each row
        self._identity: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self._ends)

    def refresh(self) -> None:
        """Look for new rows; a row whose end is not written yet does not count."""
        try:
            status = self._path.stat()
        except OSError:
            self._forget(None)
            return
        identity = (status.st_dev, status.st_ino)
        known = self._ends[-1] if self._ends else 0
        if identity != self._identity or status.st_size < known:
            self._forget(identity)
            known = 0
        if status.st_size == known:
            return
        with self._path.open("rb") as stream:
            stream.seek(known)
            while piece := stream.read(PIECE):
                start = 0
                while (place := piece.find(b"\n", start)) >= 0:
                    self._ends.append(known + place + 1)
                    start = place + 1
                known += len(piece)

    def lines(self, first: int, count: int) -> list[bytes]:
        """Return at most `count` rows from row number `first` on, as they are written."""
        last = min(first + count, len(self))
        if first >= last:
            return []
        begin = self._ends[first - 1] if first else 0
        with self._path.open("rb") as stream:
            stream.seek(begin)
            data = stream.read(min(self._ends[last - 1] - begin, count * LONGEST_ROW))
        return data.splitlines(keepends=True)[: last - first]

    def mark(self, count: int) -> str:
        """Return a mark of the first `count` rows: their number and a checksum of the last one."""
        if not count:
            return "0-0"
        lines = self.lines(count - 1, 1)
        return mark_of(count, lines[0] if lines else b"")

    def position(self, mark: str) -> int | None:
        """Return how many rows a mark counts, or None where they are not those of this file."""
        number, _, _ = mark.partition("-")
        if not number.isdecimal() or len(number) > 15 or int(number) > len(self):
            return None
        return int(number) if self.mark(int(number)) == mark else None

    def _forget(self, identity: tuple[int, int] | None) -> None:
        if self._ends or identity != self._identity:
            self.generation += 1
        self._ends, self._identity = array("Q"), identity


def mark_of(count: int, last: bytes) -> str:
    """Return the mark of `count` rows of which `last` is the last one."""
    return f"{count}-{zlib.crc32(last):x}"


def parse_row(line: bytes) -> dict[str, Any]:
    """Read a row of metrics; numbers that JSON does not have are None, a damaged row is empty."""
    try:
        row = finite(parse_json(line))
    except ValueError:
        return {}
    if not isinstance(row, dict):
        return {}
    return row if all(value is None or fits(key, value) for key, value in row.items()) else {}
