"""The journal of a sweep: a line for each change of a trial, with a checksum of all so far."""

import hashlib
import json
import os
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend

from inkgan.errors import ArtifactError
from inkgan.files import DamagedFileWarning, parse_json, why_not

Change = dict[str, Any]


class Journal(BaseJournalBackend):
    """A file of changes that one process has at a time; the folder's lock keeps others out.

    A line is the SHA-256 of the line before and of its own change, then the change as JSON. So a
    line that was changed, removed, repeated or moved is found. A last line that was cut short has
    never counted: it is left out, and the next change takes its place.

    Args:
        path: of the file; it need not exist.

    Raises:
        ArtifactError: it cannot be read, or a line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changes: list[Change] = []
        self._size, self._last = 0, ""
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error
        rest = lines.pop()
        for number, line in enumerate(lines, 1):
            self._changes.append(self._checked(line, number))
        if rest:
            text = f"{path}: its last line is not complete and is left out"
            warnings.warn(text, DamagedFileWarning, stacklevel=3)

    def read_logs(self, log_number_from: int) -> Sequence[Change]:
        """Return the changes from a number on."""
        return self._changes[log_number_from:]

    def append_logs(self, logs: list[Change]) -> None:
        """Append changes; they are on the disk when this returns.

        Raises:
            ArtifactError: the file cannot be written; it is as before.
        """
        last, written = self._last, b""
        for change in logs:
            text = json.dumps(change, separators=(",", ":"), allow_nan=False).encode()
            last = checksum_of(last, text)
            written += last.encode() + b" " + text + b"\n"
        try:
            with self.path.open("ab") as stream:
                stream.truncate(self._size)  # of a line that was cut short
                stream.write(written)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            with suppress(OSError):
                os.truncate(self.path, self._size)
            raise ArtifactError(f"cannot write {self.path}: {why_not(self.path, error)}") from error
        self._changes += logs
        self._size, self._last = self._size + len(written), last

    def _checked(self, line: bytes, number: int) -> Change:
        """Return the change of a line, after its checksum."""
        checksum, _, text = line.partition(b" ")
        self._last = checksum_of(self._last, text)
        self._size += len(line) + 1
        try:
            change = parse_json(text) if checksum == self._last.encode() else None
        except ValueError:
            change = None
        if not isinstance(change, dict):
            raise ArtifactError(
                f"{self.path} is damaged in line {number:,}; to continue from the trials before, "
                "remove that line and all that follow it"
            )
        return change


def checksum_of(before: str, text: bytes) -> str:
    """Return the checksum of a line, from that of the line before."""
    return hashlib.sha256(before.encode() + b" " + text).hexdigest()
