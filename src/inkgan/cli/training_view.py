"""A training run as a person follows it: live on a terminal, a line now and then in a pipe."""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from inkgan.cli.command import program, typed_command
from inkgan.cli.console import above, errors, say, show, warn
from inkgan.cli.live_region import terminal_size
from inkgan.cli.next_command import unused
from inkgan.cli.run_bar import RunBar
from inkgan.cli.terminal import find_abilities
from inkgan.cli.terminal_display import TerminalDisplay
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.generation.load import RUNS
from inkgan.io.bundle import load_bundle
from inkgan.openmp import threads_sleep
from inkgan.plural import counted, duration, percent
from inkgan.printable import path_line, shell_words
from inkgan.runs.events import (
    Event,
    Finished,
    Preparing,
    Sampled,
    Started,
    ThreadsChanged,
    Troubled,
    Updated,
)
from inkgan.runs.process_group import is_one_of_several

QUIET_SECONDS = 60.0
OTHERS = ("vanilla", "dcgan", "mlp")  # recipes to compare with
EVALUATED_SHAPE = (1, 28, 28)  # what the extractors take
LEGEND = (
    "D and G: losses of discriminator and generator. right: share that D recognizes as real or "
    "fake. distance: to validation images (training images where none are reserved), lower is "
    "better."
)


class TrainingView:
    """Follows one run and shows it.

    Args:
        minutes: the limit of the run, if there is one.
        live: whether a terminal that can shows pictures and curves while the run trains.
    """

    def __init__(self, minutes: float | None, live: bool = False) -> None:
        self.display = _display(minutes, live)
        self.row: dict[str, float] = {}
        self.began_with, self.total_images, self.printed_at = 0, 1, 0.0
        self.told_of_sleep = False

    is_silent = False

    @property
    def is_live(self) -> bool:
        """Whether pictures and curves are drawn in place."""
        return isinstance(self.display, TerminalDisplay)

    def leave(self) -> None:
        """Draw what is live below whatever the terminal shows now."""
        if isinstance(self.display, TerminalDisplay):
            self.display.region.leave()

    def follow(self, events: Iterable[Event]) -> Finished:
        """Show the events of a run and return the last one."""
        finished: Finished | None = None
        try:
            for event in events:
                self._say(event)
                if self.display is not None:
                    self.display.take(event)
                if isinstance(event, Finished):
                    finished = event
        finally:
            self._close()
        if finished is None:
            raise RuntimeError("a run ended without its last event")
        return finished

    def show_end(self, event: Finished) -> None:
        """Print what was written and what can be done next."""
        run, images = event.run, counted(event.images, "image")
        if event.reason == "interrupted" and is_one_of_several():
            show(f"stopped at {images}; everything is saved. The same command continues.")
            return
        if event.reason == "interrupted":
            show(f"stopped at {images}; everything is saved. Continue with:")
            show(f"  {typed_command(program())}")
            return
        what = "complete" if event.reason == "complete" else "the time is up"
        if event.images == self.began_with:
            what = f"nothing left to train, {what}"
        share = event.images / self.total_images
        of = f", {percent(share)} of the recipe" if share < 0.995 else ""
        show(f"{what}: {images}{of} in {duration(event.seconds)}. Written:")
        for label, written in _written(event).items():
            show(f"  {label:12} {path_line(written)}")
        show("Next:")
        for command in next_commands(run.recipe, event):
            show(f"  {program()} {command}")

    def _say(self, event: Event) -> None:
        """Print what is to be read of an event."""
        if isinstance(event, Updated):
            self._update(event)
        elif isinstance(event, Sampled):
            self._sampled(event)
        elif isinstance(event, Troubled):
            warn(f"{event.finding}\n  ({event.action})")
        elif isinstance(event, Preparing):
            say(event.what)
        elif isinstance(event, ThreadsChanged):
            say(str(event))
        elif isinstance(event, Started):
            self._start(event)
            if isinstance(self.display, TerminalDisplay):
                above.append(self.display.print_above)

    def _close(self) -> None:
        above.clear()
        if self.display is not None:
            self.display.close()

    def _start(self, event: Started) -> None:
        self.told_of_sleep = event.threads == 1  # one waits for no other
        if event.note:
            warn(event.note)
        generator, discriminator = event.parameters
        verb = f"continuing from {counted(event.images, 'image')}" if event.images else "training"
        together = "" if event.processes == 1 else f", {event.processes} processes"
        say(f"{verb}: {event.run.recipe.name} on {event.data}, {event.device}{together}")
        for note in event.notes:
            say(f"data: {note}")
        say(f"parameters: generator {generator:,}, discriminator {discriminator:,}")
        say(LEGEND)
        self.began_with, self.total_images = event.images, event.total_images
        self.printed_at = time.monotonic()

    def _update(self, event: Updated) -> None:
        if event.row is not None:
            self.row = event.row
            self._say_once_that_threads_sleep()
        if self.display is None and time.monotonic() - self.printed_at > QUIET_SECONDS:
            self._line(event.update.epoch, event.update.images, "")

    def _say_once_that_threads_sleep(self) -> None:
        if threads_sleep() and not self.told_of_sleep:
            self.told_of_sleep = True
            say(
                "other processes use the cores too: threads now sleep while they wait for each "
                "other; results do not change"
            )

    def _sampled(self, event: Sampled) -> None:
        mark = " (best)" if event.is_best else ""
        tail = "" if event.score is None else f"  distance {event.score:.2f}{mark}"
        self._line(event.epoch, event.images, tail)

    def _line(self, epoch: float, images: int, tail: str) -> None:
        self.printed_at = time.monotonic()
        numbers = ""
        row, self.row = self.row, {}  # a window is printed once
        if row:
            numbers = (
                f"  D {row['d_loss']:.3f} G {row['g_loss']:.3f}  "
                f"right on real {row['d_real_accuracy']:.0%} fake {row['d_fake_accuracy']:.0%}"
            )
        say(f"epoch {epoch:.1f} {counted(images, 'image')}{numbers}{tail}")


