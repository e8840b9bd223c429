"""What every metric takes: finite points, one a row, and the distances between them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from inkgan.types import Float64

# One block of a distance or kernel matrix: 32 MB in float64.
BLOCK_ELEMENTS = 2**22
# Below this share of the squared norms the expanded square has lost half its digits.
CANCELLATION = 1e-6


def usable(points: npt.ArrayLike, least: int = 2) -> npt.NDArray[Any]:
    """Return points of shape (n, d) in their own precision, if a metric can use them.

    Raises:
        ValueError: not a table of numbers, fewer than `least` rows, NaN or infinity.
    """
    table = np.asarray(points)
    if table.ndim != 2 or table.shape[1] < 1 or table.dtype.kind not in "buif":
        raise ValueError(f"points must be numbers (n, d), got {table.dtype} {table.shape}")
    if len(table) < least:
        raise ValueError(f"needs at least {least} points, got {len(table)}")
    if bad := table.size - int(np.count_nonzero(np.isfinite(table))):
        raise ValueError(f"{bad} of {table.size} values are NaN or infinite")
    return table


def checked(features: npt.ArrayLike, least: int = 2) -> Float64:
    """Return points as finite float64 of shape (n, d) with n >= least.

    Raises:
        ValueError: not a table of numbers, fewer than `least` rows, NaN or infinity.
    """
    return usable(features, least).astype(np.float64)


def checked_pair(
    one: npt.ArrayLike, other: npt.ArrayLike, least: int = 2
) -> tuple[Float64, Float64]:
    """Return two sets of points (n, d) and (m, d) as finite float64.

    Raises:
        ValueError: `checked` refuses a set, or the dimensions differ.
    """
    first, second = checked(one, least), checked(other, least)
    refuse_other_dimension(first.shape[1], second.shape[1])
    return first, second


def checked_values(values: npt.ArrayLike, least: int = 1) -> Float64:
    """Return a list of numbers as finite float64 of shape (n,) with n >= least.

    Raises:
        ValueError: not one-dimensional, fewer than `least` values, NaN or infinity.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) < least:
        raise ValueError(f"needs at least {least} values (n,), got shape {numbers.shape}")
    if bad := len(numbers) - int(np.count_nonzero(np.isfinite(numbers))):
        raise ValueError(f"{bad} of {len(numbers)} values are NaN or infinite")
    return numbers


def refuse_other_dimension(one: int, other: int) -> None:
    """Raise a ValueError where two sets of points have different dimensions."""
    if one != other:
        raise ValueError(f"cannot compare points of {one} dimensions with points of {other}")


def blocks(rows: int, columns: int, elements: int = BLOCK_ELEMENTS) -> Iterator[slice]:
    """Cut the rows of a (rows, columns) matrix into slices of at most `elements` elements."""
    step = max(1, elements // max(1, columns))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))


def gaps(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Float64:
    """Measure the distance of each row of `one` (n, d) to the same row of `other`, shape (n,).

    Always the same sum of squared differences in float64, so equal pairs compare as equal.
    """
    differences = np.subtract(one, other, dtype=np.float64)
    np.square(differences, out=differences)
    return np.asarray(np.sqrt(differences.sum(axis=-1)))


def gaps_at(
    one: npt.NDArray[Any],
    other: npt.NDArray[Any],
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
) -> Float64:
    """Measure the distances of one[rows] to other[columns], shape (pairs,), in little memory."""
    result = np.empty(len(rows))
    for part in blocks(len(rows), one.shape[1]):
        result[part] = gaps(one[rows[part]], other[columns[part]])
    return result


def squared_distances(one: Float64, other: Float64, *, exact: bool = True) -> Float64:
    """Compute all squared distances of (n, d) to (m, d), shape (n, m), never below 0.

    |x|^2 + |y|^2 - 2 x.y about the center of `other`; where that cancels, the difference itself, so
    that the relative error stays below 1e-7 and equal points are at exactly 0.

    Args:
        one: points.
        other: points.
        exact: False leaves an absolute error at the rounding level of the squared norms. Of sets
            in which most points coincide, as of a collapsed generator, nearly every pair cancels,
            and measuring these again takes minutes.
    """
    centre = other.mean(axis=0)
    left, right = one - centre, other - centre
    left_norms, right_norms = ((points**2).sum(axis=1, keepdims=True) for points in (left, right))
    # two more dimensions add the norms inside the product: passes over the result are what costs
    first = np.concatenate([-2 * left, left_norms, np.ones_like(left_norms)], axis=1)
    second = np.concatenate([right, np.ones_like(right_norms), right_norms], axis=1)
    # torch's product: the threads of numpy's would wait beside those of torch
    squares = torch.from_numpy(first) @ torch.from_numpy(second).T
    result: Float64 = squares.numpy()
    if not exact:
        squares.clamp_(min=0)
        return result
    near = squares <= torch.from_numpy(CANCELLATION * (left_norms + right_norms.max()))
    rows, columns = (found.numpy() for found in near.nonzero(as_tuple=True))
    result[rows, columns] = gaps_at(one, other, rows, columns) ** 2
    return result
