"""Standard errors by subsets: the spread of a statistic over disjoint groups of the images.

A bootstrap draws images twice, and a nearest neighbor at distance 0 is none; groups without
replacement have no duplicates (Politis, Romano and Wolf 1999). Groups of the real images depend on
their number alone, so that two evaluations against the same images have the same groups.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from inkgan.metrics.stats.expansion import Strata
from inkgan.metrics.stats.intervals import standard_error_of
from inkgan.types import Float64

GROUPS = 20
PARTITIONS = 4  # random ways to form the groups
LEAST_OF_A_GROUP = 50

Rows = npt.NDArray[np.intp]
Statistic = Callable[[Rows, Rows], Sequence[float]]


class Replicates(NamedTuple):
    """A statistic over groups.

    Attributes:
        mean: of the statistic at the size of a group.
        deviations: (partitions * groups,), scaled so that their root mean square is the standard
            error of the statistic of all images.
    """

    mean: float
    deviations: Float64

    @property
    def error(self) -> float:
        """The standard error."""
        return standard_error_of(self.deviations)


def group_count(real: int, generated: int) -> int:
    """Return how many groups are formed: 20, or fewer where they would have under 50 images."""
    return max(2, min(GROUPS, min(real, generated) // LEAST_OF_A_GROUP))


def _partition(classes: npt.NDArray[np.integer], groups: int, partition: int) -> list[Rows]:
    """Deal points out to groups of nearly equal size, at random within each class."""
    order = np.random.default_rng([len(classes), partition]).permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    return [order[place::groups] for place in range(groups)]


def _pairs(strata: Strata, groups: int, repeats: int) -> Iterator[list[tuple[Rows, Rows]]]:
    """Yield for each group its rows of real images with those of each generated group."""
    for partition in range(PARTITIONS):
        real_groups = _partition(strata.real, groups, partition)
        others = _partition(strata.generated, groups * repeats, partition)
        for place, rows in enumerate(real_groups):
            yield [(rows, others[place + groups * each]) for each in range(repeats)]


def subset_replicates(statistic: Statistic, strata: Strata, repeats: int = 1) -> list[Replicates]:
    """Compute the standard errors of statistics of two sets from disjoint groups of them.

    Args:
        statistic: called as `statistic(real_rows, generated_rows)` with the rows of a group; one
            or more numbers.
        strata: the class of every image; each group has their shares.
        repeats: how many sets of generated images the statistic is averaged over, each against
            the same real ones; there are as many times as many generated images.

    Returns:
        One for each number of the statistic.
    """
    groups = group_count(len(strata.real), len(strata.generated) // repeats)
    values = np.array(
        [
            np.array([statistic(*rows) for rows in pairs]).mean(axis=0)
            for pairs in _pairs(strata, groups, repeats)
        ]
    )
    table = values.reshape(PARTITIONS, groups, -1)
    deviations = (table - table.mean(axis=1, keepdims=True)) / np.sqrt(groups - 1)
    flat = deviations.reshape(PARTITIONS * groups, -1)
    return [
        Replicates(float(mean), column)
        for mean, column in zip(table.mean(axis=(0, 1)), flat.T, strict=True)
    ]


def mean_replicates(real: Float64, generated: Float64, error: float) -> Float64:
    """Return replicates of a mean over real points and one over generated points.

    Args:
        real: what each real point adds (m,); `generated` each generated one (n,), which may have
            no elements.
        error: the standard error that the replicates are scaled to.
    """
    groups = GROUPS if min(len(real), len(generated) or len(real)) >= GROUPS else 2
    rows = []
    for partition in range(PARTITIONS):
        means = np.zeros(groups)
        for values in (real, generated):
            if len(values):
                parts = _partition(np.zeros(len(values), np.intp), groups, partition)
                means += [values[part].mean() for part in parts]
        rows.append(means - means.mean())
    deviations = np.concatenate(rows)
    size = standard_error_of(deviations)
    return deviations * (error / size) if size > 0 else deviations
