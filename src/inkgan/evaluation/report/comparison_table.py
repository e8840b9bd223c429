"""The scores in a comparison of runs; runs that differ only in their seed are one recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan.errors import ArtifactError
from inkgan.evaluation.paired import PairedDifference, paired_comparison
from inkgan.evaluation.report.recipe_groups import group_by_recipe
from inkgan.evaluation.report_document import EVALUATE_AGAIN, REPORT, read_report
from inkgan.evaluation.score import Score
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.metric_registry import METRIC_SPECS, NO_NUMBER, known_scores
from inkgan.metrics.stats.intervals import differs
from inkgan.printable import shell_words

SAME = "no significant difference"

# Decides which is better, chosen before any result is known; the other metrics say in what.
DECIDING = "fd_e1"
SHOWN_RUNS = 3  # of those that have not been evaluated
Members = Sequence[tuple[str, RunFolder]]


@dataclass(frozen=True)
class PairedComparison:
    """Two recipes (or two runs), compared by the scores of their reports.

    Attributes:
        first: the name of the first recipe or run.
        second: the name of the second.
        differences: one for each metric; empty where `missing` says why.
        missing: what prevents a comparison, in a sentence.
    """

    first: str
    second: str
    differences: tuple[PairedDifference, ...]
    missing: str = ""

    @property
    def sentence(self) -> str:
        """Which one is better by which metrics, and where the intervals do not tell."""
        if self.missing:
            return self.missing
        significant = [difference for difference in self.differences if difference.significant]
        basis, total = self.differences[0].basis, len(self.differences)
        if not significant:
            return (
                f"No significant difference between {self.first} and {self.second}: every 95 % "
                f"interval of a difference contains 0 ({basis})."
            )
        parts = [self._decision(basis)]
        for name, is_second in ((self.second, True), (self.first, False)):
            won = [d for d in significant if d.second_is_better == is_second and d.key != DECIDING]
            if won:  # titles have commas of their own
                titles = "; ".join(METRIC_SPECS[d.key].title for d in won)
                parts.append(f"{name} is better by {titles}.")
        rest = total - len(significant)
        if rest:
            parts.append(f"No significant difference by {rest} of {total} metrics.")
        return " ".join(parts)

    @property
    def caution(self) -> str:
        """What many comparisons at once mean; empty where there is only one, or none."""
        total = sum(difference.gap is not None for difference in self.differences)
        if total < 2:
            return ""
        by_chance = 1 - 0.95**total
        return (
            f"Each of the {total} intervals covers the truth 95 times in 100. Were two recipes "
            f"equal and their metrics independent, at least one of {total} would still differ in "
            f"{by_chance:.0%} of comparisons: decide by {METRIC_SPECS[DECIDING].title}, and read "
            "the others as a description."
        )

    def _decision(self, basis: str) -> str:
        deciding = next((d for d in self.differences if d.key == DECIDING), None)
        title = METRIC_SPECS[DECIDING].title
        if deciding is None or deciding.gap is None:
            return f"{self.first} and {self.second} cannot be compared by {title} ({basis})."
        if not deciding.significant:
            return f"{self.first} and {self.second} do not differ by {title} ({basis})."
        better, worse = self.first, self.second
        if deciding.second_is_better:
            better, worse = worse, better
        return f"{better} beats {worse} by {title} ({basis})."

    def finding(self, difference: PairedDifference) -> str:
        """Say of one metric which is better, or that the interval does not tell."""
        if difference.gap is None:
            return "no interval"
        if not difference.significant:
            return "different, neither better" if differs(difference.gap) else SAME
        return f"{self.second if difference.second_is_better else self.first} is better"

    def rows(self) -> list[dict[str, str]]:
        """Return the table as texts, one row for each metric."""
        specs = [METRIC_SPECS[d.key] for d in self.differences]
        return [
            {
                "metric": f"{spec.title} {spec.arrow}",
                "first": spec.format(d.one),
                "second": spec.format(d.other),
                "baseline": spec.format(d.baseline),
                "difference": NO_NUMBER
                if d.gap is None
                else spec.format_difference_interval(d.gap.low, d.gap.high),
                "finding": self.finding(d),
            }
            for spec, d in zip(specs, self.differences, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return names, the sentence and the numbers of every metric as plain values."""
        return {
            "first": self.first,
            "second": self.second,
            "sentence": self.sentence,
            "caution": self.caution,
            "metrics": [
                {
                    "metric": d.key,
                    "first": d.one,
                    "second": d.other,
                    "baseline": d.baseline,
                    "difference": None if d.gap is None else d.gap._asdict(),
                    "significant": d.significant,
                    "finding": self.finding(d),
                }
                for d in self.differences
            ],
        }


def compare_scores(runs: Sequence[tuple[str, RunFolder]]) -> list[PairedComparison]:
    """Compare the scores of each recipe with those of the first recipe.

    Runs that differ only in their seed are one recipe, paired by seed. Runs of one and the same
    recipe are compared one by one.

    Args:
        runs: names and run folders, two or more.
    """
    groups = [(group.name, group.members) for group in group_by_recipe(runs)]
    if len(groups) < 2:
        groups = [(name, ((name, run),)) for name, run in runs]
    (first, first_runs), *others = groups
    return [_compare(first, first_runs, name, members) for name, members in others]


def _compare(
    first: str,
    first_runs: Members,
    second: str,
    second_runs: Members,
) -> PairedComparison:
    by_seed: list[dict[int, dict[str, Score]]] = [{}, {}]
    bases: dict[tuple[Any, ...], str] = {}
    unknown = [run for _, run in (*first_runs, *second_runs) if _report(run.path) is None]
    if unknown:
        return PairedComparison(first, second, (), _not_evaluated(first, second, unknown))
    for side, members in zip(by_seed, (first_runs, second_runs), strict=True):
        for name, run in members:
            document = read_report(run.path / REPORT)
            try:
                bases.setdefault(_basis(document), name)
                scores = {row["key"]: Score.from_dict(row) for row in document["scores"]}
            except KeyError as error:
                raise ArtifactError(
                    f"{run.path / REPORT} is damaged: it has no {error.args[0]}; {EVALUATE_AGAIN}"
                ) from error
            side[run.recipe.seed] = known_scores(scores)
    if len(bases) > 1:
        one, other, *_ = bases.values()
        missing = (
            f"{one} and {other} were evaluated with different extractors, reference images or "
            "numbers of images; evaluate both again"
        )
        return PairedComparison(first, second, (), missing)
    return PairedComparison(first, second, tuple(paired_comparison(*by_seed)))


def _not_evaluated(first: str, second: str, runs: Sequence[RunFolder]) -> str:
    paths = [shell_words(run.path) for run in runs[:SHOWN_RUNS]]
    more = f" and {len(runs) - SHOWN_RUNS} more" if len(runs) > SHOWN_RUNS else ""
    return (
        f"No scores to compare {first} with {second}: evaluate {', '.join(paths)}{more} first "
        f"(inkgan evaluate {paths[0]})."
    )


def _basis(document: dict[str, Any]) -> tuple[Any, ...]:
    """Return what two reports must share so that their scores can be compared."""
    return document["extractors"], document["reference"]["digest"], document["counts"]["set_size"]


def _report(folder: Path) -> dict[str, Any] | None:
    path = folder / REPORT
    if not path.is_file():
        return None
    return read_report(path)
