"""What every logger does, and what it gets to know of a run."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.types import UInt8

IDS = "loggers.json"  # in the run folder: the run's id in each logger that gives one


@dataclass(frozen=True)
class LoggedRun:
    """A run, as loggers show it.

    Attributes:
        folder: the run folder.
        recipe: its values by dotted field, such as "optim.lr".
        images: seen so far; more than 0 where the run resumes.
    """

    folder: Path
    recipe: Mapping[str, Any]
    images: int

    @property
    def name(self) -> str:
        """The name of the run folder."""
        return self.folder.resolve().name

    def known_id(self, logger: str) -> str | None:
        """Return the run's id in a logger, if the run has been logged there before."""
        with contextlib.suppress(ArtifactError):
            ids = files.read_json(self.folder / IDS)
            value = ids.get(logger) if isinstance(ids, dict) else None
            return value if isinstance(value, str) else None
        return None

    def keep_id(self, logger: str, value: str) -> None:
        """Keep the run's id in a logger, so that a resumed run continues there."""
        ids: dict[str, Any] = {}
        with contextlib.suppress(ArtifactError):
            read = files.read_json(self.folder / IDS)
            ids = read if isinstance(read, dict) else {}
        files.write_json(self.folder / IDS, ids | {logger: value})


class RunLogger(Protocol):
    """Somewhere else to show a run's numbers and pictures."""

    def scalars(self, images: int, values: Mapping[str, float]) -> None:
        """Record numbers at a count of images seen."""

    def picture(self, images: int, grid: UInt8) -> None:
        """Record a grid, uint8 (H, W) or (H, W, 3), at a count of images seen."""

    def close(self, complete: bool) -> None:
        """Write out what is left; `complete` says whether the run has reached its end."""


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables that are not set, for as long as the block runs; undo every change after it."""
    before = dict(os.environ)
    os.environ.update({key: value for key, value in values.items() if key not in before})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
