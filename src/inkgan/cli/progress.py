"""How long work is shown: bars on a terminal, one line for each stage in a pipe.

The bars of rich take a twentieth of a second to import, which a pipe does not wait for.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from inkgan.cli.console import errors, printed, say
from inkgan.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress

    from inkgan.runs.events import Event


@contextlib.contextmanager
def download_report() -> Iterator[Callable[[str, int, int | None], None]]:
    """Give a callable that shows downloads as bars, or as one line each in a pipe."""
    if not errors.is_terminal:
        yield _told_once(lambda name: f"downloading {name}")
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=errors, transient=True)
    tasks: dict[str, int] = {}

    def report(name: str, done: int, total: int | None) -> None:
        if name not in tasks:
            printed.set()
            progress.start()
            tasks[name] = progress.add_task(printable(name), total=total)
        progress.update(tasks[name], completed=done, total=total)  # type: ignore[arg-type]
        if done == total:
            stop(progress)

    try:
        yield report
    finally:
        stop(progress)


@contextlib.contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Give a callable that shows each stage of long work as a bar, or as one line in a pipe."""
    if not errors.is_terminal:
        yield _told_once(lambda what: what)
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
    )
    progress = Progress(*columns, console=errors, transient=True)
    shown: list[str] = []

    def report(what: str, done: int, total: int) -> None:
        if what not in shown:
            printed.set()
            progress.start()
            for task in progress.task_ids:
                progress.remove_task(task)
            shown[:] = [what]
            progress.add_task(printable(what), total=total or None)
        progress.update(progress.task_ids[0], completed=done, total=total or None)

    try:
        yield report
    finally:
        stop(progress)


def _told_once(text_of: Callable[[str], str]) -> Callable[[str, int, int | None], None]:
    """Return a callable that says a line for each name, the first time."""
    told: set[str] = set()

    def report(name: str, done: int, total: int | None) -> None:
        if name not in told:
            told.add(name)
            say(text_of(name))

    return report


def training_bar(
    report: Callable[[str, int, int], None], minutes: float | None
) -> Callable[["Event"], None]:
    """Give a listener that shows a run as one stage of longer work."""
    from inkgan.runs.events import Started, Updated

    run: list[Started] = []

    def listen(event: "Event") -> None:
        if isinstance(event, Started):
            run[:] = [event]
        elif isinstance(event, Updated) and event.row is not None:
            by_images = event.update.images / run[0].total_images
            by_time = event.seconds / (60 * minutes) if minutes else 0.0
            share = min(1.0, max(by_images, by_time))
            report(f"training {run[0].run.path.name}", round(1000 * share), 1000)

    return listen


def stop(progress: "Progress") -> None:
    """Stop a display that may never have begun: rich would print an empty line for it."""
    if progress.live.is_started:
        progress.stop()
