"""A live display of training in a notebook: progress, the newest grid, the curves."""

import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from inkgan.io.run_dir import RunFolder
from inkgan.runs.curves import draw_curves
from inkgan.runs.events import Event, Finished, Sampled, Started, Troubled, Updated
from inkgan.runs.run import to_html

Update = Callable[[str], None]
Show = Callable[[str], Update]
"""Shows HTML once, and returns what replaces it."""
SECONDS = 1.0  # between two changes of the progress


class LiveDisplay:
    """Shows the events of a run, one display that is replaced as the run goes on.

    Args:
        show: shows HTML and returns what replaces it; by default IPython's display.
        minutes: the limit of the run, if there is one.
    """

    def __init__(self, show: Show | None = None, minutes: float | None = None) -> None:
        self._show, self._minutes = show or show_in_notebook, minutes
        self._update: Update | None = None
        self._started: Started | None = None
        self._pictures: list[bytes] = []
        self._metrics: dict[str, float] = {}
        self._note, self._changed = "", 0.0

    def __call__(self, event: Event) -> None:
        """Take in an event, and change what is shown if there is something new."""
        if isinstance(event, Started):
            notes = ([event.note] if event.note else []) + list(event.notes)
            self._started, self._note = event, " ".join(notes)
            self._draw("starting")
        elif isinstance(event, Updated):
            self._metrics |= event.row or {}
            if time.monotonic() - self._changed > SECONDS:
                self._draw(self._progress(event))
        elif isinstance(event, Sampled):
            self._pictures = [event.path.read_bytes(), *self._curves()]
            if event.score is not None:
                self._metrics["e3_distance"] = event.score
            self._draw(f"epoch {event.epoch:.1f}, {event.images:,} images")
        elif isinstance(event, Troubled):
            self._note = f"{event.finding} ({event.action})"
            self._draw("")
        elif isinstance(event, Finished):
            self._draw(
                f"{event.reason}: {event.images:,} images in {event.seconds / 60:.1f} minutes"
            )

    def _progress(self, event: Updated) -> str:
        assert self._started is not None
        share = event.update.images / max(self._started.total_images, 1)
        if self._minutes:
            share = max(share, event.seconds / (60 * self._minutes))
        speed = self._metrics.get("images_per_second")
        tail = f", {speed:,.0f} images/s" if speed else ""
        return f"{share:.0%}, epoch {event.update.epoch:.1f}{tail}"

    def _curves(self) -> list[bytes]:
        folder = self._folder
        if folder is None:
            return []
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "curves.png"
            draw_curves(path, folder.rows(), folder.recipe.name)
            return [path.read_bytes()]

    @property
    def _folder(self) -> RunFolder | None:
        return None if self._started is None else self._started.run

    def _draw(self, state: str) -> None:
        folder = self._folder
        title = "" if folder is None else f"{folder.recipe.name} in {folder.path}: {state}"
        text = to_html(title, self._pictures, self._metrics, self._note)
        if self._update is None:
            self._update = self._show(text)
        else:
            self._update(text)
        self._changed = time.monotonic()


def in_notebook() -> bool:
    """Tell whether this process is an IPython kernel; IPython is never imported for that."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


def show_in_notebook(text: str) -> Update:
    """Show HTML by IPython's display."""
    display = importlib.import_module("IPython.display")
    handle = display.display(display.HTML(text), display_id=True)

    def update(changed: str) -> None:
        handle.update(display.HTML(changed))

    return update
