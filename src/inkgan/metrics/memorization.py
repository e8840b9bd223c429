"""Whether fakes are copies of training images, in pixels or in any feature space."""

import math
from bisect import bisect_left
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.metrics.stats.expansion import ErrorBounds
from inkgan.metrics.stats.intervals import Interval, normal_interval, tail
from inkgan.metrics.stats.ranks import auc_error, placements
from inkgan.metrics.validation import (
    blocks,
    checked_values,
    gaps_at,
    refuse_other_dimension,
    usable,
)
from inkgan.rng import seed_for
from inkgan.types import Float32, Float64

Indices = npt.NDArray[np.intp]

# One block of float32 scores: 64 MB.
SEARCH_ELEMENTS = 2**24
BOOTSTRAP_DRAWS = 4000


class Nearest(NamedTuple):
    """Distance (n,) to the nearest point, in the points' own unit, and its row (n,)."""

    distances: Float64
    indices: Indices


class CopyTest(NamedTuple):
    """The alarm and what it rests on: shares in 0..1 of fakes that are too near to training."""

    share: float
    expected: float
    p_value: float
    alarm: bool
    detectable: float


def nearest(queries: npt.ArrayLike, points: npt.ArrayLike) -> Nearest:
    """Find the nearest of some points to each query, with distances exact in float64.

    Arrays stay in their own precision (float32 is plenty for pixels): one float32 copy and blocks
    of 64 MB are all the memory taken.

    Args:
        queries: (n, d).
        points: (m, d).

    Returns:
        Distances (n,) in the unit of the points, and rows of `points` (n,).

    Raises:
        ValueError: no queries, no points, NaN or infinity, or dimensions that differ.
    """
    table, wanted = usable(points, least=1), usable(queries, least=1)
    refuse_other_dimension(wanted.shape[1], table.shape[1])
    return _search(wanted, table, None)


def nearest_other(points: npt.ArrayLike, which: npt.ArrayLike) -> Float64:
    """Measure the distance of some of the points to the nearest other point.

    Args:
        points: (m, d), m >= 2.
        which: rows (n,), as in `Nearest.indices`. Only the row itself is left out, so a duplicate
            is at 0.

    Returns:
        float64 (n,).

    Raises:
        ValueError: fewer than two points, NaN or infinity, or rows that are no rows.
    """
    table, rows = usable(points), np.asarray(which)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not len(rows):
        raise ValueError(f"rows must be integers (n,), got {rows.dtype} {rows.shape}")
    if rows.min() < 0 or rows.max() >= len(table):
        raise ValueError(f"rows {rows.min()}..{rows.max()} are not within 0..{len(table) - 1}")
    unique, places = np.unique(rows, return_inverse=True)
    return _search(table[unique], table, unique.astype(np.intp)).distances[places]


def _search(
    queries: npt.NDArray[Any], points: npt.NDArray[Any], excluded: Indices | None
) -> Nearest:
    """Search in float32, and measure in float64 all that its rounding leaves as the nearest."""
    centre = points.mean(axis=0, dtype=np.float64)
    scale = max(abs(float(points.max())), abs(float(points.min()))) or 1.0
    searched = _lifted(points, centre, scale)
    distances, indices = np.empty(len(queries)), np.empty(len(queries), dtype=np.intp)
    for part in blocks(len(queries), len(points), SEARCH_ELEMENTS):
        # |q - p|^2 = |q|^2 - 2 (q.p - |p|^2 / 2): the largest bracket is the nearest point.
        lifted = _lifted(queries[part], centre, scale)
        slack = _slack(lifted, searched)
        lifted[:, -1] = -1
        scores = lifted @ searched.T
        if excluded is not None:
            scores[np.arange(len(scores)), excluded[part]] = -np.inf
        rows, columns = np.nonzero(scores >= scores.max(axis=1, keepdims=True) - slack)
        measured = gaps_at(queries[part], points, rows, columns)
        order = np.lexsort((columns, measured, rows))
        first = order[np.searchsorted(rows[order], np.arange(len(lifted)))]
        distances[part], indices[part] = measured[first], columns[first]
    return Nearest(distances, indices)


def _lifted(points: npt.NDArray[Any], centre: Float64, scale: float) -> Float32:
    """Return centered, scaled points and half their squared norms as a last column, (n, d + 1)."""
    lifted = np.empty((len(points), points.shape[1] + 1), dtype=np.float32)
    for rows in blocks(len(points), points.shape[1]):
        centered = (points[rows] - centre) / scale
        lifted[rows, :-1] = centered
        lifted[rows, -1] = (centered**2).sum(axis=1) / 2
    return lifted