class SilentView(TrainingView):
    """Follows one of several processes of a run of which another reports."""

    is_silent = True

    def __init__(self) -> None:
        super().__init__(None)
        self.display = None

    def show_end(self, event: Finished) -> None:
        """Print nothing."""

    def _say(self, event: Event) -> None:
        """Print nothing."""


def _display(minutes: float | None, live: bool) -> TerminalDisplay | RunBar | None:
    """Return what shows a run between two messages; nothing in a pipe."""
    if not errors.is_terminal:
        return None
    if live:
        size = terminal_size(sys.stderr)
        color_system = None if errors.legacy_windows else errors.color_system
        abilities = find_abilities(sys.stderr, size, color_system, os.environ)
        if abilities is not None:
            return TerminalDisplay(abilities, minutes)
    return RunBar(minutes)


def summary(event: Finished) -> dict[str, Any]:
    """Return how a run ended, as values for JSON."""
    run = event.run
    return {
        "reason": event.reason,
        "run": run.path,
        "recipe": run.recipe.name,
        "seed": run.recipe.seed,
        "images": event.images,
        "seconds": event.seconds,
        "written": _written(event),
    }


def _written(event: Finished) -> dict[str, Any]:
    run = event.run
    return {
        "sample grid": run.grid_path,
        "time-lapse": run.timeline_path,
        "curves": run.curves_path,
        "bundle": run.bundle_path,
    }


def next_commands(recipe: Recipe, event: Finished) -> list[str]:
    """Propose what to type next; each command works as it stands, in the same folder."""
    path, schedule = shell_words(event.run.path), recipe.schedule
    longer = f"--epochs {2 * schedule.epochs}"
    if schedule.images is not None:
        longer = f"--images {2 * schedule.images}"
    if event.reason != "complete":
        longer = f"--minutes {max(30, round(event.seconds / 30))}"
    others = [name for name in OTHERS if name != recipe.name]
    other, other_path = _first_free(others, event.run.path)
    data = ""
    if recipe.data.name != RECIPES[other].data.name:
        data = f" --data {shell_words(recipe.data.name)}"
    short = event.run.path.name[:40]  # a file's name may be no longer than the folder's
    drawn = shell_words(str(unused(Path(f"{short}-digits.png"))))
    runs = event.run.path.parent
    where = "" if runs.resolve() == RUNS.resolve() else f" --runs {shell_words(runs)}"
    commands = [f"studio{where}", f"sample {path} --seeds 0-99 --out {drawn}"]
    if _can_be_evaluated(event):
        commands.append(f"evaluate {path} --quick")
    return [
        *commands,
        f"train --out {path} {longer}",
        f"train {other}{data} --out {other_path}",
        f"compare {path} {other_path}",
    ]


def _first_free(recipes: Sequence[str], taken: Path) -> tuple[str, Path]:
    """Return another recipe, and a folder for it in which nothing has been trained yet."""
    for name in recipes:
        if not (RUNS / name).exists() and (RUNS / name).resolve() != taken.resolve():
            return name, RUNS / name
    return recipes[0], unused(RUNS / f"{recipes[0]}-2")


def _can_be_evaluated(event: Finished) -> bool:
    """Tell whether the extractors take the run's images, or it has no generator to ask."""
    if not event.run.bundle_path.exists():  # the weights were lost
        return False
    shape = load_bundle(event.run.bundle_path).shape
    return tuple(shape) == EVALUATED_SHAPE or event.run.recipe.data.name == "stacked-mnist"
