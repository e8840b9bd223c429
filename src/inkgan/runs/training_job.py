"""Training as a job: what a process anywhere needs to train one run in its folder."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan.config import Recipe
from inkgan.config.names import AUGMENTATIONS, LOSSES
from inkgan.config.serialize import parse_recipe
from inkgan.device import check_threads, compute_settings, own_stream
from inkgan.errors import ArtifactError, ConfigError
from inkgan.execution.executor import Executor
from inkgan.execution.job import Job
from inkgan.folder_lock import locked
from inkgan.runs.api import train_iter
from inkgan.runs.events import Finished, OnTrouble
from inkgan.runs.loggers.open_loggers import choose_loggers

FUNCTION = f"{__name__}:train_in_job"
LOCKED_SECONDS = 60.0  # that a lost process may take to end


@dataclass(frozen=True)
class JobOptions:
    """How each of several runs is trained.

    Attributes:
        device: auto, cpu, cuda or mps.
        threads: for each operation, and so the cores of each run.
        gpus: the share of a GPU that each run has, where it is trained on one; 0.25 trains four
            runs on each.
        data_dir: where to look for data first.
        minutes: of training for each run, over all interruptions.
        on_trouble: warn, stop or rollback, when the health monitor finds something.
        capture: on CUDA, replay each step as one graph.
        logger: what records each run beside its folder, as `inkgan.train` takes it.
    """

    device: str = "auto"
    threads: int = 1
    gpus: float = 1.0
    data_dir: Path | None = None
    minutes: float | None = None
    on_trouble: OnTrouble = "warn"
    capture: bool = True
    logger: str | None = None

    def __post_init__(self) -> None:
        """Check the values that one run alone does not have."""
        check_threads(self.threads)
        choose_loggers(self.logger)
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise ConfigError(f"`minutes` must be more than 0, not {self.minutes:g}")
        if not 0 < self.gpus <= 1:
            raise ConfigError(f"`gpus` must be more than 0 and at most 1, not {self.gpus:g}")
        if self.device.startswith("cuda:"):
            raise ConfigError(
                f"`device` {self.device}: several runs share the GPUs; use `device='cuda'`"
            )

    def gpus_on(self, executor: Executor) -> float:
        """Return the share of a GPU that each job declares."""
        on_gpu = self.device == "cuda" or (self.device == "auto" and executor.has_gpus())
        return self.gpus if on_gpu else 0.0


def training_job(name: str, recipe: Recipe, out: Path, options: JobOptions, gpus: float) -> Job:
    """Return the job that trains a recipe in a run folder, or resumes it there.

    Args:
        name: of the job.
        recipe: what to train.
        out: the run folder.
        options: of all runs.
        gpus: the share of a GPU (`JobOptions.gpus_on`).

    Raises:
        ConfigError: the recipe uses what only this process knows.
    """
    check_travels(recipe)
    arguments = {
        "recipe": recipe.model_dump(mode="json"),
        "out": str(out.resolve()),
        "data_dir": None if options.data_dir is None else str(options.data_dir.resolve()),
        "minutes": options.minutes,
        "device": options.device,
        "threads": options.threads,
        "capture": options.capture,
        "on_trouble": options.on_trouble,
        "logger": options.logger,
    }
    return Job(name, FUNCTION, arguments, options.threads, gpus)


def train_in_job(recipe: dict[str, Any], out: str, **options: Any) -> dict[str, Any]:
    """Train, as a job does; the arguments are those of `inkgan.train`.

    Returns:
        Why the run ended for now (`reason`), `images` and `seconds` of training.
    """
    wait_for_lock(Path(out))
    with compute_settings(keep_memory=True, tf32=True), own_stream(options.get("device", "auto")):
        for event in train_iter(parse_recipe(recipe), out=out, **options):
            last = event
    assert isinstance(last, Finished)
    return {"reason": last.reason, "images": last.images, "seconds": last.seconds}


def wait_for_lock(out: Path) -> None:
    """Wait a while for a process that trains in a folder: that of a lost machine may live on."""
    end = time.monotonic() + LOCKED_SECONDS
    while time.monotonic() < end:
        try:
            with locked(out, "training in"):
                return
        except ArtifactError:
            time.sleep(0.5)


def check_travels(recipe: Recipe) -> None:
    """Refuse a recipe whose networks or functions are registered in this process alone.

    Raises:
        ConfigError: names what a process elsewhere does not know.
    """
    objective, model = recipe.objective, recipe.model
    own = [objective.loss] if objective.loss not in LOSSES.built_in else []
    own += [name for name in objective.augment if name not in AUGMENTATIONS.built_in]
    own += objective.penalties.custom
    own += [n.class_name for n in (model.generator, model.discriminator) if n.family == "custom"]
    if own:
        raise ConfigError(
            f"{own[0]} is registered in this process only, and other processes would not find it: "
            "train one run after another with `inkgan.train`"
        )
