"""What the interval of a score shows: inside the margin of real images, different, or neither."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scipy import special

from inkgan.evaluation.score import Score
from inkgan.metrics.margins import MARGINS
from inkgan.metrics.stats.intervals import Interval

Outcome = Literal["inside", "different", "undecided", "untested"]
LEVEL = 0.05  # of a false "different" among all metrics of an evaluation


@dataclass(frozen=True)
class Finding:
    """One score against its real baseline.

    Attributes:
        score: the score.
        outcome: "inside": the 95 % interval of the difference lies within the margin, which is the
            test of equivalence by two one-sided tests; "different": the interval, widened for the
            number of metrics, excludes 0; "undecided": neither; "untested": there is no interval
            or no margin.
        margin: in the metric's own unit; None where it has none.
    """

    score: Score
    outcome: Outcome
    margin: float | None

    @property
    def difference(self) -> Interval:
        """Value less baseline with its 95 % interval.

        Raises:
            ValueError: the score has no interval.
        """
        if self.score.difference is None:
            raise ValueError(f"{self.score.key} has no interval")
        return self.score.difference

    @property
    def severity(self) -> float:
        """How many margins the value lies from the baseline; 0 where nothing is tested."""
        if not self.margin or self.score.difference is None:
            return 0.0
        return abs(self.score.difference.value) / self.margin

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome and the margin as plain values."""
        return {"key": self.score.key, "outcome": self.outcome, "margin": self.margin}


def findings_of(scores: Mapping[str, Score]) -> dict[str, Finding]:
    """Test every score against its baseline.

    A difference counts only if the interval still excludes 0 after Bonferroni's correction, so
    that real images are called different in at most one evaluation of twenty. Equivalence needs no
    correction: all metrics must lie inside (the intersection-union test of Berger 1982).
    """
    margins = {key: _margin(score) for key, score in scores.items()}
    tested = sum(scores[key].difference is not None for key in margins)
    return {
        key: Finding(score, _outcome(score.difference, margins[key], tested), margins[key])
        for key, score in scores.items()
    }


def _margin(score: Score) -> float | None:
    margin = MARGINS.get(score.key)
    return None if margin is None else margin.at(score.baseline.mean)


def _outcome(difference: Interval | None, margin: float | None, tested: int) -> Outcome:
    if difference is None or margin is None:
        return "untested"
    if max(abs(difference.low), abs(difference.high)) <= margin:
        return "inside"
    wide = _widened(difference, tested)
    return "undecided" if wide.low <= 0 <= wide.high else "different"


def _widened(interval: Interval, tested: int) -> Interval:
    """Widen a 95 % interval so that `tested` of them hold together with 95 %."""
    factor = float(special.ndtri(LEVEL / 2 / max(tested, 1)) / special.ndtri(0.025))
    value, low, high = interval
    return Interval(value, value - factor * (value - low), value + factor * (high - value))
