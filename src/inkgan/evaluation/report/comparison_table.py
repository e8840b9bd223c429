"""The judge's scores in a comparison: runs of one recipe are its seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan.config import Recipe
from inkgan.evaluation.paired import PairedDifference, paired_comparison
from inkgan.evaluation.report_document import REPORT, read_report
from inkgan.evaluation.score import Score
from inkgan.io.run_dir import Run
from inkgan.metrics.spec import METRIC_SPECS


@dataclass(frozen=True)
class Contest:
    """Two recipes (or two runs) by the judge's scores.

    Attributes:
        one: name of the first, `other` of the second.
        differences: metric by metric; empty where `missing` says why.
        missing: what keeps them from being compared, in words.
    """

    one: str
    other: str
    differences: list[PairedDifference]
    missing: str = ""

    @property
    def sentence(self) -> str:
        """What the numbers say, in words."""
        if self.missing:
            return self.missing
        real = [difference for difference in self.differences if difference.significant]
        basis = self.differences[0].basis
        if not real:
            return f"No difference shown between {self.one} and {self.other} ({basis})."
        better = [METRIC_SPECS[d.key].title for d in real if d.second_is_better]
        worse = [METRIC_SPECS[d.key].title for d in real if not d.second_is_better]
        sides = ((self.other, better), (self.one, worse))
        parts = [f"{name} is better by {', '.join(titles)}" for name, titles in sides if titles]
        equal = len(self.differences) - len(real)
        rest = f"; no difference shown in {equal} of {len(self.differences)}" if equal else ""
        return f"{'; '.join(parts)}{rest} ({basis})."

    def rows(self) -> list[dict[str, str]]:
        """Return the table, one row a metric."""
        specs = [METRIC_SPECS[d.key] for d in self.differences]
        return [
            {
                "metric": spec.title,
                "one": spec.format(d.one),
                "other": spec.format(d.other),
                "floor": spec.format(d.baseline),
                "gap": spec.format_interval(d.gap.low, d.gap.high),
                "finding": "no difference shown"
                if not d.significant
                else f"{self.other if d.second_is_better else self.one} is better",
            }
            for spec, d in zip(specs, self.differences, strict=True)
        ]


def contests(runs: Sequence[tuple[str, Run]]) -> list[Contest]:
    """Hold each recipe's judged runs against the first recipe's; several seeds are paired.

    Runs of the same recipe with the same seed are compared one by one.
    """
    groups = _by_recipe(runs)
    if len(groups) < 2:
        groups = [(name, [(name, run)]) for name, run in runs]
    (first, first_runs), *others = groups
    return [_contest(first, first_runs, name, members) for name, members in others]


def _contest(
    one: str, one_runs: list[tuple[str, Run]], other: str, other_runs: list[tuple[str, Run]]
) -> Contest:
    judged: list[dict[int, dict[str, Score]]] = [{}, {}]
    means: dict[tuple[Any, ...], str] = {}
    for side, members in zip(judged, (one_runs, other_runs), strict=True):
        for name, run in members:
            document = _report(run.path)
            if document is None:
                missing = f"{name} has not been judged: inkgan evaluate {run.path}"
                return Contest(one, other, [], missing)
            means.setdefault(_means(document), name)
            scores = [Score.from_dict(row) for row in document["scores"]]
            side[run.recipe.seed] = {score.key: score for score in scores}
    if len(means) > 1:
        first, second, *_ = means.values()
        missing = f"{first} and {second} were judged by other means; judge both again"
        return Contest(one, other, [], missing)
    return Contest(one, other, paired_comparison(judged[0], judged[1]))


def _means(document: dict[str, Any]) -> tuple[Any, ...]:
    """Return what two judgements must have in common if their scores are to be compared."""
    return document["extractors"], document["reference"]["digest"], document["counts"]["set_size"]


def _report(folder: Path) -> dict[str, Any] | None:
    path = folder / REPORT
    if not path.is_file():
        return None
    return read_report(path)


def _by_recipe(runs: Sequence[tuple[str, Run]]) -> list[tuple[str, list[tuple[str, Run]]]]:
    """Group runs whose recipes differ in nothing but the seed."""
    groups: list[tuple[Recipe, list[tuple[str, Run]]]] = []
    for name, run in runs:
        unseeded = run.recipe.model_copy(update={"seed": 0})
        known = next((members for recipe, members in groups if recipe == unseeded), None)
        if known is None:
            groups.append((unseeded, [(name, run)]))
        else:
            known.append((name, run))
    return [
        (members[0][0] if len(members) == 1 else f"{recipe.name} ({len(members)} runs)", members)
        for recipe, members in groups
    ]
