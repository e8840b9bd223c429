"""Write docs/benchmark.md and its chart from docs/benchmark.jsonl.

Three seeds of every recipe take hours, so they are trained in parts, on a GPU or on some cores:

    inkgan benchmark --quick --minutes 6.7 --workers 42 --json > part.json   # all, on one GPU
    inkgan benchmark --quick --minutes 20 --workers 2 --seeds 0 --json > part.json
    python docs/benchmark_page.py part.json

The last command adds the runs of a part to docs/benchmark.jsonl, each with what the page shows
of it, in place of an earlier run of the same recipe and seed. The page is written as soon as
every recipe has a run.
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inkgan.evaluation.benchmark_jobs import entry_from
from inkgan.evaluation.benchmark_plan import SEEDS, mnist_recipes
from inkgan.evaluation.report.leaderboard_page import BenchmarkSettings, Leaderboard
from inkgan.metrics.metric_registry import METRIC_SPECS, current_key

PAGE = Path(__file__).with_name("benchmark.md")
ENTRIES = PAGE.with_suffix(".jsonl")
COMMAND = "python docs/benchmark_page.py"
BUDGET = """full length or, where that takes longer, of 6.7 minutes of a GPU which 42 runs share, or
20 minutes of one core"""
SETTINGS = BenchmarkSettings(
    COMMAND, None, "quick", "mnist", len(mnist_recipes()) * len(SEEDS), "wall", BUDGET
)
SHOWN = ("verdict", "scores", "style_consistency", "seconds")  # of a report, on the page
LEFT_OUT = ("replicates",)  # of a score: most of its bytes, which only `compare` needs

Key = tuple[str, int]


def main() -> None:
    """Add the runs of the files given, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", type=Path, nargs="*", help="what `inkgan benchmark --json` wrote")
    entries = read(ENTRIES)
    for path in parser.parse_args().files:
        document = json.loads(path.read_text(encoding="utf-8"))
        entries |= {key_of(entry): trimmed(entry) for entry in document["entries"]}
    ordered = sorted(entries.values(), key=key_of)
    ENTRIES.write_text("".join(f"{json.dumps(entry)}\n" for entry in ordered), encoding="utf-8")
    if has_every_recipe(entries):
        board(ordered).save(PAGE)


def has_every_recipe(entries: Iterable[Key]) -> bool:
    """Return whether every recipe for MNIST has a run."""
    return set(mnist_recipes()) <= {name for name, _ in entries}


def read(path: Path) -> dict[Key, dict[str, Any]]:
    """Read the runs that are known, by recipe and seed."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {key_of(entry): entry for entry in map(json.loads, lines)}


def board(entries: Iterable[dict[str, Any]]) -> Leaderboard:
    """Return the leaderboard of runs."""
    return Leaderboard(tuple(map(entry_from, entries)), SETTINGS)


def key_of(entry: dict[str, Any]) -> Key:
    """Return the recipe and the seed of a run."""
    return entry["name"], entry["seed"]


def trimmed(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what the page shows of a run."""
    document = entry["document"]
    if document is None:
        return entry
    scores = [
        {key: value for key, value in score.items() if key not in LEFT_OUT}
        for score in document["scores"]
        if current_key(score["key"]) in METRIC_SPECS
    ]
    shown = {key: document[key] for key in SHOWN} | {"scores": scores}
    return {**entry, "document": shown}


if __name__ == "__main__":
    main()
