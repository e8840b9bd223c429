"""What a live view shows of a run: how far it is, its curves, one sentence, its pictures.

The terminal (`inkgan.cli.terminal_display`) and the notebook (`inkgan.runs.live_display`) both
show this. The pictures are those of `inkgan.runs.preview`, read from the run's folder.
"""

import base64
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inkgan.io.live_folder import LiveFolder, read_document
from inkgan.runs.events import Event, Sampled, Started, Troubled, Updated

CURVES = ("d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy")
MOST_VALUES = 2000  # of a curve; then two neighbors become one
FINDING_ROWS = 20  # rows of metrics for which a finding stays in the sentence
SHARE = 0.005  # of the time for drawing, at most; the pictures themselves have 1.8 %
INTERVAL = 0.12  # seconds between two drawings, where the share allows it
WATCH_SECONDS = 1.0  # between two touches of the file that asks for pictures


class LiveState:
    """Takes the events of a run, and knows what is to be shown of it.

    Args:
        minutes: the limit of the run, if there is one.

    Attributes:
        started: the first event, None before it.
        images: seen so far.
        epoch: trained so far.
        seconds: of training so far.
        row: the newest value of each metric.
        curves: the history of each metric of CURVES.
    """

    def __init__(self, minutes: float | None = None) -> None:
        self._minutes = minutes
        self.started: Started | None = None
        self.images, self.epoch, self.seconds = 0, 0.0, 0.0
        self.row: dict[str, float] = {}
        self.curves: dict[str, list[float]] = {name: [] for name in CURVES}
        self._first: tuple[int, float] | None = None
        self._finding: tuple[str, int] | None = None

    def take(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, Updated):
            self.images, self.epoch = event.update.images, event.update.epoch
            self.seconds = event.seconds
            self._first = self._first or (self.images, self.seconds)
            if event.row is not None:
                self._add(event.row)
        elif isinstance(event, Started):
            self.started, self.images = event, event.images
            for row in event.run.rows():  # of a run that is resumed
                self._add(row)
        elif isinstance(event, Sampled):
            self.images, self.epoch = event.images, event.epoch
            if event.score is not None:
                self.row["e3_distance"] = event.score
        elif isinstance(event, Troubled):
            self._finding = event.finding.message, FINDING_ROWS

    @property
    def share(self) -> float:
        """The part of the run that is done, in images or in time, from 0 to 1."""
        total = self.started.total_images if self.started else 0
        by_time = self.seconds / (60 * self._minutes) if self._minutes else 0.0
        return min(1.0, max(self.images / max(total, 1), by_time))

    @property
    def speed(self) -> float | None:
        """Images per second: of the newest row, before the first of this process."""
        if "images_per_second" in self.row:
            return self.row["images_per_second"]
        if self._first is None or self.seconds <= self._first[1]:
            return None
        return (self.images - self._first[0]) / (self.seconds - self._first[1])

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end of the run, by images or by time; None where nothing is known."""
        known = []
        if self.started is not None and self.speed:
            known.append((self.started.total_images - self.images) / self.speed)
        if self._minutes:
            known.append(60 * self._minutes - self.seconds)
        return max(0.0, min(known)) if known else None

    @property
    def is_troubled(self) -> bool:
        """Whether the sentence is a finding of the health monitor."""
        return self._finding is not None

    @property
    def sentence(self) -> str:
        """What the health monitor has found, or else how the two networks stand."""
        if self._finding is not None:
            return self._finding[0]
        if "d_real_accuracy" not in self.row:
            return "No losses yet: the first come after 50 steps."
        real, fake = self.row["d_real_accuracy"], self.row["d_fake_accuracy"]
        return (
            f"The discriminator gets {real:.0%} of real and {fake:.0%} of generated images right. "
            f"{_verdict(real, fake)}"
        )

    def _add(self, row: Mapping[str, Any]) -> None:
        self.row |= row
        if "d_loss" not in row:
            return
        if self._finding is not None:
            message, rows = self._finding
            self._finding = (message, rows - 1) if rows > 1 else None
        for name, values in self.curves.items():
            values.append(row[name])
            if len(values) > MOST_VALUES:
                pairs = zip(values[::2], values[1::2], strict=False)
                self.curves[name] = [(one + other) / 2 for one, other in pairs]


def _verdict(real: float, fake: float) -> str:
    """Say what the accuracies of a discriminator mean."""
    if abs(real - fake) > 0.6:
        return f"It takes nearly everything for {'real' if real > fake else 'generated'}."
    for limit, verdict in (
        (0.95, "It is far ahead of the generator."),
        (0.75, "It is ahead of the generator."),
        (0.4, "The two are about even."),
    ):
        if (real + fake) / 2 > limit:
            return verdict
    return "It is fooled most of the time."


class PictureFeed:
    """The pictures of a run while it trains: asks for them, and reads the newest.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self._live = LiveFolder(run)
        self._watched_at = float("-inf")
        self._changed: int | None = None

    def watch(self) -> None:
        """Ask for pictures, now and then."""
        now = time.monotonic()
        if now - self._watched_at > WATCH_SECONDS:
            self._watched_at = now
            self._live.watch()

    def newest(self) -> tuple[bytes, dict[str, Any]] | None:
        """Return a picture (PNG) and what belongs to it, None where there is no newer one."""
        try:
            changed = self._live.frame_path.stat().st_mtime_ns
            if changed == self._changed:
                return None
        except OSError:
            return None
        self._changed = changed
        document = read_document(self._live.frame_path)
        try:
            return base64.b64decode(document.pop("picture"), validate=True), document
        except (KeyError, TypeError, ValueError):  # another program's file
            return None


def next_drawing(cost: float) -> float:
    """Return when to draw again after a drawing that took `cost` seconds (of perf_counter)."""
    return time.perf_counter() + max(INTERVAL, cost / SHARE)


def time_left(seconds: float | None) -> str:
    """Write the seconds that are left as a clock shows them.

    Examples:
        >>> time_left(83.0), time_left(7384.0), time_left(None)
        ('1:23 left', '2:03:04 left', '')
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} left" if hours else f"{minutes}:{rest:02} left"
