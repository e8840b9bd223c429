"""Intervals round a score: over seeds, over samples, of shares and of differences."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special  # whose functions scipy.stats calls, fifty times as slowly

from inkgan.metrics.validation import checked_values
from inkgan.types import Float64


class Interval(NamedTuple):
    """An estimate and the interval of its confidence level, all in the score's own unit."""

    value: float
    low: float
    high: float


def _mean(values: Float64) -> float:
    return float(values.mean())


def tail(level: float) -> float:
    """Return the probability below the upper end of a two-sided interval."""
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, got {level}")
    return (1 + level) / 2


def t_interval(values: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Bound the mean of independent values (n,), such as a score over seeds, by Student's t.

    Raises:
        ValueError: fewer than two values, NaN or infinity, or a level outside (0, 1).
    """
    numbers = checked_values(values, least=2)
    error = float(numbers.std(ddof=1) / np.sqrt(len(numbers)))
    half = float(special.stdtrit(len(numbers) - 1, tail(level))) * error
    return Interval(_mean(numbers), _mean(numbers) - half, _mean(numbers) + half)


def normal_interval(value: float, standard_error: float, level: float = 0.95) -> Interval:
    """Bound a value that is normal about the truth with a known standard error.

    Raises:
        ValueError: a value that is not finite, an error that is not finite or below 0, or a level
            outside (0, 1).
    """
    if not (np.isfinite(value) and np.isfinite(standard_error) and standard_error >= 0):
        raise ValueError(f"value {value} and standard error {standard_error} give no interval")
    half = float(special.ndtri(tail(level))) * standard_error
    return Interval(value, value - half, value + half)


def mean_interval(mean: float, sd: float, count: int, level: float = 0.95) -> Interval:
    """Bound a mean by the standard deviation of its `count` independent values (Student's t).

    Raises:
        ValueError: fewer than two values, or a level outside (0, 1).
    """
    if count < 2:
        raise ValueError(f"an interval takes at least 2 values, got {count}")
    half = float(special.stdtrit(count - 1, tail(level))) * sd / float(np.sqrt(count))
    return Interval(mean, mean - half, mean + half)


def difference_interval(one: Interval, other: Interval) -> Interval:
    """Bound one - other by the intervals of two independent estimates.

    The method of variance estimates recovery (Zou and Donner 2008): each end uses the sides of
    both intervals that it depends on, so asymmetric ones keep their shape.
    """
    value = one.value - other.value
    below = np.hypot(one.value - one.low, other.high - other.value)
    above = np.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, value - float(below), value + float(above))


def folded(interval: Interval, best: float) -> Interval:
    """Turn the interval of a value into that of its distance from the best value."""
    ends = abs(interval.low - best), abs(interval.high - best)
    low = 0.0 if interval.low <= best <= interval.high else min(ends)
    return Interval(abs(interval.value - best), low, max(ends))


def wilson_interval(successes: float, n: float, level: float = 0.95) -> Interval:
    """Bound a share of `successes` in n independent trials, within 0..1 (Wilson 1927).

    Numbers that are not whole belong to an effective number of trials.

    Raises:
        ValueError: no trials, successes outside 0..n, or a level outside (0, 1).
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} successes of {n} trials are no share")
    z = float(special.ndtri(tail(level)))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    # At 0 and n successes the bound is exactly the share, but for rounding.
    return Interval(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def share_interval(share: float, error: float, n: int, level: float = 0.95) -> Interval:
    """Bound a share of n images that are not independent, from its standard error.

    Wilson's interval of the number of independent trials that would have this error.

    Raises:
        ValueError: a share outside 0..1, an error below 0, no images, or a level outside (0, 1).
    """
    if not (0 <= share <= 1 and error >= 0 and n > 0):
        raise ValueError(f"share {share}, standard error {error} and {n} images give no interval")
    variance = share * (1 - share)
    effective = variance / error**2 if variance > 0 and error > 0 else float(n)
    return wilson_interval(share * effective, effective, level)


def t_error_interval(
    value: float, variances: Sequence[float], freedoms: Sequence[float], level: float = 0.95
) -> Interval:
    """Bound a value whose variance is a sum of independent estimates (Satterthwaite 1946).

    Args:
        value: the estimate.
        variances: of its sources, 0 or more.
        freedoms: degrees of freedom of each variance.
        level: confidence of the interval, in (0, 1).

    Raises:
        ValueError: numbers of variances and degrees that differ, or a level outside (0, 1).
    """
    total = sum(variances)
    spread = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    if total <= 0:
        return Interval(value, value, value)
    half = float(special.stdtrit(total**2 / spread, tail(level))) * total**0.5
    return Interval(value, value - half, value + half)


def largest_interval(intervals: Sequence[Interval]) -> Interval:
    """Bound the largest of several values by the largest of their ends.

    The upper end of every interval must hold by itself, and the lower ends all together: make the
    intervals with the level that `simultaneous_level` gives for the lower ends.
    """
    return Interval(*(max(ends) for ends in zip(*intervals, strict=True)))


def smallest_interval(intervals: Sequence[Interval]) -> Interval:
    """Bound the smallest of several values; `largest_interval` turned round."""
    return Interval(*(min(ends) for ends in zip(*intervals, strict=True)))


def simultaneous_level(count: int, level: float = 0.95) -> float:
    """Return the level of each of `count` intervals that hold together (Bonferroni)."""
    return 1 - (1 - level) / count


def standard_error_of(replicates: npt.ArrayLike) -> float:
    """Return the root mean square of replicates (n,), deviations scaled to the standard error.

    Raises:
        ValueError: no replicates, NaN or infinity.
    """
    return float(np.sqrt(np.mean(checked_values(replicates) ** 2)))


def paired_interval(one: npt.ArrayLike, other: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Bound the mean of one - other, values (n,) that belong together, such as by their seed.

    Raises:
        ValueError: different numbers of values, fewer than two, NaN or infinity, or a level
            outside (0, 1).
    """
    left, right = checked_values(one), checked_values(other)
    if len(left) != len(right):
        raise ValueError(f"cannot pair {len(left)} values with {len(right)}")
    return t_interval(left - right, level)


def differs(interval: Interval) -> bool:
    """Tell whether 0 lies outside the interval."""
    return not interval.low <= 0 <= interval.high