def _slack(lifted: Float32, searched: Float32) -> Float32:
    """Bound how far two scores of a query may be misplaced by float32, shape (n, 1).

    A product of d terms errs by at most d eps / 2 times the sum of their sizes (Higham 2002,
    equation 3.5), here below |q||p| + |p|^2 / 2; a few eps more for the rounded points.
    """
    longest = searched[:, -1].max()
    size = 2 * np.sqrt(lifted[:, -1:] * longest) + longest
    slack = (searched.shape[1] + 8) * np.finfo(np.float32).eps * size
    return np.asarray(slack, dtype=np.float32)


def copy_ratio(distances: npt.ArrayLike, own_distances: npt.ArrayLike) -> Float64:
    """Divide the distance to the nearest training image by that image's own to its nearest other.

    The comparison of Alaa et al. 2022 as a ratio.

    Args:
        distances: of n images to their nearest training images, (n,).
        own_distances: of these training images to their nearest other ones, (n,), as from
            `nearest_other`.

    Returns:
        float64 (n,), 0 to infinity. 0 is an exact copy; beside a training image that has a
        duplicate everything but a copy is at infinity.

    Raises:
        ValueError: different numbers of distances, none, a negative one, NaN or infinity.
    """
    near, own = checked_values(distances), checked_values(own_distances)
    if len(near) != len(own):
        raise ValueError(f"{len(near)} distances and {len(own)} own distances do not belong")
    if min(near.min(), own.min()) < 0:
        raise ValueError(f"distances start at 0, got {near.min()} and {own.min()}")
    beside_duplicates = np.where(near > 0, np.inf, 0.0)
    return np.divide(near, own, out=beside_duplicates, where=own > 0)


def authenticity(ratios: npt.ArrayLike) -> float:
    """Return the share of images that are no noisy copies (AuthPct / 100, Alaa et al. 2022).

    Args:
        ratios: copy ratios (n,).

    Returns:
        The share of ratios above 1, in 0..1; higher is better.

    Raises:
        ValueError: no ratios, a negative one or NaN.

    Examples:
        >>> authenticity([0.0, 0.5, 1.5, 2.0])
        0.5
    """
    return float((_checked_ratios(ratios) > 1).mean())


