"""Is the difference between two generators real? Their scores, seed by seed or image by image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.evaluation.score import Score
from inkgan.metrics.metric_registry import METRIC_SPECS
from inkgan.metrics.stats.intervals import (
    Interval,
    differs,
    normal_interval,
    paired_interval,
    standard_error_of,
)

Scores = Mapping[str, Score]
SHARED_SEEDS = 2  # fewer say nothing about seeds


@dataclass(frozen=True)
class PairedDifference:
    """One metric of two generators.

    Attributes:
        key: the metric.
        one: mean value of the first, `other` of the second.
        gap: other minus one, with its 95 % interval; None where a score has no interval.
        advantage: how much better the second is, with its 95 % interval; None where `gap` is.
        baseline: what real images score.
        basis: what the interval covers, in words.
    """

    key: str
    one: float
    other: float
    gap: Interval | None
    advantage: Interval | None
    baseline: float
    basis: str

    @property
    def significant(self) -> bool:
        """Whether the interval of the advantage excludes "neither is better"."""
        return self.advantage is not None and differs(self.advantage)

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
    Otherwise it is that of the images alone, and says nothing about another training run. Both
    scores come from the same real images; where they have replicates, what these images add to
    both cancels.

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
        spec, baseline = METRIC_SPECS[key], one[0][key].baseline.mean
        first, second = ([scores[key].value for scores in side] for side in (one, other))
        worse, better = ([spec.excess(v, baseline) for v in side] for side in (first, second))
        gap, advantage = paired_interval(second, first), paired_interval(worse, better)
        means = sum(first) / len(first), sum(second) / len(second)
        found.append(PairedDifference(key, *means, gap, advantage, baseline, basis))
    return found


def _by_images(one: Scores, other: Scores) -> list[PairedDifference]:
    basis = "one run each: the interval covers the images drawn, not another training"
    found = []
    for key in _common(one, other):
        first, second = one[key], other[key]
        baseline = first.baseline.mean
        gap = advantage = None
        if first.interval is not None and second.interval is not None:
            gap = normal_interval(second.value - first.value, _joint_error(first, second, -1))
            advantage = _advantage(first, second)
        found.append(
            PairedDifference(key, first.value, second.value, gap, advantage, baseline, basis)
        )
    return found


def _advantage(first: Score, second: Score) -> Interval:
    """Bound how much nearer to its best value the second score is."""
    spec, baseline = first.spec, first.baseline.mean
    value = spec.excess(first.value, baseline) - spec.excess(second.value, baseline)
    # On different sides of the best value the distances from it add up instead of canceling.
    best = {"lower": -math.inf, "higher": math.inf, "baseline": baseline}.get(spec.direction)
    best = spec.best_value if best is None else best
    opposite = best is not None and min(first.value, second.value) < best < max(
        first.value, second.value
    )
    return normal_interval(value, _joint_error(first, second, 1 if opposite else -1))


def _joint_error(first: Score, second: Score, sign: int) -> float:
    """Return the standard error of second + sign * first."""
    if first.replicates and len(first.replicates) == len(second.replicates):
        both = np.array(second.replicates) + sign * np.array(first.replicates)
        return standard_error_of(both)
    return math.hypot(_error(first), _error(second))


def _error(score: Score) -> float:
    """Return the standard error; of older reports that of the wider side of the interval."""
    return score.margin / 1.96 if score.standard_error is None else score.standard_error


def _common(*all_scores: Scores) -> list[str]:
    return [key for key in METRIC_SPECS if all(key in scores for scores in all_scores)]
