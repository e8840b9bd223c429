"""Labels and seeds as people give them: numbers, names, ranges, arrays, tensors."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any, SupportsIndex

from inkgan.errors import ConfigError, did_you_mean

MOST_SEEDS = 2**63
DEFAULT_SEEDS = range(64)
Seeds = SupportsIndex | Iterable[SupportsIndex]  # arrays and tensors are iterable too
Labels = SupportsIndex | str | Iterable[SupportsIndex | str]
StyleValue = float | tuple[float, float] | Sequence[float] | None  # free, fixed, range, one each


def as_seeds(seeds: Seeds, name: str = "seeds") -> list[int]:
    """Return seeds as a list of ints.

    Args:
        seeds: one whole number or several, in any iterable, array or tensor.
        name: of the parameter, for messages.

    Raises:
        ConfigError: none at all, or one that is not a whole number from 0 to 2**63 - 1.

    Examples:
        >>> as_seeds(7), as_seeds(np.arange(3)), as_seeds(range(2))
        ([7], [0, 1, 2], [0, 1])
    """
    numbers = [_whole(item, name) for item in _items(seeds)]
    if not numbers:
        raise ConfigError(f"`{name}` is empty; give at least one seed, such as 0")
    wrong = next((number for number in numbers if not 0 <= number < MOST_SEEDS), None)
    if wrong is not None:
        raise ConfigError(f"`{name}` must be whole numbers from 0 to 2**63 - 1, not {wrong}")
    return numbers


def as_labels(labels: Labels, classes: Sequence[str], name: str = "labels") -> list[int]:
    """Return labels as a list of ints.

    Args:
        labels: one label or several, in any iterable, array or tensor; a number is the index of a
            class, a text its name.
        classes: the names of the classes, in the order of the labels.
        name: of the parameter, for messages.

    Raises:
        ConfigError: none at all, or one that is no class.

    Examples:
        >>> as_labels(["7", 3], classes="0123456789")
        [7, 3]
    """
    found = [_label(item, classes, name) for item in _items(labels)]
    if not found:
        raise ConfigError(f"`{name}` is empty; give at least one label, or leave it out")
    return found


def broadcast(
    labels: list[int] | None, seeds: list[int] | None
) -> tuple[list[int] | None, list[int]]:
    """Return labels and seeds of equal length.

    One label serves all seeds and one seed serves all labels. Without seeds they are 0, 1, 2 and
    so on, one for each label; without either they are DEFAULT_SEEDS.

    Raises:
        ConfigError: neither as many of both nor one of either.
    """
    if seeds is None:
        seeds = list(DEFAULT_SEEDS if labels is None else range(len(labels)))
    if labels is None:
        return None, seeds
    count = max(len(labels), len(seeds))
    if len(labels) not in (1, count) or len(seeds) not in (1, count):
        raise ConfigError(
            f"`labels` has {len(labels)} values and `seeds` has {len(seeds)}; give as many of "
            "both, or one of either"
        )
    return (
        labels * count if len(labels) == 1 else labels,
        seeds * count if len(seeds) == 1 else seeds,
    )


def _items(values: Any) -> list[Any]:
    if hasattr(values, "tolist"):  # arrays and tensors on any device
        values = values.tolist()
    if isinstance(values, str) or not isinstance(values, Iterable):
        return [values]
    return [item.item() if getattr(item, "shape", None) == () else item for item in values]


def _whole(item: Any, name: str) -> int:
    try:
        if isinstance(item, bool):
            raise TypeError
        return operator.index(item)
    except TypeError:
        raise ConfigError(f"`{name}` must be whole numbers, not {item!r}") from None


def _label(item: Any, classes: Sequence[str], name: str) -> int:
    if isinstance(item, str):
        if item not in classes:
            raise ConfigError(f"`{name}`: there is no class {item!r}{did_you_mean(item, classes)}")
        return list(classes).index(item)
    label = _whole(item, name)
    if not 0 <= label < len(classes):
        raise ConfigError(f"`{name}` must be from 0 to {len(classes) - 1}, not {label}")
    return label
