"""A run as one bar on a terminal: how far it is, its speed, the time left."""

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from inkgan.cli.console import errors
from inkgan.cli.progress import stop
from inkgan.runs.events import Event, Started, Updated
from inkgan.runs.live_state import LiveState


class RunBar:
    """Shows a run as a bar, which is gone at its end.

    Args:
        minutes: the limit of the run, if there is one.
    """

    def __init__(self, minutes: float | None) -> None:
        self._state = LiveState(minutes)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}", markup=False),
            TimeRemainingColumn(compact=True),
            console=errors,
            transient=True,
        )

    def take(self, event: Event) -> None:
        """Take in an event, and change the bar."""
        state = self._state
        state.take(event)
        if isinstance(event, Started) and state.share < 1:
            self._progress.add_task("epoch 0.0", total=1.0, speed="")
            self._progress.start()
        elif isinstance(event, Updated) and self._progress.tasks:
            speed = state.row.get("images_per_second")
            self._progress.update(
                self._progress.tasks[0].id,
                completed=state.share,
                description=f"epoch {state.epoch:.1f}",
                speed=f"{speed:,.0f} images/s" if speed else "",
            )

    def close(self) -> None:
        """Take the bar away."""
        stop(self._progress)
