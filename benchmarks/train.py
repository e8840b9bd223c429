"""Times the engine and other loops in turn, and says what share of the machine is used.

Run it with: python -m benchmarks.train --help
"""

import argparse
import functools
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from benchmarks.apart import VARIABLES, Apart, Side, Task, Waiting, sides_apart
from benchmarks.ceiling import gemm_gflops, memory_bandwidth, step_flops
from benchmarks.frameworks.environment import REQUIREMENTS, python_of
from benchmarks.frameworks.foreign import Foreign
from benchmarks.frameworks.plan import plan_of
from benchmarks.machine import describe_machine, neighbors
from benchmarks.table import show
from benchmarks.textbook import check_recipe
from inkgan.config import Augment, Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.data.dataset import Dataset, load_dataset
from inkgan.device import compute_settings, default_threads, threads_beside_others
from inkgan.errors import InkganError
from inkgan.files import write_json

FOREVER = 1_000_000  # epochs
LONGEST = 3600  # seconds of one timing


@dataclass(frozen=True)
class Settings:
    """What is measured, and for how long.

    Attributes:
        against: other frameworks, a side each, or two where XLA is an option.
        waiting: other ways in which the engine's OpenMP threads may wait, a side each.
        bfloat16: whether the engine has another side with `optim.precision=bfloat16`.
        busy: numbers of busy processes, each measured by itself.
    """

    recipes: tuple[str, ...] = ("mlp", "vanilla", "dcgan-compact", "dcgan", "dcgan-tutorial")
    data: str = "mnist"
    data_dir: Path | None = None
    rounds: int = 5
    seconds: float = 4.0
    threads: int | None = None
    workers: int = 0
    against: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    bfloat16: bool = False
    busy: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Comparison:
    """One recipe's numbers; speeds are images a second, one for each round and side.

    Attributes:
        ratios: of the engine to each other side, one for each round.
        busy: number of busy processes beside.
        busy_to_the_end: whether all of them were.
    """

    recipe: str
    batch_size: int
    steps: dict[str, int]
    images_per_second: dict[str, list[float]]
    ratios: dict[str, list[float]]
    step_gflop: float
    gemm_gflops: float
    memory_bandwidth: float
    peak_memory_mib: dict[str, float | None]
    busy: int
    busy_to_the_end: bool

    def summary(self) -> dict[str, Any]:
        """Return the fields and what follows from them, ready for JSON."""
        speeds = {side: statistics.median(v) for side, v in self.images_per_second.items()}
        gflops = self.step_gflop * speeds["engine"] / self.batch_size
        return asdict(self) | {
            "median_images_per_second": speeds,
            "ratio": {
                side: {"median": statistics.median(v), "min": min(v), "max": max(v)}
                for side, v in self.ratios.items()
            },
            "engine_gflops": gflops,
            "share_of_gemm": gflops / self.gemm_gflops,
        }


def run_benchmark(settings: Settings) -> dict[str, Any]:
    """Measure every recipe and return all numbers with a description of the machine.

    Raises:
        InkganError: a recipe is unknown, the data cannot be had, or the textbook loop lacks a
            part that the recipe asks for.
    """
    recipes = [_endless(get_recipe(name), settings.data) for name in settings.recipes]
    dataset = load_dataset(recipes[0].data, "train", settings.data_dir)
    for recipe in recipes:  # what cannot be should show before minutes have been spent
        check_recipe(recipe)
        if settings.against:
            plan_of(recipe, dataset.shape)
    for framework in settings.against:
        python_of(framework)
    with compute_settings(threads=settings.threads or default_threads()):
        machine = describe_machine(dataset.digest())
        compared = [
            _compare(recipe, settings, busy).summary()
            for recipe in recipes
            for busy in settings.busy
        ]
    options = asdict(settings) | {"data_dir": None}  # where the files lie is nobody's business
    return {"machine": machine, "settings": options, "recipes": compared}


def _endless(recipe: Recipe, data: str) -> Recipe:
    changes = {"data.name": data, "schedule.epochs": FOREVER, "schedule.images": "none"}
    return override(recipe, changes, f"--data {data}")


