"""How far a run in another process is: by its files, on whichever machine it is trained."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from inkgan.io.live_folder import Control, LiveFolder
from inkgan.io.metrics_file import Row, read_rows
from inkgan.io.run_paths import RunPaths
from inkgan.metrics.checkpoint_scorer import DISTANCE

AT_WORK = ("training", "paused")


class Scored(NamedTuple):
    """An evaluation during a run: the distance, after so many images and seconds of training."""

    images: int
    seconds: float
    distance: float


class RunWatch:
    """Follows a run from outside, and can ask it to end.

    Args:
        path: the run folder; it need not exist yet.
        minutes: the limit of the run, if there is one.
    """

    def __init__(self, path: Path, minutes: float | None = None) -> None:
        self.path, self.minutes = path, minutes
        self._metrics, self._live = RunPaths(path).metrics_path, LiveFolder(path)
        self._changed: tuple[int, int] | None = None
        self._rows: list[Row] = []

    def rows(self) -> list[Row]:
        """Return the metrics so far."""
        try:
            status = self._metrics.stat()
        except OSError:
            return []
        changed = status.st_mtime_ns, status.st_size
        if changed != self._changed:
            self._changed, self._rows = changed, read_rows(self._metrics)
        return self._rows

    def scores(self) -> list[Scored]:
        """Return the evaluations so far, but for that of the untrained generator."""
        return list(scores_of(self.rows()))

    def total_images(self) -> int:
        """Return the images of the whole run; 0 before it has begun."""
        return int(self._live.process().get("total_images") or 0)

    def share(self) -> float:
        """Return how much of the run is done, 0 to 1, by its images or its time."""
        rows = self.rows()
        return self._share(rows[-1]["images"], rows[-1]["seconds"]) if rows else 0.0

    def share_of(self, scored: Scored) -> float:
        """Return how much of the run was done at an evaluation."""
        return self._share(scored.images, scored.seconds)

    def _share(self, images: int, seconds: float) -> float:
        total = self.total_images()
        by_images = images / total if total else 0.0
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return float(min(1.0, max(by_images, by_time)))

    def ask_to_stop(self) -> None:
        """Let a run that is at work save everything and end; may be repeated."""
        if self._live.process().get("state") in AT_WORK:
            self._live.write_control(Control("stop"))


def scores_of(rows: list[Row]) -> Iterator[Scored]:
    """Yield the evaluations among rows of metrics, but for that of the untrained generator."""
    for row in rows:
        if row["images"] > 0 and math.isfinite(row.get(DISTANCE, math.nan)):
            yield Scored(row["images"], row["seconds"], row[DISTANCE])


def training_speed(path: Path) -> float | None:
    """Return the training images per second of a run so far; None before its first metrics."""
    metrics = RunPaths(path).metrics_path
    last = next(reversed(read_rows(metrics)), None) if metrics.is_file() else None
    return last["images"] / last["seconds"] if last and last["images"] and last["seconds"] else None
