"""What a person sees of a run: a bar on a terminal, quiet lines in a pipe."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from inkgan.config import Recipe
from inkgan.runs.events import Event, Finished, Options, Sampled, Started, Troubled, Updated
from inkgan.runs.trainer import Trainer

QUIET_SECONDS = 60.0
errors = Console(stderr=True, highlight=False, soft_wrap=True)
results = Console(highlight=False, soft_wrap=True)


def warn(text: str) -> None:
    """Say something loudly, on stderr."""
    errors.print(text, style="bold yellow", markup=False)


@contextlib.contextmanager
def download_report() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callable that shows downloads as bars, or as one line each in a pipe."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=errors, transient=True)
    tasks: dict[str, int] = {}

    def report(name: str, done: int, total: int) -> None:
        if name not in tasks:
            if errors.is_terminal:
                progress.start()
            else:
                errors.print(f"downloading {name}", markup=False)
            tasks[name] = progress.add_task(name, total=total or None)
        progress.update(tasks[name], completed=done, total=total or None)  # type: ignore[arg-type]
        if done == total:
            _stop(progress)

    try:
        yield report
    finally:
        _stop(progress)


@contextlib.contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callable that shows each stage of long work as a bar, or as one line in a pipe."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
    )
    progress = Progress(*columns, console=errors, transient=True)
    shown: list[str] = []

    def report(what: str, done: int, total: int) -> None:
        if not errors.is_terminal:
            if what not in shown:
                errors.print(what, markup=False)
                shown.append(what)
            return
        if what not in shown:
            progress.start()
            for task in progress.task_ids:
                progress.remove_task(task)
            shown[:] = [what]
            progress.add_task(what, total=total)
        progress.update(progress.task_ids[0], completed=done, total=total)

    try:
        yield report
    finally:
        _stop(progress)


def training_bar(
    report: Callable[[str, int, int], None], minutes: float | None
) -> Callable[[Event], None]:
    """Give a listener that shows a run as one stage of longer work."""
    run: list[Started] = []

    def listen(event: Event) -> None:
        if isinstance(event, Started):
            run[:] = [event]
        elif isinstance(event, Updated) and event.row is not None:
            by_images = event.update.images / run[0].total_images
            by_time = event.seconds / (60 * minutes) if minutes else 0.0
            share = min(1.0, max(by_images, by_time))
            report(f"training {run[0].run.path.name}", round(1000 * share), 1000)

    return listen


def _stop(progress: Progress) -> None:
    """Stop a display that may never have begun: rich would print an empty line for it."""
    if progress.live.is_started:
        progress.stop()


class View:
    """Follows one run and tells of it."""

    def __init__(self, minutes: float | None, command: str) -> None:
        self.minutes, self.command = minutes, command
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
        self.total_images, self.told_at = 1, 0.0

    def follow(self, recipe: Recipe, out: Path, options: Options) -> str:
        """Train, show, and return why the run ended."""
        reason = ""
        try:
            for event in Trainer(recipe, out, options).events():
                if isinstance(event, Updated):
                    self._updated(event)
                elif isinstance(event, Sampled):
                    self._tell(event)
                elif isinstance(event, Troubled):
                    warn(f"{event.finding}\n  ({event.action})")
                elif isinstance(event, Started):
                    self._started(event, recipe)
                else:
                    _stop(self.progress)
                    reason = event.reason
                    self._finished(event)
        finally:
            _stop(self.progress)
        return reason

    def _started(self, event: Started, recipe: Recipe) -> None:
        if event.note:
            warn(event.note)
        generator, discriminator = event.parameters
        verb = f"going on from {event.images:,} images" if event.images else "training"
        errors.print(
            f"{verb}: {recipe.name} (generator {generator:,}, discriminator {discriminator:,} "
            f"parameters) on {event.data}, {event.device}",
            markup=False,
        )
        self.total_images, self.told_at = event.total_images, time.monotonic()
        if errors.is_terminal and not self._complete(event.images, 0.0):
            self.progress.add_task("epoch 0.0", total=1.0, speed="")
            self.progress.start()

    def _updated(self, event: Updated) -> None:
        if event.row is not None:
            self.row = event.row
        if self.progress.tasks:
            speed = self.row.get("images_per_second")
            self.progress.update(
                self.progress.tasks[0].id,
                completed=self._complete(event.update.images, event.seconds, exact=True),
                description=f"epoch {event.update.epoch:.1f}",
                speed=f"{speed:,.0f} images/s" if speed else "",
            )
        elif time.monotonic() - self.told_at > QUIET_SECONDS:
            self._line(event.update.epoch, event.update.images, "")

    def _complete(self, images: int, seconds: float, exact: bool = False) -> float:
        by_images = images / self.total_images
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        share = max(by_images, by_time)
        return share if exact else float(share >= 1)

    def _tell(self, event: Sampled) -> None:
        mark = " (best)" if event.is_best else ""
        tail = "" if event.score is None else f"  distance {event.score:.2f}{mark}"
        self._line(event.epoch, event.images, tail)

    def _line(self, epoch: float, images: int, tail: str) -> None:
        self.told_at = time.monotonic()
        numbers = ""
        if self.row:
            row = self.row
            numbers = (
                f"  D {row['d_loss']:.3f} G {row['g_loss']:.3f}  "
                f"right on real {row['d_real_accuracy']:.0%} fake {row['d_fake_accuracy']:.0%}"
            )
        errors.print(f"epoch {epoch:.1f} {images:,} images{numbers}{tail}", markup=False)

    def _finished(self, event: Finished) -> None:
        run, path = event.run, event.run.path
        if event.reason == "interrupted":
            results.print(f"stopped at {event.images:,} images; everything is saved. Go on with:")
            results.print(f"  {self.command}", markup=False)
            return
        why = "complete" if event.reason == "complete" else "the time is up"
        results.print(
            f"{why}: {event.images:,} images in {event.seconds / 60:.1f} minutes. Written:"
        )
        for label, written in (
            ("sample grid", run.grid_path),
            ("time-lapse", run.timeline_path),
            ("curves", run.curves_path),
            ("bundle", run.bundle_path),
        ):
            results.print(f"  {label:12} {written}", markup=False)
        schedule = run.recipe.schedule
        longer = f"--epochs {2 * schedule.epochs}"
        if schedule.images is not None:
            longer = f"--images {2 * schedule.images}"
        further = longer if event.reason == "complete" else "--minutes 30"
        results.print("Next:")
        for command in (
            f"inkgan sample {path} --seeds 0-99 --out digits.png",
            f"inkgan evaluate {path} --quick",
            f"inkgan train --out {path} {further}",
            f"inkgan train vanilla --out runs/vanilla  (then: inkgan compare {path} runs/vanilla)",
        ):
            results.print(f"  {command}", markup=False)
