"""The benchmark: recipes and seeds trained for the same time, and judged alike."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from inkgan import files
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES, get_recipe
from inkgan.config.serialize import override
from inkgan.errors import ConfigError, DataError, TrainingStopped
from inkgan.evaluation.evaluate import evaluate
from inkgan.evaluation.report.leaderboard import Effort, Entry
from inkgan.generation.generator import Generator
from inkgan.generation.load import load
from inkgan.io.run_dir import Run
from inkgan.metrics.checkpoint_scorer import DISTANCE
from inkgan.models.build import build_discriminator, count_parameters
from inkgan.runs.api import train
from inkgan.runs.events import Event, Finished, Started
from inkgan.types import Progress, silent

REAL = "real training images"
EVALUATIONS = 12  # of a run on its way: points enough for a curve
LEAST_SECONDS = 6.0  # between two of them: each takes a second or so of the budget
FIRST_LEG = 0.05  # of the budget: what a recipe's speed is taken from
Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Plan:
    """What is trained and how it is judged.

    Attributes:
        recipes: names or .toml files.
        minutes: of training for each run, over all interruptions; None trains the whole recipe.
        out: folder of the run folders; what is there already is gone on with, or only judged.
        also: trained generators that are judged beside them: run folders, bundles or names.
    """

    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    minutes: float | None
    protocol: Literal["quick", "full"]
    out: Path
    reference: str = "mnist"
    data_dir: Path | None = None
    also: tuple[str, ...] = ()

    @property
    def runs(self) -> int:
        """The number of training runs."""
        return len(self.recipes) * len(self.seeds)


def mnist_recipes() -> tuple[str, ...]:
    """Name the recipes that train on MNIST itself."""
    return tuple(name for name, recipe in RECIPES.items() if recipe.data.name == "mnist")


def benchmark(
    plan: Plan, progress: Progress = silent, on_event: Listener | None = None
) -> Iterator[Entry]:
    """Judge real images and what is given, then train and judge every recipe, seed after seed.

    What may be missing is asked for before hours are spent; a run that fails does not end the
    others. The same call again goes on where it was stopped.

    Raises:
        InkganError: a recipe, the data or a folder cannot be.
    """
    recipes = _checked(plan)
    given = {source: load(source) for source in plan.also}
    document = _judged(f"data:{plan.reference}", plan.out / "real", plan, progress)
    yield Entry(REAL, "real", document=document)
    for source, sampler in given.items():
        folder = plan.out / ("given-" + re.sub(r"[^\w.-]+", "-", source).strip("-"))
        document = _judged(source, folder, plan, progress)
        yield Entry(f"{source}, as given", "given", document=document, effort=_known(sampler))
    for seed in plan.seeds:
        for recipe in recipes:
            yield _trained(recipe, seed, plan, progress, on_event)


def seconds_left(entries: list[Entry], plan: Plan) -> float | None:
    """Estimate how long the missing runs take; None where whole recipes are trained."""
    if plan.minutes is None:
        return None
    judged = [entry.document["seconds"] for entry in entries if entry.document is not None]
    missing = plan.runs - sum(entry.role == "trained" for entry in entries)
    return float(missing * (60 * plan.minutes + (median(judged) if judged else 0.0)))


def _checked(plan: Plan) -> list[Recipe]:
    if not plan.recipes or not plan.seeds:
        raise ConfigError("a benchmark needs a recipe and a seed at least")
    recipes = [get_recipe(name) for name in plan.recipes]
    named = {
        "--recipes": [recipe.name for recipe in recipes],
        "--seeds": list(map(str, plan.seeds)),
        "--also": list(plan.also),
    }
    for flag, values in named.items():
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ConfigError(f"{flag} has {twice} twice: a run counts once; leave one out")
    return recipes


def _trained(
    recipe: Recipe, seed: int, plan: Plan, progress: Progress, on_event: Listener | None
) -> Entry:
    """Train and judge one run; one that breaks down is an entry too, and says why."""
    folder = plan.out / f"{recipe.name}-{seed}"
    heard: list[Event] = []

    def listen(event: Event) -> None:
        if isinstance(event, Started | Finished):
            heard.append(event)
        if on_event is not None:
            on_event(event)

    document, failure = None, ""
    wanted = override(recipe, {"seed": seed}, f"--seeds {seed}")
    try:
        if plan.minutes is not None:
            wanted = _paced(wanted, plan, plan.minutes, listen)
        _train(wanted, folder, plan, plan.minutes, listen)
    except TrainingStopped as error:
        failure = str(error)
    else:
        try:
            document = _judged(folder, folder, plan, progress)
        except DataError as error:  # such as nothing but black images
            failure = f"It cannot be judged: {error}"
    rows = Run.open(folder).rows()
    return Entry(
        recipe.name,
        "trained",
        seed,
        document,
        failure,
        _effort(heard, rows),
        curve=[(r["seconds"], r[DISTANCE]) for r in rows if DISTANCE in r and r["images"] > 0],
        machine=_machine(folder),
    )


def _train(
    recipe: Recipe, folder: Path, plan: Plan, minutes: float | None, listen: Listener
) -> None:
    train(recipe, out=folder, minutes=minutes, data_dir=plan.data_dir, on_event=listen)


def _paced(recipe: Recipe, plan: Plan, minutes: float, listen: Listener) -> Recipe:
    """Return the recipe with its evaluations spread over the budget.

    The first seed's first leg tells how fast the recipe is; its other seeds evaluate after as many
    images. A run that is gone on with keeps its pace, unless the budget has become another.
    """
    first = plan.out / f"{recipe.name}-{plan.seeds[0]}"
    speed = _speed(first)
    if speed is None and recipe.seed == plan.seeds[0]:
        leg = min(max(FIRST_LEG * minutes, LEAST_SECONDS / 60), minutes)
        _train(recipe, first, plan, leg, listen)
        speed = _speed(first)
    if speed is None:
        return recipe
    images = speed * max(60 * minutes / EVALUATIONS, LEAST_SECONDS)
    rounded = round(images, 1 - math.floor(math.log10(images)))
    held = Run.open(first).recipe.schedule.evaluation_interval
    every = held if held is not None and 0.5 < held / images < 2 else max(1, int(rounded))
    return override(recipe, {"schedule.evaluation_interval": every}, "the benchmark's pace")


def _speed(folder: Path) -> float | None:
    """Return the images that a run has seen a second so far, if it has begun to see any."""
    if not (folder / "recipe.toml").is_file():
        return None
    run = Run.open(folder)
    saved = run.load_checkpoint("last")
    if saved is None or not saved[1]["step"]:
        return None
    return float(saved[1]["step"] * run.recipe.schedule.images_per_step / saved[1]["seconds"])


def _judged(source: str | Path, out: Path, plan: Plan, progress: Progress) -> dict[str, Any]:
    return evaluate(
        source,
        protocol=plan.protocol,
        out=out,
        reference=plan.reference,
        data_dir=plan.data_dir,
        progress=progress,
    ).to_dict()


def _effort(heard: list[Event], rows: list[dict[str, Any]]) -> Effort | None:
    """Sum up what a run has cost; None if it was stopped on the way."""
    started = next((event for event in heard if isinstance(event, Started)), None)
    finished = next((event for event in reversed(heard) if isinstance(event, Finished)), None)
    if started is None or finished is None:
        return None
    speeds = [row["images_per_second"] for row in rows if "images_per_second" in row]
    return Effort(
        started.parameters,
        finished.images,
        started.total_images,
        finished.seconds,
        median(speeds) if speeds else None,
    )


def _known(sampler: Generator) -> Effort:
    """Return what a bundle tells of its cost."""
    bundle = sampler.bundle
    discriminator = build_discriminator(bundle.recipe.model, bundle.shape, bundle.recipe.seed)
    networks = bundle.generator(), discriminator
    generator, judge = (count_parameters(network) for network in networks)
    return Effort((generator, judge), bundle.images_seen)


def _machine(folder: Path) -> str:
    held = files.read_json(folder / "environment.json")
    return f"{held['device']} of {held['processor']}, torch {held['torch']}"