def _compare(recipe: Recipe, settings: Settings, busy: int) -> Comparison:
    if settings.against and recipe.data.augment != Augment():
        _say(f"{recipe.name}: without data.augment, which the other frameworks do not know")
        recipe = override(recipe, {"data.augment": Augment()}, "--against")
    dataset = load_dataset(recipe.data, "train", settings.data_dir)
    threads = torch.get_num_threads()
    _say(f"{recipe.name}: what the machine can do")
    gemm = gemm_gflops(threads, min(1.0, settings.seconds))
    bandwidth = memory_bandwidth(seconds=min(0.5, settings.seconds))
    flops = step_flops(recipe, dataset.shape)
    of_engine = _threads_of_engine(busy)
    if of_engine < threads:
        _say(f"{recipe.name}: beside {busy} busy the engine takes {of_engine} of {threads} threads")
    starts = _starts(recipe, dataset, settings, threads, of_engine)
    with sides_apart(starts) as sides:
        planned = (settings.rounds + 2) * len(sides) * settings.seconds
        with neighbors(busy, 60 + 4 * planned) as processes:
            steps = {name: side.warm_up(settings.seconds) for name, side in sides.items()}
            speeds = _take_turns(recipe, sides, steps, settings.rounds)
            to_the_end = all(process.poll() is None for process in processes)
        memory = {name: side.peak_memory() for name, side in sides.items()}
    ours = speeds["engine"]
    ratios = {
        name: [a / b for a, b in zip(ours, theirs, strict=True)]
        for name, theirs in speeds.items()
        if name != "engine"
    }
    return Comparison(
        recipe.name,
        recipe.schedule.batch_size,
        steps,
        speeds,
        ratios,
        flops / 1e9,
        gemm,
        bandwidth,
        memory,
        busy,
        to_the_end,
    )


def _threads_of_engine(busy: int) -> int:
    """Return how many threads a new run of `inkgan train` takes beside busy processes."""
    with neighbors(busy, 30):
        time.sleep(0.5)  # until they are busy
        return threads_beside_others()


def _starts(
    recipe: Recipe, dataset: Dataset, settings: Settings, threads: int, of_engine: int
) -> dict[str, Callable[[], Side]]:
    """Return what starts each side, by its name."""
    engine = Task("engine", recipe, settings.data_dir, of_engine, waiting="adaptive")
    textbook = Task("textbook", recipe, settings.data_dir, threads, settings.workers)
    starts: dict[str, Callable[[], Side]] = {
        "engine": lambda: Apart(engine),
        "textbook": lambda: Apart(textbook),
    }
    if settings.bfloat16:
        halved = override(recipe, {"optim.precision": "bfloat16"})
        starts["engine, bfloat16"] = functools.partial(Apart, replace(engine, recipe=halved))
    for policy in settings.waiting:
        other = replace(engine, waiting=policy, threads=threads)
        starts[f"engine, {policy}"] = functools.partial(Apart, other)
    for framework in settings.against:
        start = functools.partial(Foreign, framework, recipe, dataset, threads)
        starts[framework] = start
        if framework == "tensorflow":  # jax compiles by XLA always
            starts["tensorflow, XLA"] = functools.partial(start, compiled=True)
    return starts


def _take_turns(
    recipe: Recipe, sides: dict[str, Side], steps: dict[str, int], rounds: int
) -> dict[str, list[float]]:
    """Time A B A B ..., so that all of a round meet the machine in the same mood."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for count in range(rounds):
        for name, side in sides.items():
            images = steps[name] * recipe.schedule.batch_size
            speeds[name].append(images / side.timed(steps[name]))
        shown = ", ".join(f"{name} {values[-1]:,.0f}" for name, values in speeds.items())
        _say(f"{recipe.name}: round {count + 1} of {rounds}, images/s: {shown}")
    return speeds


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.train",
        description="Time the engine and other loops in turn.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    usual = Settings()
    add = parser.add_argument
    add("--recipes", default=",".join(usual.recipes), help="names or .toml files, with commas")
    add("--data", default=usual.data, help="a data set, as in inkgan train")
    add("--data-dir", type=Path, help="where to look for data first")
    add("--rounds", type=_whole, default=usual.rounds, help="pairs of timings a recipe")
    add("--seconds", type=_positive, default=usual.seconds, help="of each timing, about")
    add("--threads", type=_whole, help="for each operation; all cores if left out")
    add("--workers", type=_count, default=usual.workers, help="processes of the textbook's loader")
    add(
        "--against",
        type=_names(REQUIREMENTS),
        default="",
        help="tensorflow, jax: installed apart, once",
    )
    add(
        "--waiting",
        type=_names(VARIABLES),
        default="",
        help="engine also with passive, spin or default",
    )
    add("--bfloat16", action="store_true", help="engine also with products in bfloat16")
    add("--busy", type=_counts, default="0", help="busy processes beside, such as 0,1,2,4")
    add("--json", type=Path, help="write everything into this file")
    return parser.parse_args(arguments)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(_count(part.strip()) for part in text.split(","))


def _names(known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        names = tuple(part.strip() for part in text.split(",") if part.strip())
        for name in names:
            if name not in known:
                listed = ", ".join(known)
                raise argparse.ArgumentTypeError(f"{name!r} is unknown; choose from {listed}")
        return names

    return parse


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _whole(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not 0 < value <= LONGEST:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most {LONGEST} seconds")
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 2 for a user's error."""
    options = vars(_parse(arguments))
    path, names = options.pop("json"), options.pop("recipes")
    try:
        recipes = tuple(name.strip() for name in names.split(","))
        result = run_benchmark(Settings(recipes=recipes, **options))
        if path is not None:
            write_json(path, result)
    except InkganError as error:
        _say(f"benchmarks: {error}")
        return 2
    show(result, Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
