"""The page of a sweep: one HTML file with its charts, no script, nothing to load."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader

from inkgan.metrics.metric_registry import NO_NUMBER
from inkgan.sweeps.charts import history_chart, parallel_chart
from inkgan.sweeps.search_space import Dimension
from inkgan.sweeps.trial_record import TrialRecord


@dataclass(frozen=True)
class SweepPage:
    """What the page shows.

    Attributes:
        title: recipe and data.
        summary: how the sweep went, in a sentence.
        dimensions: what was searched.
        ranked: the trials, the best one first.
        best: the best complete trial.
        changes: field, value of the recipe, value of the best trial.
        toml: the best recipe.
        best_path: where the best recipe is.
        minutes: of training of each trial; None for whole recipes.
        importances: how much of the variation each field explains.
        facts: names and values that say how the trials were trained.
    """

    title: str
    summary: str
    dimensions: Sequence[Dimension]
    ranked: Sequence[TrialRecord]
    best: TrialRecord | None
    changes: Sequence[tuple[str, str, str]]
    toml: str
    best_path: Path
    minutes: float | None
    importances: dict[str, float]
    facts: Sequence[tuple[str, str]]


def render(page: SweepPage) -> str:
    """Return the HTML of a sweep."""
    environment = Environment(
        loader=PackageLoader("inkgan.sweeps"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("sweep.html").render(
        page=page,
        parallel=parallel_chart(page.dimensions, page.ranked),
        history=history_chart(page.ranked),
        rows=[_row(trial, page.dimensions) for trial in page.ranked],
        fields=[dimension.field for dimension in page.dimensions],
        searched=[(dimension.field, str(dimension)) for dimension in page.dimensions],
    )


def _row(trial: TrialRecord, dimensions: Sequence[Dimension]) -> dict[str, object]:
    values = [trial.values.get(dimension.field) for dimension in dimensions]
    shown = [
        dimension.rounded(v) if v is not None else NO_NUMBER
        for dimension, v in zip(dimensions, values, strict=True)
    ]
    again = "" if trial.retry_of is None else f"does trial {trial.retry_of} again"
    return {
        "number": trial.number,
        "state": {"pruned": "ended early", "failed": "lost"}.get(trial.state, trial.state),
        "distance": NO_NUMBER if trial.distance is None else f"{trial.distance:.2f}",
        "values": [f"{v:.4g}" if isinstance(v, float) else str(v) for v in shown],
        "reason": "; ".join(filter(None, (trial.reason, again))),
    }
