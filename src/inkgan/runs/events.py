"""Options of a run, and the events that it yields."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from inkgan.device import check_threads
from inkgan.errors import ConfigError
from inkgan.io.run_dir import RunFolder
from inkgan.plural import counted
from inkgan.runs.loggers.open_loggers import choose_loggers
from inkgan.training.health import Finding
from inkgan.training.loop import Update
from inkgan.types import Clock, Progress, silent

OnTrouble = Literal["warn", "stop", "rollback"]
MAX_ROLLBACKS = 3
Response = Literal["continue", "stop", "rollback"]
Reason = Literal["complete", "time is up", "interrupted"]


@dataclass(frozen=True)
class Options:
    """What belongs to this machine and this moment, not to the recipe.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        threads: for each operation. None takes torch's setting, or fewer where other processes use
            the cores; the run chooses again as these come and go. A run that was started with a
            number resumes with it.
        data_dir: where to look for data first.
        minutes: of training, over all interruptions; None means no limit.
        clock: what the seconds of training are: the time that passes (wall), or the time of all
            threads of this process (processor), which does not depend on what else the machine
            does.
        on_trouble: what follows when the health monitor finds something: warn, stop, or rollback to
            the best checkpoint with half the learning rate.
        report: called while data is downloaded.
        should_stop: called after each update; true ends the run for now.
        capture: on CUDA, replay the step as one graph; otherwise launch by launch.
        loggers: names of those that record the run beside its folder, from `choose_loggers`.
        processes: None trains together with the processes that a launcher such as torchrun has
            started beside this one, 1 trains alone.
    """

    device: str = "auto"
    threads: int | None = None
    data_dir: Path | None = None
    minutes: float | None = None
    clock: Clock = "wall"
    on_trouble: OnTrouble = "warn"
    report: Progress = silent
    should_stop: Callable[[], bool] = lambda: False
    capture: bool = True
    loggers: tuple[str, ...] = field(default_factory=lambda: choose_loggers(None))
    processes: Literal[1] | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise ConfigError(f"`minutes` must be more than 0, not {self.minutes:g}")
        if self.clock not in get_args(Clock):
            raise ConfigError(f"`clock` must be wall or processor, not {self.clock!r}")
        check_threads(self.threads)

    def response_to(self, finding: Finding, rollbacks: int) -> Response:
        """Choose what follows from a finding of the health monitor after so many rollbacks."""
        if self.on_trouble == "rollback":
            return "rollback" if rollbacks < MAX_ROLLBACKS else "stop"
        return "stop" if finding.fatal or self.on_trouble == "stop" else "continue"


@dataclass(frozen=True)
class Preparing:
    """Work that takes long comes before the run; `what` says which."""

    what: str


@dataclass(frozen=True)
class Started:
    """The run is set up; it resumes if `images` is more than 0.

    `notes` say what was converted, inverted or left out of the data; `note` is a warning;
    `processes` train together, with so many `threads` in each operation.
    """

    run: RunFolder
    images: int
    total_images: int
    data: str
    parameters: tuple[int, int]
    device: str
    note: str | None
    notes: tuple[str, ...] = ()
    processes: int = 1
    threads: int = 1


@dataclass(frozen=True)
class Updated:
    """Both networks were updated; `row` is the new row of metrics.jsonl, if a window ended."""

    update: Update
    row: dict[str, float] | None
    seconds: float


@dataclass(frozen=True)
class Sampled:
    """A grid of samples was drawn, and the generator scored if an evaluation was due."""

    images: int
    epoch: float
    path: Path
    score: float | None
    is_best: bool


@dataclass(frozen=True)
class Troubled:
    """The health monitor found something; `action` says what followed."""

    finding: Finding
    action: str


@dataclass(frozen=True)
class ThreadsChanged:
    """The run computes with `threads` instead of `before` threads from here on."""

    before: int
    threads: int

    def __str__(self) -> str:
        """Say so in a sentence, with the way to prevent it."""
        if self.threads > self.before:
            return f"cores are idle again: {counted(self.threads, 'thread')} from here on"
        return (
            f"other processes use the cores, and beside them {self.before} threads are slower "
            f"than {counted(self.threads, 'thread')}, which the run takes from here on; "
            f"`threads={self.before}` keeps them"
        )


@dataclass(frozen=True)
class Finished:
    """The run has ended for now, and everything is written."""

    run: RunFolder
    reason: Reason
    images: int
    seconds: float


Event = Preparing | Started | Updated | Sampled | Troubled | ThreadsChanged | Finished
