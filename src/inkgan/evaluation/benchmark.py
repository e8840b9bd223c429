"""The benchmark: recipes and seeds trained for the same time, and evaluated alike."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES, get_recipe
from inkgan.config.serialize import override, parse_recipe
from inkgan.device import choose_device
from inkgan.errors import ConfigError, DataError, TrainingStopped
from inkgan.evaluation.benchmark_jobs import Run, entries_of_jobs, entry_to, machine_of
from inkgan.evaluation.evaluate import evaluate
from inkgan.evaluation.report.leaderboard import LeaderboardEntry, TrainingCost
from inkgan.evaluation.report.leaderboard_page import BenchmarkSettings, Leaderboard
from inkgan.execution.executor import On, check_workers, choose_executor
from inkgan.generation.generator import Generator
from inkgan.generation.load import load
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.checkpoint_scorer import DISTANCE
from inkgan.models.build import build_discriminator, count_parameters
from inkgan.runs.api import train
from inkgan.runs.events import Event, Finished, Started
from inkgan.runs.run_watch import training_speed
from inkgan.runs.training_job import check_travels, wait_for_lock
from inkgan.types import Clock, Progress, silent

REAL = "real training images"
MINUTES, QUICK_MINUTES = 4.0, 0.5
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
NUM_EVALUATIONS = 12  # during a run: enough points for a curve
MIN_SECONDS = 6.0  # between two of them: each takes about a second of the budget
SPEED_SHARE = 0.05  # of the budget: trained first, to measure the speed of a recipe
Listener = Callable[[Event], None]


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


def benchmark(
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
    progress: Progress = silent,
) -> Leaderboard:
    """Train and evaluate many recipes alike, and return their leaderboard.

    The same call again continues where it was stopped. A run that fails does not end the others.
    For one entry at a time, such as for one's own display, use `run_benchmark`.

    Args:
        recipes: names or .toml files; None takes all recipes for MNIST.
        seeds: of training; 0, 1 and 2 by default, with `quick` 0 alone.
        minutes: of training for each run; 4 by default, with `quick` 0.5.
        whole: train whole recipes, however long they take.
        quick: use the quick protocol and the shorter defaults.
        also: trained generators to evaluate beside them: run folders, bundles or names.
        out: folder of the run folders; "runs/benchmark" by default, with `quick`
            "runs/benchmark-quick".
        reference: the data set of real digits.
        data_dir: where to look for data first.
        on: processes of this machine (local), or a Ray cluster (ray).
        workers: the most runs at a time, a core each. By default one run after another, with all
            cores; on a cluster, as many as it has cores. With a core each, minutes are those of
            the core, so that a busy machine changes nothing but how long it takes.
        address: of the Ray cluster.
        progress: called with (what, done, total) during evaluations.

    Returns:
        The leaderboard: it shows itself in a notebook; `.save("benchmark.md")` writes a page.

    Raises:
        InkganError: a recipe, the data or a folder is impossible or missing.

    Examples:
        >>> board = inkgan.benchmark(["mlp", "dcgan"], quick=True)  # doctest: +SKIP
    """
    plan = plan_benchmark(
        recipes,
        seeds=seeds,
        minutes=minutes,
        whole=whole,
        quick=quick,
        also=also,
        out=out,
        reference=reference,
        data_dir=data_dir,
        on=on,
        workers=workers,
        address=address,
    )
    entries = tuple(run_benchmark(plan, progress))
    return Leaderboard(entries, plan.settings("inkgan.benchmark"))


def run_benchmark(
    plan: BenchmarkPlan, progress: Progress = silent, on_event: Listener | None = None
) -> Iterator[LeaderboardEntry]:
    """Evaluate real images and given generators, then train and evaluate every recipe.

    The first seed of all recipes comes first. Everything that may be missing is loaded before
    training begins.

    Args:
        plan: what to train and how to evaluate it.
        progress: called with (what, done, total) during evaluations.
        on_event: called with the events of the training runs.

    Yields:
        An entry after each evaluation.

    Raises:
        InkganError: a recipe, the data or a folder is impossible or missing.
    """
    recipes = _check_plan(plan)
    given = {source: load(source) for source in plan.also}
    document = _evaluated(f"data:{plan.reference}", plan.out / "real", plan, progress)
    yield LeaderboardEntry(REAL, "real", document=document)
    for source, generator in given.items():
        folder = plan.out / ("given-" + re.sub(r"[^\w.-]+", "-", source).strip("-"))
        document = _evaluated(source, folder, plan, progress)
        cost = _known_cost(generator)
        yield LeaderboardEntry(f"{source}, as given", "given", document=document, cost=cost)
    if plan.side_by_side:
        rounds = [
            [Run(recipe, seed, _folder(recipe, seed, plan)) for seed in seeds for recipe in recipes]
            for seeds in (plan.seeds[:1], plan.seeds[1:])
        ]
        executor = choose_executor(plan.on, plan.workers, plan.address)
        yield from entries_of_jobs(rounds, _plain(plan), plan.minutes, executor, progress)
        return
    for seed in plan.seeds:
        for recipe in recipes:
            yield _trained(recipe, seed, plan, progress, on_event)


def run_in_job(recipe: dict[str, Any], seed: int, plan: dict[str, Any]) -> dict[str, Any]:
    """Train and evaluate one run, as a job does; return its entry as plain values."""
    paths = {
        "out": Path(plan["out"]),
        "data_dir": Path(plan["data_dir"]) if plan["data_dir"] else None,
    }
    lists = {key: tuple(plan[key]) for key in ("recipes", "seeds", "also")}
    whole = BenchmarkPlan(**{**plan, **lists, **paths})
    chosen = parse_recipe(recipe)
    wait_for_lock(_folder(chosen, seed, whole))
    return entry_to(_trained(chosen, seed, whole, silent, None))


def _plain(plan: BenchmarkPlan) -> dict[str, Any]:
    """Return a plan as plain values, with paths that do not depend on the working folder."""
    folders = {"out": str(plan.out.resolve())}
    folders["data_dir"] = str(plan.data_dir.resolve()) if plan.data_dir else ""
    return {**asdict(plan), **folders}


def _folder(recipe: Recipe, seed: int, plan: BenchmarkPlan) -> Path:
    return plan.out / f"{recipe.name}-{seed}"


def seconds_left(entries: Sequence[LeaderboardEntry], plan: BenchmarkPlan) -> float | None:
    """Estimate how long the missing runs take; None where whole recipes are trained."""
    if plan.minutes is None:
        return None
    evaluated = [entry.document["seconds"] for entry in entries if entry.document is not None]
    missing = plan.num_runs - sum(entry.role == "trained" for entry in entries)
    return float(missing * (60 * plan.minutes + (median(evaluated) if evaluated else 0.0)))


def _check_plan(plan: BenchmarkPlan) -> list[Recipe]:
    if not plan.recipes or not plan.seeds:
        raise ConfigError("`recipes` and `seeds` must hold at least one recipe and one seed")
    recipes = [get_recipe(name) for name in plan.recipes]
    check_workers(plan.workers)
    for recipe in recipes if plan.side_by_side else ():
        check_travels(recipe)
    named = {
        "recipes": [recipe.name for recipe in recipes],
        "seeds": list(map(str, plan.seeds)),
        "also": list(plan.also),
    }
    for parameter, values in named.items():
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ConfigError(f"`{parameter}` holds {twice!r} twice; leave one out")
    return recipes


def _trained(
    recipe: Recipe, seed: int, plan: BenchmarkPlan, progress: Progress, on_event: Listener | None
) -> LeaderboardEntry:
    """Train and evaluate one run; one that fails is an entry too, with the reason."""
    folder = _folder(recipe, seed, plan)
    events: list[Event] = []

    def collect(event: Event) -> None:
        if isinstance(event, Started | Finished):
            events.append(event)
        if on_event is not None:
            on_event(event)

    document, failure = None, ""
    wanted = override(recipe, {"seed": seed}, f"`seeds` {seed}")
    try:
        if plan.minutes is not None:
            wanted = _with_evaluations(wanted, plan, plan.minutes, collect)
        _train(wanted, folder, plan, plan.minutes, collect)
    except TrainingStopped as error:
        failure = str(error)
    else:
        try:
            document = _evaluated(folder, folder, plan, progress)
        except DataError as error:  # such as nothing but black images
            failure = f"The images cannot be evaluated: {error}"
    rows = RunFolder.open(folder).rows()
    return LeaderboardEntry(
        recipe.name,
        "trained",
        seed,
        document,
        failure,
        _cost(events, rows),
        curve=[(r["seconds"], r[DISTANCE]) for r in rows if DISTANCE in r and r["images"] > 0],
        machine=machine_of(folder),
    )


def _train(
    recipe: Recipe, folder: Path, plan: BenchmarkPlan, minutes: float | None, listener: Listener
) -> None:
    train(
        recipe,
        out=folder,
        minutes=minutes,
        clock=plan.clock,
        data_dir=plan.data_dir,
        on_event=listener,
    )


def _with_evaluations(
    recipe: Recipe, plan: BenchmarkPlan, minutes: float, listener: Listener
) -> Recipe:
    """Return the recipe with its evaluations spread over the budget.

    The first part of the first seed measures how fast the recipe is; its other seeds evaluate
    after the same numbers of images. A continued run keeps its interval, unless the budget changed.
    """
    first = _folder(recipe, plan.seeds[0], plan)
    speed = training_speed(first)
    if speed is None and recipe.seed == plan.seeds[0]:
        part = min(max(SPEED_SHARE * minutes, MIN_SECONDS / 60), minutes)
        _train(recipe, first, plan, part, listener)
        speed = training_speed(first)
    if speed is None:
        return recipe
    images = speed * max(60 * minutes / NUM_EVALUATIONS, MIN_SECONDS)
    rounded = round(images, 1 - math.floor(math.log10(images)))
    interval = RunFolder.open(first).recipe.schedule.evaluation_interval
    if interval is None or not 0.5 < interval / images < 2:
        interval = max(1, int(rounded))
    return override(recipe, {"schedule.evaluation_interval": interval}, "the benchmark")


def _evaluated(
    source: str | Path, out: Path, plan: BenchmarkPlan, progress: Progress
) -> dict[str, Any]:
    return evaluate(
        source,
        protocol=plan.protocol,
        out=out,
        reference=plan.reference,
        data_dir=plan.data_dir,
        progress=progress,
    ).to_dict()


def _cost(events: list[Event], rows: list[dict[str, Any]]) -> TrainingCost | None:
    """Sum up what a run has cost; None if it was stopped early."""
    started = next((event for event in events if isinstance(event, Started)), None)
    finished = next((event for event in reversed(events) if isinstance(event, Finished)), None)
    if started is None or finished is None:
        return None
    speeds = [row["images_per_second"] for row in rows if "images_per_second" in row]
    return TrainingCost(
        started.parameters,
        finished.images,
        started.total_images,
        finished.seconds,
        median(speeds) if speeds else None,
    )


def _known_cost(generator: Generator) -> TrainingCost:
    """Return what a bundle says about its cost."""
    bundle = generator.bundle
    discriminator = build_discriminator(bundle.recipe.model, bundle.shape, bundle.recipe.seed)
    networks = bundle.generator(), discriminator
    first, second = (count_parameters(network) for network in networks)
    return TrainingCost((first, second), bundle.images_seen)
