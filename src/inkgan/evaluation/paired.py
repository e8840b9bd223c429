"""Is the difference between two generators real? Their scores, seed by seed or image by image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inkgan.evaluation.score import Score
from inkgan.metrics.metric_registry import METRIC_SPECS
from inkgan.metrics.stats.intervals import Interval, differs, normal_interval, paired_interval

Scores = Mapping[str, Score]
SHARED_SEEDS = 2  # fewer say nothing about seeds


@dataclass(frozen=True)
class PairedDifference:
    """One metric of two generators.

    Attributes:
        key: the metric.
        one: mean value of the first, `other` of the second.
        gap: other minus one, with its 95 % interval.
        baseline: what real images score.
        basis: what the interval covers, in words.
    """

    key: str
    one: float
    other: float
    gap: Interval
    baseline: float
    basis: str

    @property
    def significant(self) -> bool:
        """Whether the interval excludes "no difference"."""
        return differs(self.gap)

    @property
    def second_is_better(self) -> bool:
        """Whether the second is better, by the metric's own direction."""
        spec = METRIC_SPECS[self.key]
        return spec.excess(self.other, self.baseline) < spec.excess(self.one, self.baseline)


def paired_comparison(
    one: Mapping[int, Scores], other: Mapping[int, Scores]
) -> list[PairedDifference]:
    """Compare two generators by the scores of their runs, given by training seed.

    With two or more seeds in common the interval is the paired t-interval over these seeds.
    Otherwise it is that of the images alone, and says nothing about another training run.

    Args:
        one: for each training seed the scores by metric, such as `report.scores`.
        other: the same of the other generator.

    Returns:
        One difference for each metric that all of them have, in the usual order.
    """
    shared = sorted(set(one) & set(other))
    if len(shared) >= SHARED_SEEDS:
        return _by_seeds([one[seed] for seed in shared], [other[seed] for seed in shared])
    return _by_images(next(iter(one.values())), next(iter(other.values())))


def _by_seeds(one: Sequence[Scores], other: Sequence[Scores]) -> list[PairedDifference]:
    basis = f"{len(one)} paired seeds"
    found = []
    for key in _common(*one, *other):
        first, second = ([scores[key].value for scores in side] for side in (one, other))
        gap = paired_interval(second, first)
        baseline = one[0][key].baseline.mean
        means = sum(first) / len(first), sum(second) / len(second)
        found.append(PairedDifference(key, *means, gap, baseline, basis))
    return found


def _by_images(one: Scores, other: Scores) -> list[PairedDifference]:
    basis = "one run each: the interval covers the images drawn, not another training"
    found = []
    for key in _common(one, other):
        first, second = one[key], other[key]
        error = math.hypot(_error(first), _error(second))
        gap = normal_interval(second.value - first.value, error)
        baseline = first.baseline.mean
        found.append(PairedDifference(key, first.value, second.value, gap, baseline, basis))
    return found


def _error(score: Score) -> float:
    """Recover a standard error from a 95 % interval, the wider side of it."""
    return score.margin / 1.96


def _common(*all_scores: Scores) -> list[str]:
    return [key for key in METRIC_SPECS if all(key in scores for scores in all_scores)]
