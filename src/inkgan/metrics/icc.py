"""Intraclass correlation: how much of what differs belongs to the subject, whoever rates it.

After Shrout and Fleiss 1979, "Intraclass correlations: uses in assessing rater reliability", whose
names stand in the code: n subjects (rows), k raters (columns), mean squares BMS between subjects,
WMS within them and EMS of the rest. 1 is agreement, 0 none, and chance can fall below 0.
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from inkgan.metrics.stats.intervals import Interval, tail
from inkgan.metrics.validation import checked
from inkgan.types import Float64


def icc_one_way(ratings: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Estimate ICC(1,1): one rating against another, the habits of raters included.

    (BMS - WMS) / (BMS + (k - 1) WMS), the one-way random effects model.

    Args:
        ratings: (n, k) of n subjects by k raters, 2 or more each.
        level: confidence of the interval, in (0, 1).

    Returns:
        The correlation in -1/(k-1)..1 and its interval; NaN where every rater rates all subjects
        alike, so that nothing is there to be shared.

    Raises:
        ValueError: fewer than two subjects or raters, NaN or infinity, or a level outside (0, 1).
    """
    table = _checked(ratings)
    n, k = table.shape
    within = table - table.mean(axis=1, keepdims=True)
    wms = float((within**2).sum()) / (n * (k - 1))
    return _correlation(table, wms, n * (k - 1), level)


def icc_consistency(ratings: npt.ArrayLike, level: float = 0.95) -> Interval:
    """Estimate ICC(3,1): what raters agree on once the mean of each is subtracted.

    (BMS - EMS) / (BMS + (k - 1) EMS), the two-way mixed effects model.

    Args:
        ratings: (n, k) of n subjects by k raters, 2 or more each.
        level: confidence of the interval, in (0, 1).

    Returns:
        The correlation in -1/(k-1)..1 and its interval; NaN where every rater rates all subjects
        alike, so that nothing is there to be shared.

    Raises:
        ValueError: fewer than two subjects or raters, NaN or infinity, or a level outside (0, 1).

    Examples:
        >>> icc_consistency([[1, 4], [2, 5], [3, 6]]).value  # the second rater always adds 3
        1.0
    """
    table = _checked(ratings)
    n, k = table.shape
    centered = table - table.mean(axis=0)
    rest = centered - centered.mean(axis=1, keepdims=True)
    ems = float((rest**2).sum()) / ((n - 1) * (k - 1))
    return _correlation(table, ems, (n - 1) * (k - 1), level)


def _checked(ratings: npt.ArrayLike) -> Float64:
    table = checked(ratings)
    if table.shape[1] < 2:
        raise ValueError("agreement takes at least two raters, got one column")
    return table


def _correlation(table: Float64, error: float, freedom: int, level: float) -> Interval:
    """Turn F = BMS / `error` and its bounds into correlations (F - 1) / (F + k - 1)."""
    n, k = table.shape
    upper = tail(level)
    if not np.ptp(table, axis=0).any():
        return Interval(np.nan, np.nan, np.nan)
    bms = k * float(table.mean(axis=1).var(ddof=1))
    if error == 0:
        return Interval(1.0, 1.0, 1.0)
    f = bms / error
    f_low = f / float(special.fdtri(n - 1, freedom, upper))
    f_high = f * float(special.fdtri(freedom, n - 1, upper))
    return Interval(*((each - 1) / (each + k - 1) for each in (f, f_low, f_high)))
