"""A training run as a person follows it: a bar on a terminal, a line now and then in a pipe."""

import time
from collections.abc import Iterable
from typing import Any

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from inkgan.cli.command import program, typed_command
from inkgan.cli.console import errors, say, show, warn
from inkgan.cli.progress import stop
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.io.bundle import load_bundle
from inkgan.plural import counted
from inkgan.runs.events import Event, Finished, Sampled, Started, Troubled, Updated

QUIET_SECONDS = 60.0
EVALUATED_SHAPE = (1, 28, 28)  # what the extractors take
LEGEND = (
    "D and G: losses of discriminator and generator. right: share that D recognizes as real or "
    "fake. distance: to validation images (training images where none are reserved), lower is "
    "better."
)


class TrainingView:
    """Follows one run and shows it."""

    def __init__(self, minutes: float | None) -> None:
        self.minutes = minutes
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(compact=True),
            console=errors,
            transient=True,
        )
        self.row: dict[str, float] = {}
        self.began_with, self.total_images, self.printed_at = 0, 1, 0.0

    def follow(self, events: Iterable[Event]) -> Finished:
        """Show the events of a run and return the last one."""
        finished: Finished | None = None
        try:
            for event in events:
                if isinstance(event, Updated):
                    self._update(event)
                elif isinstance(event, Sampled):
                    self._sampled(event)
                elif isinstance(event, Troubled):
                    warn(f"{event.finding}\n  ({event.action})")
                elif isinstance(event, Started):
                    self._start(event)
                elif isinstance(event, Finished):
                    finished = event
        finally:
            stop(self.progress)
        if finished is None:
            raise RuntimeError("a run ended without its last event")
        return finished

    def show_end(self, event: Finished) -> None:
        """Print what was written and what can be done next."""
        run, images = event.run, counted(event.images, "image")
        if event.reason == "interrupted":
            show(f"stopped at {images}; everything is saved. Continue with:")
            show(f"  {typed_command(program())}")
            return
        what = "complete" if event.reason == "complete" else "the time is up"
        if event.images == self.began_with:
            what = f"nothing left to train, {what}"
        show(f"{what}: {images} in {event.seconds / 60:.1f} minutes. Written:")
        for label, written in _written(event).items():
            show(f"  {label:12} {written}")
        show("Next:")
        for command in _next_commands(run.recipe, event):
            show(f"  {program()} {command}")

    def _start(self, event: Started) -> None:
        if event.note:
            warn(event.note)
        generator, discriminator = event.parameters
        verb = f"continuing from {counted(event.images, 'image')}" if event.images else "training"
        say(f"{verb}: {event.run.recipe.name} on {event.data}, {event.device}")
        for note in event.notes:
            say(f"data: {note}")
        say(f"parameters: generator {generator:,}, discriminator {discriminator:,}")
        say(LEGEND)
        self.began_with, self.total_images = event.images, event.total_images
        self.printed_at = time.monotonic()
        if errors.is_terminal and self._share(event.images, 0.0) < 1:
            self.progress.add_task("epoch 0.0", total=1.0, speed="")
            self.progress.start()

    def _update(self, event: Updated) -> None:
        if event.row is not None:
            self.row = event.row
        if self.progress.tasks:
            speed = self.row.get("images_per_second")
            self.progress.update(
                self.progress.tasks[0].id,
                completed=self._share(event.update.images, event.seconds),
                description=f"epoch {event.update.epoch:.1f}",
                speed=f"{speed:,.0f} images/s" if speed else "",
            )
        elif time.monotonic() - self.printed_at > QUIET_SECONDS:
            self._line(event.update.epoch, event.update.images, "")

    def _share(self, images: int, seconds: float) -> float:
        by_images = images / self.total_images
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_images, by_time)

    def _sampled(self, event: Sampled) -> None:
        mark = " (best)" if event.is_best else ""
        tail = "" if event.score is None else f"  distance {event.score:.2f}{mark}"
        self._line(event.epoch, event.images, tail)

    def _line(self, epoch: float, images: int, tail: str) -> None:
        self.printed_at = time.monotonic()
        numbers = ""
        if self.row:
            row = self.row
            numbers = (
                f"  D {row['d_loss']:.3f} G {row['g_loss']:.3f}  "
                f"right on real {row['d_real_accuracy']:.0%} fake {row['d_fake_accuracy']:.0%}"
            )
        say(f"epoch {epoch:.1f} {counted(images, 'image')}{numbers}{tail}")


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


def _next_commands(recipe: Recipe, event: Finished) -> list[str]:
    path, schedule = event.run.path, recipe.schedule
    longer = f"--epochs {2 * schedule.epochs}"
    if schedule.images is not None:
        longer = f"--images {2 * schedule.images}"
    if event.reason != "complete":
        longer = f"--minutes {max(30, round(event.seconds / 30))}"
    other = "vanilla" if recipe.name != "vanilla" else "dcgan"
    data = "" if recipe.data.name == RECIPES[other].data.name else f" --data {recipe.data.name}"
    commands = [f"sample {path} --seeds 0-99 --out digits.png"]
    if _can_be_evaluated(event):
        commands.append(f"evaluate {path} --quick")
    return [
        *commands,
        f"train --out {path} {longer}",
        f"train {other}{data} --out runs/{other}",
        f"compare {path} runs/{other}",
    ]


def _can_be_evaluated(event: Finished) -> bool:
    """Tell whether the extractors take the run's images, or it has no generator to ask."""
    if not event.run.bundle_path.exists():  # the weights were lost
        return False
    shape = load_bundle(event.run.bundle_path).shape
    return tuple(shape) == EVALUATED_SHAPE or event.run.recipe.data.name == "stacked-mnist"
