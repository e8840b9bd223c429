"""One run of a benchmark: trained for its share of time, then evaluated."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.errors import DataError, TrainingStopped
from inkgan.evaluation.benchmark_jobs import machine_of
from inkgan.evaluation.benchmark_plan import BenchmarkPlan
from inkgan.evaluation.evaluate import evaluate
from inkgan.evaluation.report.leaderboard import LeaderboardEntry, TrainingCost
from inkgan.generation.generator import Generator
from inkgan.generation.load import load
from inkgan.io.run_dir import RunFolder
from inkgan.io.run_paths import RunPaths
from inkgan.metrics.checkpoint_scorer import DISTANCE
from inkgan.models.build import build_discriminator, count_parameters
from inkgan.runs.api import train
from inkgan.runs.events import Event, Finished, Started
from inkgan.runs.run_watch import training_speed
from inkgan.types import Progress

NUM_EVALUATIONS = 12  # during a run: enough points for a curve
MIN_SECONDS = 6.0  # between two of them: each takes about a second of the budget
SPEED_SHARE = 0.05  # of the budget: trained first, to measure the speed of a recipe
Listener = Callable[[Event], None]


def trained_entry(
    recipe: Recipe, seed: int, plan: BenchmarkPlan, progress: Progress, on_event: Listener | None
) -> LeaderboardEntry:
    """Train and evaluate one run; one that fails is an entry too, with the reason."""
    folder = plan.folder_of(recipe, seed)
    events: list[Event] = []

    def collect(event: Event) -> None:
        if isinstance(event, Started | Finished):
            events.append(event)
        if on_event is not None:
            on_event(event)

    document, failure = None, ""
    wanted = override(recipe, {"seed": seed}, f"`seeds` {seed}")
    try:
        if not _is_complete(folder, wanted):
            if plan.minutes is not None:
                wanted = _with_evaluations(wanted, plan, plan.minutes, collect)
            _train(wanted, folder, plan, plan.minutes, collect)
    except TrainingStopped as error:
        failure = str(error)
    else:
        try:
            document = evaluated(folder, folder, plan, progress)
        except DataError as error:  # such as nothing but black images
            failure = f"The images cannot be evaluated: {error}"
    rows = RunFolder.open(folder).rows()
    return LeaderboardEntry(
        recipe.name,
        "trained",
        seed,
        document,
        failure,
        _cost(events, rows) or _cost_of_complete(folder, wanted, rows),
        curve=[(r["seconds"], r[DISTANCE]) for r in rows if DISTANCE in r and r["images"] > 0],
        machine=machine_of(folder),
    )


def _is_complete(folder: Path, recipe: Recipe) -> bool:
    """Tell whether a folder has a run that is over: trained here before, or copied from elsewhere.

    Raises:
        ArtifactError: it is of another recipe.
    """
    if not RunPaths(folder).recipe_path.is_file():
        return False
    run = RunFolder.open(folder)
    run.check_recipe(recipe)
    return run.is_complete(recipe)


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
    first = plan.folder_of(recipe, plan.seeds[0])
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


def evaluated(
    source: str | Path, out: Path, plan: BenchmarkPlan, progress: Progress
) -> dict[str, Any]:
    """Evaluate a source as the plan says; return what report.json holds."""
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
        rows[-1]["seconds"],
        median(speeds) if speeds else None,
    )


def _cost_of_complete(
    folder: Path, recipe: Recipe, rows: list[dict[str, Any]]
) -> TrainingCost | None:
    """Return what a run has cost that was over before; None if it was stopped early."""
    if not RunFolder.open(folder).is_complete(recipe):
        return None
    speeds = [row["images_per_second"] for row in rows if "images_per_second" in row]
    images, seconds = rows[-1]["images"], rows[-1]["seconds"]
    speed = median(speeds) if speeds else None
    return replace(
        known_cost(load(folder)),
        images=images,
        total_images=images,
        seconds=seconds,
        images_per_second=speed,
    )


def known_cost(generator: Generator) -> TrainingCost:
    """Return what a bundle says about its cost."""
    bundle = generator.bundle
    discriminator = build_discriminator(bundle.recipe.model, bundle.shape, bundle.recipe.seed)
    networks = bundle.generator(), discriminator
    first, second = (count_parameters(network) for network in networks)
    return TrainingCost((first, second), bundle.images_seen)
