"""The runs of a benchmark as jobs: several at a time, on this machine or on a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from inkgan.config import Recipe
from inkgan.evaluation.report.leaderboard import LeaderboardEntry, TrainingCost
from inkgan.execution.executor import Executor
from inkgan.execution.job import Job
from inkgan.io.environment import read_environment
from inkgan.plural import counted
from inkgan.runs.run_watch import RunWatch
from inkgan.types import Progress

FUNCTION = "inkgan.evaluation.benchmark:run_in_job"
SHARES = 1000  # of the whole work, in which its progress is counted


@dataclass(frozen=True)
class Run:
    """One run of a benchmark: a recipe, a seed, and the folder of both."""

    recipe: Recipe
    seed: int
    folder: Path


def entries_of_jobs(
    rounds: Sequence[Sequence[Run]],
    plan: Mapping[str, Any],
    minutes: float | None,
    executor: Executor,
    gpus: float,
    progress: Progress,
) -> Iterator[LeaderboardEntry]:
    """Do the runs of a benchmark as jobs, one round after the other.

    Args:
        rounds: the first seeds of all recipes, then the others, which use what these measured.
        plan: of the benchmark, as plain values.
        minutes: of training for each run.
        executor: where they are done.
        gpus: the share of a GPU that each run has.
        progress: called with (what, done, total).

    Yields:
        An entry after each run.

    Raises:
        InkganError: a run could not be done at all.
    """
    runs = [run for each in rounds for run in each]
    watches = {run.folder.name: RunWatch(run.folder, minutes) for run in runs}
    ended: set[str] = set()

    def report() -> None:
        shares = [1.0 if name in ended else watch.share() for name, watch in watches.items()]
        share = sum(shares) / len(shares)
        progress(f"training {counted(len(runs), 'run')}", round(SHARES * share), SHARES)

    for each in rounds:
        jobs = [_job(run, plan, gpus) for run in each]
        for outcome in executor.run(jobs, Path(plan["out"]), on_wait=report, on_stop=None):
            if outcome.error is not None:
                raise outcome.error
            ended.add(outcome.job.id)
            yield entry_from(outcome.value)


def _job(run: Run, plan: Mapping[str, Any], gpus: float) -> Job:
    recipe = run.recipe.model_dump(mode="json")
    arguments = {"recipe": recipe, "seed": run.seed, "plan": dict(plan)}
    return Job(run.folder.name, FUNCTION, arguments, gpus=gpus)


def entry_to(entry: LeaderboardEntry) -> dict[str, Any]:
    """Return an entry as plain values."""
    return asdict(entry)


def entry_from(values: Mapping[str, Any]) -> LeaderboardEntry:
    """Return the entry of plain values."""
    cost = values["cost"]
    if cost is not None:
        cost = TrainingCost(**{**cost, "parameters": tuple(cost["parameters"])})
    curve = [tuple(point) for point in values["curve"]]
    return LeaderboardEntry(**{**values, "cost": cost, "curve": curve})


def machine_of(folder: Path) -> str:
    """Say in words which machine has trained a run."""
    environment = read_environment(folder / "environment.json")
    return f"{environment.device} of {environment.processor}, torch {environment.torch}"
