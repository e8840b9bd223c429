"""What a run is told, and what it tells: options in, events out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inkgan.errors import ConfigError
from inkgan.io.run_dir import Run
from inkgan.training.health import Finding
from inkgan.training.loop import Update
from inkgan.types import Progress, silent

OnTrouble = Literal["warn", "stop", "rollback"]
MAX_ROLLBACKS = 3
Reason = Literal["complete", "time is up", "interrupted"]


@dataclass(frozen=True)
class Options:
    """What belongs to this machine and this moment rather than to the recipe.

    Attributes:
        device: auto, cpu, cuda, cuda:N or mps.
        threads: for each operation; None takes the run's own, or torch's setting for a new run.
        data_dir: where to look for data first.
        minutes: of training, over all interruptions; None is no limit.
        on_trouble: what the health monitor does.
        report: hears of downloads.
        should_stop: asked after each update.
        capture: on CUDA, replay the step as one graph; otherwise launch by launch.
    """

    device: str = "auto"
    threads: int | None = None
    data_dir: Path | None = None
    minutes: float | None = None
    on_trouble: OnTrouble = "warn"
    report: Progress = silent
    should_stop: Callable[[], bool] = lambda: False
    capture: bool = True

    def __post_init__(self) -> None:
        """Refuse impossible values before anything begins."""
        if self.minutes is not None and not 0 < self.minutes < float("inf"):
            raise ConfigError(f"--minutes {self.minutes} is impossible; use more than 0")
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"--threads {self.threads} is impossible; use 1 or more")

    def answer_to(
        self, finding: Finding, rollbacks: int
    ) -> Literal["goes on", "stops", "rollback"]:
        """Choose what follows from a finding; the last rollback has been, and it stops."""
        if self.on_trouble == "rollback":
            return "rollback" if rollbacks < MAX_ROLLBACKS else "stops"
        return "stops" if finding.fatal or self.on_trouble == "stop" else "goes on"


@dataclass(frozen=True)
class Started:
    """The run stands ready; `images` > 0 means that it goes on."""

    run: Run
    images: int
    total_images: int
    data: str
    parameters: tuple[int, int]
    device: str
    note: str | None


@dataclass(frozen=True)
class Updated:
    """The networks have moved; `row` is what metrics.jsonl got, if a window closed."""

    update: Update
    row: dict[str, float] | None
    seconds: float


@dataclass(frozen=True)
class Sampled:
    """A grid was drawn, and scored where an evaluation was due."""

    images: int
    epoch: float
    path: Path
    score: float | None
    is_best: bool


@dataclass(frozen=True)
class Troubled:
    """The health monitor found something and did something."""

    finding: Finding
    action: str


@dataclass(frozen=True)
class Finished:
    """The run has ended for now and everything is written."""

    run: Run
    reason: Reason
    images: int
    seconds: float


Event = Started | Updated | Sampled | Troubled | Finished
