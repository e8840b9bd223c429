"""A live display of training in a notebook: the fixed latents, curves, a sentence, the time left.

It shows what `inkgan train` shows on a terminal, from the same `LiveState` and `PictureFeed`.
"""

import base64
import html
import importlib
import itertools
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from inkgan.plotting import BLUE, GRAY, ORANGE
from inkgan.plural import counted, duration
from inkgan.runs.events import Event, Finished, Started, ThreadsChanged, Troubled, Updated
from inkgan.runs.live_state import LiveState, PictureFeed, next_drawing, time_left
from inkgan.runs.run import to_html

Update = Callable[[str], None]
Show = Callable[[str], Update]
"""Shows HTML once, and returns what replaces it."""
TILE_WIDTH = 64  # pixels of the page
MOST_POINTS = 200  # of a curve
CHART_WIDTH, CHART_HEIGHT = 320, 90


class Chart(NamedTuple):
    """Two curves in one chart: the metric, the label and the color of each, and a fixed range."""

    title: str
    curves: tuple[tuple[str, str, str], ...]
    bounds: tuple[float, float] | None = None


CHARTS = (
    Chart("Losses", (("d_loss", "discriminator", BLUE), ("g_loss", "generator", ORANGE))),
    Chart(
        "Accuracy of the discriminator",
        (("d_real_accuracy", "on real", BLUE), ("d_fake_accuracy", "on generated", ORANGE)),
        (0.0, 1.0),
    ),
)


class LiveDisplay:
    """Shows the events of a run, one display that is replaced as the run goes on.

    Args:
        show: shows HTML and returns what replaces it; by default IPython's display.
        minutes: the limit of the run, if there is one.
    """

    def __init__(self, show: Show | None = None, minutes: float | None = None) -> None:
        self._show, self._state = show or show_in_notebook, LiveState(minutes)
        self._update: Update | None = None
        self._feed: PictureFeed | None = None
        self._picture: tuple[bytes, dict[str, Any]] | None = None
        self._notes: list[str] = []
        self._due = 0.0

    def __call__(self, event: Event) -> None:
        """Take in an event, and change what is shown if something is due."""
        state = self._state
        state.take(event)
        if isinstance(event, Started):
            self._notes = [*filter(None, [event.note]), *event.notes]
            self._feed = PictureFeed(event.run.path)
            self._feed.watch()
            self._draw("starting")
        elif isinstance(event, Updated) and self._feed is not None:
            self._feed.watch()
            if time.perf_counter() >= self._due:
                before = time.thread_time()
                self._draw(self._progress())
                self._due = next_drawing(time.thread_time() - before)
        elif isinstance(event, Troubled):
            self._notes.append(f"{event.finding} ({event.action})")
            self._draw(self._progress())
        elif isinstance(event, ThreadsChanged):
            self._notes.append(str(event))
        elif isinstance(event, Finished):
            images = counted(event.images, "image")
            self._draw(f"{event.reason}: {images} in {duration(event.seconds)}")

    def _progress(self) -> str:
        state = self._state
        speed = f"{state.speed:,.0f} images/s" if state.speed else ""
        words = [f"{state.share:.0%}", f"epoch {state.epoch:.1f}", speed]
        return ", ".join(filter(None, [*words, time_left(state.seconds_left)]))

    def _draw(self, progress: str) -> None:
        if self._feed is None or self._state.started is None:
            return
        self._picture = self._feed.newest() or self._picture
        run = self._state.started.run
        parts = [
            to_html(f"{run.recipe.name} in {run.path}: {progress}", [], {}),
            f'<progress max="1" value="{self._state.share:.3f}" style="width: 100%"></progress>',
            _latents(*self._picture) if self._picture else "",
            f"<p>{html.escape(self._state.sentence)}</p>",
            "".join(_chart(chart, self._state.curves) for chart in CHARTS),
            *(f"<p>{html.escape(note)}</p>" for note in self._notes),
            to_html("", [], self._state.row),
        ]
        text = "\n".join(filter(None, parts))
        if self._update is None:
            self._update = self._show(text)
        else:
            self._update(text)


def _latents(picture: bytes, document: dict[str, Any]) -> str:
    """Show the fixed latents, each pixel as a square."""
    width = TILE_WIDTH * int(document.get("columns") or 10)
    data = base64.b64encode(picture).decode()
    return (
        f'<img src="data:image/png;base64,{data}" alt="the fixed latents" '
        f'style="width: {width}px; max-width: 100%; image-rendering: pixelated; display: block">'
    )


def _chart(chart: Chart, curves: dict[str, list[float]]) -> str:
    """Draw a chart as SVG: matplotlib takes too long for several a second."""
    lines = {metric: _thin(curves[metric]) for metric, _, _ in chart.curves}
    known = [value for line in lines.values() for value in line if math.isfinite(value)]
    if not known:
        return ""
    low, high = chart.bounds or (min(known), max(known))
    legend = ", ".join(
        f'<span style="color: {color}">{label} {lines[metric][-1]:.3f}</span>'
        for metric, label, color in chart.curves
    )
    drawn = "".join(
        f'<polyline points="{_points(lines[metric], low, high)}" fill="none" stroke="{color}" '
        'stroke-width="1.5"/>'
        for metric, _, color in chart.curves
    )
    return (
        f'<div style="display: inline-block; margin-right: 2em"><small>{chart.title}: {legend}'
        f'</small><br><svg width="{CHART_WIDTH}" height="{CHART_HEIGHT}" role="img" '
        f'aria-label="{chart.title}" style="border: 1px solid {GRAY}">{drawn}</svg></div>'
    )


def _thin(values: Sequence[float]) -> list[float]:
    """Return the means of equal parts of a curve, MOST_POINTS at most."""
    count = min(MOST_POINTS, len(values))
    edges = [round(place * len(values) / max(count, 1)) for place in range(count + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]


def _points(values: Sequence[float], low: float, high: float) -> str:
    """Return the points of a polyline; values that are no numbers are left out."""
    across = (CHART_WIDTH - 8) / max(len(values) - 1, 1)
    up = (CHART_HEIGHT - 8) / (high - low) if high > low else 0.0
    return " ".join(
        f"{4 + place * across:.1f},{CHART_HEIGHT - 4 - (value - low) * up:.1f}"
        for place, value in enumerate(values)
        if math.isfinite(value)
    )


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
