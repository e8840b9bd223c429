"""Intervals by the delta method to second order, for a squared distance of two distributions.

A Frechet distance or a discrepancy is about |mean of f over one sample - mean over the other|^2 in
some feature map f. Far from 0 its error comes from the first order, near equal distributions from
the second, which the usual delta method does not have; a bootstrap has it twice, and its duplicates
add to the distance.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from inkgan.metrics.stats.intervals import Interval, tail
from inkgan.types import Float64


class Strata(NamedTuple):
    """Classes whose shares are fixed in both samples: only images inside a class are drawn again.

    Attributes:
        generated: the class of each generated point, int (n,); `real` of each real one (m,).
    """

    generated: npt.NDArray[np.integer]
    real: npt.NDArray[np.integer]

    @classmethod
    def of(cls, generated: npt.ArrayLike | None, real: npt.ArrayLike, count: int) -> "Strata":
        """Return the strata of labels; a single one where `count` generated points have none."""
        if generated is None:
            return cls(np.zeros(count, np.intp), np.zeros(len(np.asarray(real)), np.intp))
        _, places = np.unique(
            np.concatenate([np.asarray(generated), np.asarray(real)]), return_inverse=True
        )
        return cls(places[:count], places[count:])

    @property
    def number(self) -> int:
        """How many classes there are."""
        return int(max(self.generated.max(), self.real.max())) + 1


def centered_within(values: Float64, strata: npt.NDArray[np.integer]) -> Float64:
    """Subtract from each row of values (n, ...) the mean of the rows of its stratum."""
    counts = np.bincount(strata)
    shares = np.eye(len(counts))[strata] / counts[strata][:, None]
    return np.asarray(values - (shares.T @ values)[strata])


class Interaction(NamedTuple):
    """The inner products of centered f(x), f(y): how the second order is distributed.

    f is centered within each stratum.

    Attributes:
        squares: mean (f(x).f(y))^2 of two independent points: both generated, both real, one of
            each. These are the traces of products of the covariances of f.
        traces: mean |f(x)|^2 of generated and of real points, the traces of these covariances.
    """

    squares: tuple[float, float, float]
    traces: tuple[float, float]


class Expansion(NamedTuple):
    """A squared distance of n generated and m real points, to second order.

    Attributes:
        value: the distance.
        null: its expected value where both distributions are the same.
        generated: the influence of each generated point (n,), with mean 0: to first order the
            value changes by the mean of these; `real` of each real point (m,).
        interaction: the second order.
        inflation: how many times the quadratic term of the generated points is that of one sample
            of all n of them; above 1 where the value averages over parts of the sample.
    """

    value: float
    null: float
    generated: Float64
    real: Float64
    interaction: Interaction
    inflation: float = 1.0


class ErrorBounds(NamedTuple):
    """An interval and the standard error at the estimate."""

    interval: Interval
    error: float


def expansion_interval(
    expansion: Expansion, sets: int = 1, value: float | None = None, level: float = 0.95
) -> ErrorBounds:
    """Bound the expected value of a squared distance, both samples drawn again.

    Its variance where it is expected to be T is Q + 4 k (T - null): Q of the second order, and of
    the first order k, a mean eigenvalue of the covariances of f, from the variance of the
    influences. The interval has all T that lie within so many standard errors of the value, each
    with the error that it would have (as Wilson 1927 does for a share).

    Args:
        expansion: of one set of generated points.
        sets: the value is the mean over so many such sets, each against the same real points.
        value: this mean; None for that of the one set.
        level: confidence of the interval, in (0, 1).

    Returns:
        The interval, and the standard error, in the unit of the value.
    """
    n, m = len(expansion.generated), len(expansion.real)
    mean = expansion.value if value is None else value
    both, real, cross = expansion.interaction.squares
    both *= expansion.inflation
    q = 2 * both / (n**2 * sets) + 2 * real / m**2 + 4 * cross / (n * m * sets)
    first = expansion.generated.var(ddof=1) / (n * sets) + expansion.real.var(ddof=1) / m
    # The influences are those at the sample, whose own error adds this to their variance on
    # average; three quarters of it are subtracted, on the safe side.
    noise = 4 * (both / n + cross / m) / (n * sets) + 4 * (real / m + cross / n) / m
    trace, real_trace = expansion.interaction.traces
    excess = max(mean - expansion.null, 0.0)
    whole = excess + trace / n + real_trace / m
    by_share = first / (4 * whole) if whole > 0 else 0.0
    least = 2 * np.sqrt(q)
    by_excess = max(first - 0.75 * noise, 0.0) / (4 * max(excess, least)) if least > 0 else 0.0
    k = max(by_share, by_excess)
    error = float(np.sqrt(q + 4 * k * excess))
    law = _Law(expansion.null, trace / n + real_trace / m, q, k)
    return ErrorBounds(law.interval(mean, level), error)


class _Law(NamedTuple):
    """How a value is distributed where T is expected: with a variance of q + 4 k (T - null).

    A sum of squares has the shape of a gamma variable, from null - offset on: its long tail of
    large values decides on the lower end of an interval. The upper end is that of a normal
    variable, which lies higher.
    """

    null: float
    offset: float
    q: float
    k: float

    def interval(self, value: float, level: float) -> Interval:
        """Bound the expected value by the value found."""
        low, high = self._low(value, 1 - tail(level)), self._high(value, tail(level))
        return Interval(value, float(min(low, value)), float(max(high, value)))

    def _variance(self, expected: float) -> float:
        return self.q + 4 * self.k * max(expected - self.null, 0.0)

    def _above(self, value: float, expected: float) -> float:
        """Return the chance of the value or a larger one."""
        mean, variance = expected - self.null + self.offset, self._variance(expected)
        if mean <= 0 or variance <= 0:
            return 0.0
        size = (value - self.null + self.offset) * mean / variance
        return float(special.gammaincc(mean**2 / variance, max(size, 0.0)))

    def _low(self, value: float, chance: float) -> float:
        z = float(-special.ndtri(chance))
        if self._above(value, self.null) >= chance or value <= self.null:
            return min(self.null, value - z * float(np.sqrt(self.q)))
        found = optimize.brentq(lambda t: self._above(value, t) - chance, self.null, value)
        return float(found)

    def _high(self, value: float, chance: float) -> float:
        """Solve value = T - z sqrt(variance of T), which is a quadratic equation."""
        z = float(special.ndtri(chance))
        root = self.q + 4 * self.k * (value - self.null) + 4 * z**2 * self.k**2
        if root >= 0:
            high = value + 2 * z**2 * self.k + z * float(np.sqrt(root))
            if high >= self.null:
                return high
        return value + z * float(np.sqrt(self.q))