def _checked_ratios(ratios: npt.ArrayLike) -> Float64:
    numbers = np.asarray(ratios, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise ValueError(f"needs at least 1 ratio (n,), got shape {numbers.shape}")
    if bad := len(numbers) - int((numbers >= 0).sum()):
        raise ValueError(f"{bad} of {len(numbers)} ratios are negative or NaN")
    return numbers


def ct_score(test_distances: npt.ArrayLike, fake_distances: npt.ArrayLike) -> float:
    """Compare the distances to training of test and generated images, as a z-score.

    The Mann-Whitney U of generated over test images, standardized, in a single cell (Meehan et
    al. 2020, section 3). Ties count half.

    Args:
        test_distances: of test images (n,).
        fake_distances: of generated images (m,).

    Returns:
        About standard normal for images like test images. Below -3 or so generated images are
        nearer to training images than test images are: copies. Far above 0 they are poor.

    Raises:
        ValueError: no distances, NaN or infinity.
    """
    from scipy import stats  # half a second, where copies are looked for

    test, fake = checked_values(test_distances), checked_values(fake_distances)
    n, m = len(test), len(fake)
    ranks = stats.rankdata(np.concatenate([fake, test]))[:m]
    statistic = float(ranks.sum()) - m * (m + 1) / 2
    return (statistic - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def ct_interval(
    test_distances: npt.ArrayLike, fake_distances: npt.ArrayLike, level: float = 0.95
) -> ErrorBounds:
    """Bound `ct_score`, both sets drawn again.

    Far from 0 the statistic does not have the variance that standardizes it: this one is from the
    placements of each image among those of the other set (DeLong et al. 1988).

    Args:
        test_distances: of test images (n,), n >= 2.
        fake_distances: of generated images (m,), m >= 2.
        level: confidence of the interval, in (0, 1).

    Returns:
        The interval of the score and its standard error.
    """
    test, fake = checked_values(test_distances, 2), checked_values(fake_distances, 2)
    scale = math.sqrt(12 * len(test) * len(fake) / (len(test) + len(fake) + 1))
    error = scale * auc_error(placements(fake, test), placements(test, fake))
    return ErrorBounds(normal_interval(ct_score(test, fake), error, level), error)


def quantile_share_interval(
    values: npt.ArrayLike, reference: npt.ArrayLike, share: float, level: float = 0.95
) -> ErrorBounds:
    """Bound the share of values at or below a quantile of the distribution of a reference.

    The quantile is that of the distribution behind the n reference values, of which at most a
    binomial number of n `share` lie below it. Bootstrap draws of this number and of the values
    give the percentiles.

    Args:
        values: (m,).
        reference: (n,).
        share: of the reference below the quantile, in (0, 1).
        level: confidence of the interval, in (0, 1).

    Returns:
        The interval of the share, around its value at the sample's own quantile, and the standard
        error.
    """
    ordered, known = np.sort(np.asarray(values, float)), np.sort(np.asarray(reference, float))
    n, m = len(known), len(ordered)
    random = np.random.default_rng(seed_for(0, "quantile of the reference", n, m))
    below = random.binomial(n, share, size=BOOTSTRAP_DRAWS).clip(0, n)
    # Half a value on average lies between the quantile and the next order statistic.
    edges = np.searchsorted(ordered, known, side="right") / m
    shares = np.concatenate([[0.0], edges])
    centers = (shares[below] + shares[np.minimum(below + 1, n)]) / 2
    # Jeffreys: at 0 and m values the true share is not known to be 0 or 1.
    drawn = random.beta(centers * m + 0.5, (1 - centers) * m + 0.5)
    value = float(shares[max(1, round(share * n))])
    low, high = np.quantile(drawn, [1 - tail(level), tail(level)])
    interval = Interval(value, float(min(low, value)), float(max(high, value)))
    return ErrorBounds(interval, float(drawn.std(ddof=1)))


def copy_test(
    fake_ratios: npt.ArrayLike,
    test_ratios: npt.ArrayLike,
    level: float = 0.001,
    percentile: float = 0.1,
) -> CopyTest:
    """Test whether too many images have a copy ratio that hardly any test image has.

    The threshold is the quantile of the test ratios at `percentile` percent, rounded down to one
    of them. Of fresh ratios k / (n + 1) are expected at or below it, where k of the n test ratios
    are. The alarm needs a p-value below `level` and twice the expected share. The p-value is exact
    and free of any distribution: of m fresh ratios as many lie at or below the k-th of n as a
    beta-binomial variable of m trials counts, with alpha k and beta n + 1 - k (Wilks 1942).

    Args:
        fake_ratios: copy ratios of generated images (m,).
        test_ratios: of test images (n,).
        level: of the alarm, in (0, 1).
        percentile: of the test ratios, in (0, 100).

    Returns:
        The share at or below the threshold and the expected one, the p-value, the alarm, and the
        smallest share of exact copies which, added to these images, would raise the alarm: 0 if
        it is raised, infinity where test ratios are too few or too alike for any alarm.

    Raises:
        ValueError: no ratios, a negative one or NaN, or a level or percentile that is none.
    """
    fakes, tests = _checked_ratios(fake_ratios), _checked_ratios(test_ratios)
    if not (0 < level < 1 and 0 < percentile < 100):
        raise ValueError(f"level {level} is not in (0, 1) or percentile {percentile} in (0, 100)")
    threshold = np.sort(tests)[math.floor((len(tests) - 1) * percentile / 100)]
    beyond = _Tail(int((tests <= threshold).sum()), len(tests), level)
    near, number = int((fakes <= threshold).sum()), len(fakes)
    return CopyTest(
        share=near / number,
        expected=beyond.expected,
        p_value=beyond.p_value(near, number),
        alarm=beyond.alarms(near, number),
        detectable=_detectable(near, number, beyond),
    )


class _Tail(NamedTuple):
    """`within` of `tests` test ratios are at or below the threshold."""

    within: int
    tests: int
    level: float

    @property
    def expected(self) -> float:
        return self.within / (self.tests + 1)

    def p_value(self, near: int, number: int) -> float:
        beyond = self.tests + 1 - self.within
        from scipy import stats

        return float(stats.betabinom.sf(near - 1, number, self.within, beyond))

    def alarms(self, near: int, number: int) -> bool:
        enough = near >= 2 * self.expected * number
        return enough and self.p_value(near, number) < self.level


def _detectable(near: int, number: int, tail: _Tail) -> float:
    def alarms(added: int) -> bool:
        return tail.alarms(near + added, number + added)

    if 2 * tail.expected >= 1 and not alarms(0):
        return math.inf
    # Another copy never silences the alarm, so that doubling and bisecting find the first.
    enough = 1
    while not alarms(enough):
        enough *= 2
    added = bisect_left(range(enough), True, key=alarms)
    return added / (number + added)
