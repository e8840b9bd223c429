"""Texts of one's own, in little memory."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from inkgan.errors import ArtifactError, ConfigError
from inkgan.handwriting.text import read_text
from inkgan.types import Int64


@dataclass(frozen=True, eq=False)
class TextList:
    """Texts, one after another in one block of bytes.

    Attributes:
        block: the texts in ASCII, without anything between them.
        ends: where each text ends, int64 (n,).
    """

    block: bytes
    ends: Int64

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> str:
        start = int(self.ends[index - 1]) if index else 0
        return self.block[start : int(self.ends[index])].decode("ascii")

    @cached_property
    def sha256(self) -> str:
        """The digest of the texts as lines."""
        digest = hashlib.sha256(self.block)
        digest.update(self.ends.astype("<i8").tobytes())
        return digest.hexdigest()

    @property
    def longest(self) -> int:
        """The length of the longest text."""
        return int(np.diff(self.ends, prepend=0).max())

    @classmethod
    def of(cls, texts: Iterable[str], origin: str = "`texts`") -> "TextList":
        """Take texts; spaces at their ends and empty lines are left out.

        Args:
            texts: digits, spaces and . , - / : in each.
            origin: where they come from, for messages.

        Raises:
            ConfigError: names the line that cannot be written.
        """
        parts: list[bytes] = []
        lengths: list[int] = []
        for number, text in enumerate(texts, 1):
            if not text.strip():
                continue
            try:
                written = read_text(text.rstrip("\r\n\t"))
            except ConfigError as error:
                reason = str(error).removeprefix("`text`").removeprefix(": ")
                raise ConfigError(f"{origin}, line {number}: {reason}") from error
            parts.append(written.encode("ascii"))
            lengths.append(len(written))
        if not lengths:
            raise ConfigError(f"{origin} has no text at all")
        return cls(b"".join(parts), np.cumsum(lengths, dtype=np.int64))

    @classmethod
    def read(cls, path: str | Path) -> "TextList":
        """Read a file with a text on each line, in UTF-8.

        Raises:
            ArtifactError: it cannot be read.
            ConfigError: names the line that cannot be written.
        """
        try:
            with Path(path).open(encoding="utf-8-sig") as stream:
                return cls.of(stream, f"`texts` {path}")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise ArtifactError(f"`texts` {path} cannot be read: {reason}") from error
