"""The benchmark: recipes and seeds trained in a stated time, judged alike, as one page."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inkgan.api import train
from inkgan.artifacts.run import Run
from inkgan.config import Recipe
from inkgan.errors import ConfigError
from inkgan.evaluation.extractors import Progress, silent
from inkgan.evaluation.score import METRICS, Score, shown
from inkgan.events import Event
from inkgan.judging.evaluate import Judged, evaluate
from inkgan.recipes import get_recipe
from inkgan.toml import replace

COLUMNS = (
    "fd_e1", "fd_e2", "fd_infinity_e1", "precision", "recall", "coverage", "clear",
    "worst_class_recall", "usefulness", "two_sample_auc", "copies",
)  # fmt: skip
HEAD = """Written by `{command}`; do not edit. A run is trained for {budget} at most, and judged by
the {protocol} protocol against the test images of {reference}. ↓ less is better, ↑ more is better,
= nearest to the floor is best; ± is a 95 % interval, at the floor the deviation over draws."""
BETTER = {"lower": "↓", "higher": "↑", "real": "="}


@dataclass(frozen=True)
class Plan:
    """What is trained and how it is judged.

    Attributes:
        minutes: of training for each run, over all interruptions; None trains the whole recipe.
        out: folder of the run folders; what is there already is gone on with, or only judged.
    """

    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    minutes: float | None
    protocol: Literal["quick", "full"]
    out: Path
    reference: str = "mnist"
    data_dir: Path | None = None


@dataclass(frozen=True)
class Entry:
    """A judged run; `run` is None for real images."""

    name: str
    seed: int
    run: Run | None
    judged: Judged


def benchmark(
    plan: Plan, progress: Progress = silent, on_event: Callable[[Event], None] | None = None
) -> Iterator[Entry]:
    """Train and judge every recipe with every seed, then judge real images.

    The same call again goes on where it was stopped.

    Raises:
        InkganError: a recipe, the data or a folder cannot be.
    """
    if not plan.recipes or not plan.seeds:
        raise ConfigError("a benchmark needs a recipe and a seed at least")
    chosen: list[Recipe] = [get_recipe(name) for name in plan.recipes]
    for recipe in chosen:
        for seed in plan.seeds:
            wanted = replace(recipe, {"seed": seed}, f"--seeds {seed}")
            run = train(
                wanted, out=plan.out / f"{recipe.name}-{seed}", minutes=plan.minutes,
                data_dir=plan.data_dir, on_event=on_event,
            )  # fmt: skip
            yield Entry(recipe.name, seed, run, _judged(run.path, run.path, plan, progress))
    real = _judged(f"data:{plan.reference}", plan.out / "real", plan, progress)
    yield Entry("real training images", 0, None, real)


def _judged(source: str | Path, out: Path, plan: Plan, progress: Progress) -> Judged:
    return evaluate(
        source, protocol=plan.protocol, out=out, reference=plan.reference,
        data_dir=plan.data_dir, progress=progress,
    )  # fmt: skip


def page(entries: Sequence[Entry], plan: Plan, command: str) -> str:
    """Return the benchmark as Markdown: a table with the floors under it, and the verdicts."""
    scores = [_scores(entry.judged.document) for entry in entries]
    keys = [key for key in COLUMNS if all(key in row for row in scores)]
    head = ["recipe", "seed", "minutes", "images seen", *(_heading(key) for key in keys)]
    rows = [
        [entry.name, *_effort(entry), *(_cell(row[key]) for key in keys)]
        for entry, row in zip(entries, scores, strict=True)
    ]
    floors = ["*floor: real against real*", "", "", "", *(_floor(scores[0][key]) for key in keys)]
    table = [head, ["---"] * len(head), *rows, floors]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    verdicts = [
        f"- **{entry.name}**, seed {entry.seed}: {' '.join(entry.judged.verdict)}"
        for entry in entries
    ]
    budget = "each recipe's own length" if plan.minutes is None else f"{plan.minutes:g} minutes"
    head_text = HEAD.format(
        command=command, budget=budget, protocol=plan.protocol, reference=plan.reference
    )
    parts = ["# Benchmark", "", head_text, "", *lines, "", "## In words", "", *verdicts, ""]
    return "\n".join(parts)


def _scores(document: dict[str, Any]) -> dict[str, Score]:
    return {row["key"]: Score.from_json(row) for row in document["scores"]}


def _heading(key: str) -> str:
    metric = METRICS[key]
    return f"{metric.title} {BETTER[metric.better]}"


def _effort(entry: Entry) -> list[str]:
    if entry.run is None:
        return ["", "", ""]
    last: dict[str, Any] = {}
    for row in entry.run.rows():
        last |= row
    return [str(entry.seed), f"{last['seconds'] / 60:.1f}", f"{last['images']:,}"]


def _cell(score: Score) -> str:
    return f"{shown(score.key, score.value)} ± {shown(score.key, score.margin)}".replace(
        " % ±", " ±"
    )


def _floor(score: Score) -> str:
    floor = score.floor
    return f"{shown(score.key, floor.mean)} ± {shown(score.key, floor.sd)}".replace(" % ±", " ±")
