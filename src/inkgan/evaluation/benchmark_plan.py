"""The plan of a benchmark: what is trained, for how long, and how it is evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.device import choose_device
from inkgan.errors import ConfigError
from inkgan.evaluation.report.leaderboard_page import BenchmarkSettings
from inkgan.execution.executor import On
from inkgan.types import Clock

MINUTES, QUICK_MINUTES = 4.0, 0.5
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)


@dataclass(frozen=True)
class BenchmarkPlan:
    """What is trained and how it is evaluated; `plan_benchmark` fills in the usual values.

    Attributes:
        recipes: names or .toml files.
        seeds: of training; every recipe is trained with each.
        minutes: of training for each run, over all interruptions; None trains the whole recipe.
        protocol: of the evaluations.
        out: folder of the run folders; runs that exist already are continued.
        reference: the data set of real digits.
        data_dir: where to look for data first.
        also: trained generators to evaluate beside them: run folders, bundles or names.
        on: processes of this machine (local), or a Ray cluster (ray).
        workers: the most runs at a time, a core each; None and 1 mean one run after another with
            all cores, and with `on="ray"` None means as many as the cluster has cores.
        address: of the Ray cluster.
    """

    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    minutes: float | None
    protocol: Literal["quick", "full"]
    out: Path
    reference: str = "mnist"
    data_dir: Path | None = None
    also: tuple[str, ...] = ()
    on: On = "local"
    workers: int | None = None
    address: str | None = None

    @property
    def side_by_side(self) -> bool:
        """Whether several runs are trained at a time."""
        return self.on != "local" or (self.workers or 1) > 1

    @property
    def clock(self) -> Clock:
        """What counts as minutes of training: with a core each, the time of that core.

        So neither the other runs nor other work on the machine changes what a run gets. A process
        that trains on a GPU mostly waits for it, so there it is the time that passes.
        """
        alone = not self.side_by_side or choose_device("auto").type != "cpu"
        return "wall" if alone else "processor"

    @property
    def num_runs(self) -> int:
        """The number of training runs."""
        return len(self.recipes) * len(self.seeds)

    def folder_of(self, recipe: Recipe, seed: int) -> Path:
        """Return the run folder of a recipe and a seed."""
        return self.out / f"{recipe.name}-{seed}"

    def settings(self, command: str) -> BenchmarkSettings:
        """Return what the leaderboard says of this plan; `command` is what started it."""
        return BenchmarkSettings(
            command, self.minutes, self.protocol, self.reference, self.num_runs, self.clock
        )


def plan_benchmark(
    recipes: Sequence[str] | None = None,
    *,
    seeds: Sequence[int] | None = None,
    minutes: float | None = None,
    whole: bool = False,
    quick: bool = False,
    also: Sequence[str | Path] = (),
    out: str | Path | None = None,
    reference: str = "mnist",
    data_dir: str | Path | None = None,
    on: On = "local",
    workers: int | None = None,
    address: str | None = None,
) -> BenchmarkPlan:
    """Return the plan of a benchmark; the arguments are those of `benchmark`.

    Raises:
        ConfigError: `minutes` is not above 0, or is given with `whole`.
    """
    if whole and minutes is not None:
        raise ConfigError(
            f"`whole` trains without a limit, `minutes={minutes:g}` sets one; use one of them"
        )
    if minutes is not None and not minutes > 0:
        raise ConfigError(f"`minutes` must be more than 0, not {minutes:g}")
    folder = "runs/benchmark-quick" if quick else "runs/benchmark"
    return BenchmarkPlan(
        recipes=mnist_recipes() if recipes is None else tuple(recipes),
        seeds=(QUICK_SEEDS if quick else SEEDS) if seeds is None else tuple(seeds),
        minutes=None if whole else minutes or (QUICK_MINUTES if quick else MINUTES),
        protocol="quick" if quick else "full",
        out=Path(folder if out is None else out),
        reference=reference,
        data_dir=None if data_dir is None else Path(data_dir),
        also=tuple(map(str, also)),
        on=on,
        workers=workers,
        address=address,
    )


def mnist_recipes() -> tuple[str, ...]:
    """Name the recipes that train on MNIST itself."""
    return tuple(name for name, recipe in RECIPES.items() if recipe.data.name == "mnist")
