"""Times the engine and the textbook loop in turn, and says what share of the machine is used.

Run it with: python -m benchmarks.train --help
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from benchmarks.apart import SIDES, Apart, SideName, Task, sides_apart
from benchmarks.ceiling import gemm_gflops, memory_bandwidth, step_flops
from benchmarks.machine import describe_machine, neighbour
from benchmarks.table import show
from benchmarks.textbook import check_recipe
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.data.dataset import load_dataset
from inkgan.device import compute_settings, default_threads
from inkgan.errors import InkganError
from inkgan.files import write_json

FOREVER = 1_000_000  # epochs
LONGEST = 3600  # seconds of one timing


@dataclass(frozen=True)
class Settings:
    """What is measured, and for how long."""

    recipes: tuple[str, ...] = ("mlp", "dcgan-compact", "dcgan", "dcgan-tutorial")
    data: str = "mnist"
    data_dir: Path | None = None
    rounds: int = 5
    seconds: float = 4.0
    threads: int | None = None
    workers: int = 0
    busy: bool = False


@dataclass(frozen=True)
class Comparison:
    """One recipe's numbers; speeds are images a second, one for each round and side."""

    recipe: str
    batch_size: int
    steps: dict[SideName, int]
    images_per_second: dict[SideName, list[float]]
    ratios: list[float]
    step_gflop: float
    gemm_gflops: float
    memory_bandwidth: float
    peak_memory_mib: dict[SideName, float | None]
    busy: str

    def summary(self) -> dict[str, Any]:
        """Return the fields and what follows from them, ready for JSON."""
        speeds = {side: statistics.median(self.images_per_second[side]) for side in SIDES}
        gflops = self.step_gflop * speeds["engine"] / self.batch_size
        return asdict(self) | {
            "median_images_per_second": speeds,
            "ratio": {
                "median": statistics.median(self.ratios),
                "min": min(self.ratios),
                "max": max(self.ratios),
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
    for recipe in recipes:  # what cannot be should show before minutes have been spent
        check_recipe(recipe)
    digest = load_dataset(recipes[0].data, "train", settings.data_dir).digest()
    with compute_settings(threads=settings.threads or default_threads()):
        machine = describe_machine(digest)
        compared = [_compare(recipe, settings).summary() for recipe in recipes]
    options = asdict(settings) | {"data_dir": None}  # where the files lie is nobody's business
    return {"machine": machine, "settings": options, "recipes": compared}


def _endless(recipe: Recipe, data: str) -> Recipe:
    changes = {"data.name": data, "schedule.epochs": FOREVER, "schedule.images": "none"}
    return override(recipe, changes, f"--data {data}")


def _compare(recipe: Recipe, settings: Settings) -> Comparison:
    dataset = load_dataset(recipe.data, "train", settings.data_dir)
    planned = (2 * settings.rounds + 4) * settings.seconds
    with neighbour(settings.busy, 60 + 4 * planned) as process:
        _say(f"{recipe.name}: what the machine can do")
        gemm = gemm_gflops(torch.get_num_threads(), min(1.0, settings.seconds))
        bandwidth = memory_bandwidth(seconds=min(0.5, settings.seconds))
        flops = step_flops(recipe, dataset.shape)
        threads = torch.get_num_threads()
        tasks = {
            side: Task(side, recipe, settings.data_dir, threads, settings.workers) for side in SIDES
        }
        with sides_apart(tasks) as sides:
            steps = {name: side.warm_up(settings.seconds) for name, side in sides.items()}
            speeds = _take_turns(recipe, sides, steps, settings.rounds)
            memory = {name: side.peak_memory() for name, side in sides.items()}
        busy = "no"
        if process is not None:
            busy = "throughout" if process.poll() is None else "not to the end"
    ratios = [ours / theirs for ours, theirs in zip(*speeds.values(), strict=True)]
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
    )


def _take_turns(
    recipe: Recipe, sides: dict[SideName, Apart], steps: dict[SideName, int], rounds: int
) -> dict[SideName, list[float]]:
    """Time A B A B ..., so that both halves of a pair meet the machine in the same mood."""
    speeds: dict[SideName, list[float]] = {name: [] for name in sides}
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
        description="Time the engine and a textbook loop in turn.",
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
    add("--busy", action="store_true", help="keep one core busy with something else")
    add("--json", type=Path, help="write everything into this file")
    return parser.parse_args(arguments)


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
