"""The runs of several seeds as a value: each one's best score, their mean and spread."""

import html
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from inkgan.config import Recipe
from inkgan.errors import InkganError
from inkgan.plural import counted, duration
from inkgan.runs.run import Run
from inkgan.runs.run_watch import Scored

SUMMARY = "summary.json"
HEADINGS = ("seed", "best distance", "at images", "images", "trained", "state")


@dataclass(frozen=True)
class SeedRun:
    """The run of one seed, as it ended for now.

    Attributes:
        seed: of the run.
        path: its run folder.
        reason: complete, time is up, interrupted, or failed.
        images: seen in training.
        seconds: of training.
        best: the evaluation of the best checkpoint; None where there is none yet.
        error: why the run failed.
    """

    seed: int
    path: Path
    reason: str
    images: int
    seconds: float
    best: Scored | None = None
    error: InkganError | None = None

    def run(self) -> Run:
        """Open the run folder."""
        folder = Run.open(self.path)
        return Run(folder.path, folder.recipe)

    def cells(self) -> tuple[str, ...]:
        """Return what a table says of the run, below HEADINGS."""
        distance, at = (
            ("-", "-")
            if self.best is None
            else (
                f"{self.best.distance:.2f}",
                f"{self.best.images:,}",
            )
        )
        trained = duration(self.seconds)
        return str(self.seed), distance, at, f"{self.images:,}", trained, self.reason

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "seed": self.seed,
            "path": str(self.path),
            "reason": self.reason,
            "images": self.images,
            "seconds": self.seconds,
            "best": None if self.best is None else self.best._asdict(),
            "error": None if self.error is None else str(self.error),
        }


@dataclass(frozen=True)
class SeedRuns:
    """What `inkgan.train_seeds` returns; in a notebook it shows its table.

    Scores are the Fréchet distances of the checkpoint scorer; lower is better.

    Attributes:
        recipe: what was trained, but for the seed.
        out: the folder of the run folders.
        runs: in the order of the seeds.
    """

    recipe: Recipe
    out: Path
    runs: tuple[SeedRun, ...]

    @property
    def scores(self) -> list[float]:
        """The best score of each run that has one and did not fail."""
        kept = [run.best for run in self.runs if run.reason != "failed"]
        return [best.distance for best in kept if best is not None]

    @property
    def mean(self) -> float:
        """The mean of the scores; NaN without one."""
        return fmean(self.scores) if self.scores else math.nan

    @property
    def sd(self) -> float:
        """The standard deviation of the scores over seeds; NaN below two."""
        return stdev(self.scores) if len(self.scores) > 1 else math.nan

    @property
    def best(self) -> SeedRun | None:
        """The run with the smallest score."""
        scored = [run for run in self.runs if run.best is not None and run.reason != "failed"]
        return min(scored, key=lambda run: run.best.distance if run.best else 0, default=None)

    def summary(self) -> str:
        """Say in a sentence what the scores are."""
        scores = self.scores
        if not scores:
            return "no seed has a score yet"
        of = "" if len(scores) == len(self.runs) else f" of {len(self.runs)}"
        text = f"best distance of {counted(len(scores), 'seed')}{of}: {self.mean:.2f}"
        if len(scores) == 1:
            return text
        return (
            f"{text} ± {self.sd:.2f} (mean and standard deviation), "
            f"from {min(scores):.2f} to {max(scores):.2f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as summary.json holds them."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "mean": None if math.isnan(self.mean) else self.mean,
            "standard_deviation": None if math.isnan(self.sd) else self.sd,
            "runs": [run.to_dict() for run in self.runs],
        }

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in run.cells()) + "</tr>"
            for run in self.runs
        )
        title = html.escape(f"{self.recipe.name}: {self.summary()}")
        return f"<div><strong>{title}</strong><table><tr>{head}</tr>{rows}</table></div>"
