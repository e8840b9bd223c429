"""What a sweep searches: "log:1e-5..1e-2", "64..512" or "hinge,relativistic" for a field."""

import itertools
import math
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from inkgan.config import Recipe
from inkgan.config.recipe_migration import migrate_override
from inkgan.config.serialize import override
from inkgan.errors import ConfigError, did_you_mean
from inkgan.printable import brief

Search = Mapping[str, str | Sequence[Any]] | Iterable[str]
Value = float | int | str
Kind = Literal["float", "int", "list"]
EXAMPLE = "optim.lr=log:1e-5..1e-2"
SIGNIFICANT_DIGITS = 4  # of a sampled value: more change nothing, and are hard to read
MOST_COMBINATIONS = 512  # that are checked before work starts
REFUSED = {
    "seed": "`seed` is no setting: compare seeds with `inkgan.train_seeds`",
    "name": "`name` changes nothing in training",
    "notes": "`notes` change nothing in training",
    "schedule.evaluation_interval": "`schedule.evaluation_interval` is chosen by the sweep",
    "schedule.sample_interval": "`schedule.sample_interval` is chosen by the sweep",
}


@dataclass(frozen=True)
class Dimension:
    """One field that is searched.

    Attributes:
        field: of the recipe, dotted.
        kind: a range of numbers (float, int), or a list of values.
        low: the least number.
        high: the largest number.
        log: whether numbers are drawn evenly in their logarithm.
        choices: of a list, as they are written in an override.
    """

    field: str
    kind: Kind
    low: float = 0
    high: float = 0
    log: bool = False
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "list":
            return ",".join(self.choices)
        return f"{'log:' if self.log else ''}{self.low:g}..{self.high:g}"

    @property
    def extremes(self) -> tuple[Value, ...]:
        """Values that are checked before work starts: both ends, or the whole list."""
        if self.kind == "list":
            return self.choices
        ends = (self.low, self.high)
        return tuple(map(int, ends)) if self.kind == "int" else ends

    def rounded(self, value: Value) -> Value:
        """Return a sampled number with a few digits, inside the bounds."""
        if self.kind != "float":
            return value
        short = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        return min(max(short, self.low), self.high)

    def assignment(self, value: Value) -> str:
        """Write an override of the recipe."""
        return f"{self.field}={value!r}" if self.kind == "float" else f"{self.field}={value}"


@dataclass(frozen=True)
class SearchSpace:
    """All fields that are searched, in the order in which they were given."""

    dimensions: tuple[Dimension, ...]

    def recipe(self, base: Recipe, values: Mapping[str, Value]) -> Recipe:
        """Return the recipe with these values.

        Raises:
            ConfigError: the values do not fit together.
        """
        chosen = [d.assignment(d.rounded(values[d.field])) for d in self.dimensions]
        return override(base, chosen)

    def as_text(self) -> dict[str, str]:
        """Return each dimension as it is written."""
        return {dimension.field: str(dimension) for dimension in self.dimensions}


def parse_search(search: Search, recipe: Recipe) -> SearchSpace:
    """Read what is to be searched, and check it against the recipe.

    Args:
        search: by dotted field, a text such as "log:1e-5..1e-2", "a..b" or "one,two", or a sequence
            of values; or texts "field=...".
        recipe: whose fields they are.

    Raises:
        ConfigError: a field does not exist, a value is impossible there, or two values never fit
            together.

    Examples:
        >>> parse_search(["optim.lr=log:1e-5..1e-2", "objective.loss=hinge,relativistic"], recipe)
    """
    dimensions: list[Dimension] = []
    for field, values in _pairs(search):
        field = migrate_override(field, None)[0]
        if any(known.field == field for known in dimensions):
            raise ConfigError(f"`search` names {field} twice; leave one out")
        dimensions.append(_dimension(field, values, recipe))
    if not dimensions:
        raise ConfigError(f"`search` must name at least one field, such as {EXAMPLE}")
    space = SearchSpace(tuple(dimensions))
    _check_combinations(space, recipe)
    return space


def _pairs(search: Search) -> list[tuple[str, str | Sequence[Any]]]:
    if isinstance(search, Mapping):
        return list(search.items())
    texts = [search] if isinstance(search, str) else list(search)
    pairs: list[tuple[str, str | Sequence[Any]]] = []
    for text in texts:
        field, equals, values = text.partition("=")
        if not equals or not field.strip():
            raise ConfigError(f"`search` {text!r}: write field=values, such as {EXAMPLE}")
        pairs.append((field.strip(), values.strip()))
    return pairs


def _dimension(field: str, values: str | Sequence[Any], recipe: Recipe) -> Dimension:
    if field in REFUSED:
        raise ConfigError(f"`search`: {REFUSED[field]}")
    types = field_types(recipe, field)
    begin = f"`search` {field}={brief(values)}"
    if not isinstance(values, str):
        return _list(field, [_written(value) for value in values], begin)
    text = values.removeprefix("log:")
    low, dots, high = text.partition("..")
    if not dots:
        if text != values:
            raise ConfigError(f"{begin}: log: takes a range, such as {EXAMPLE}")
        return _list(field, split_list(values), begin)
    if not {int, float} & types:
        raise ConfigError(f"{begin}: the field takes no numbers; list its values with commas")
    kind: Kind = "float" if float in types else "int"
    least, most = _number(low, kind, begin), _number(high, kind, begin)
    if not least < most:
        raise ConfigError(f"{begin}: the first number must be less than the second")
    if text != values and least <= 0:
        raise ConfigError(f"{begin}: a logarithm needs numbers above 0")
    return Dimension(field, kind, least, most, text != values)


def _list(field: str, choices: list[str], begin: str) -> Dimension:
    if len(choices) < 2 or not all(choices):
        raise ConfigError(f"{begin}: list two values or more, or a range such as 1e-5..1e-2")
    twice = next((choice for choice in choices if choices.count(choice) > 1), None)
    if twice is not None:
        raise ConfigError(f"{begin}: {twice} is listed twice")
    return Dimension(field, "list", choices=tuple(choices))


def _written(value: Any) -> str:
    """Write a value of Python as an override has it."""
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def split_list(text: str) -> list[str]:
    """Split at commas outside brackets: "[64,32],[32]" has two values."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _number(text: str, kind: Kind, begin: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(f"{begin}: {text.strip()!r} is no number") from None
    if not math.isfinite(value):
        raise ConfigError(f"{begin}: the range must be finite")
    if kind == "int" and value != int(value):
        raise ConfigError(f"{begin}: the field takes whole numbers")
    return int(value) if kind == "int" else value


def field_types(recipe: Recipe, field: str) -> set[type]:
    """Return the plain types that a field of a recipe takes.

    Raises:
        ConfigError: there is no such field, or it has fields of its own.
    """
    value: Any = recipe
    *parents, last = field.split(".")
    for depth, key in enumerate([*parents, last]):
        if not isinstance(value, BaseModel) or key not in type(value).model_fields:
            known = list(type(value).model_fields) if isinstance(value, BaseModel) else []
            path = ".".join([*parents, last][: depth + 1])
            raise ConfigError(f"`search`: unknown field `{path}`{did_you_mean(key, known)}")
        owner, value = value, getattr(value, key)
    types = set(_plain_types(type(owner).model_fields[last].annotation))
    if isinstance(value, BaseModel) and not types:
        raise ConfigError(f"`search`: `{field}` has fields of its own; name one of them")
    return types


def _plain_types(annotation: Any) -> Iterable[type]:
    if isinstance(annotation, type):
        if not issubclass(annotation, BaseModel):
            yield annotation
        return
    if typing.get_origin(annotation) is Literal:
        yield from {type(value) for value in typing.get_args(annotation)} - {int, float}
        return
    if typing.get_origin(annotation) is tuple:
        yield tuple
        return
    for part in typing.get_args(annotation):
        yield from _plain_types(part)


def _check_combinations(space: SearchSpace, recipe: Recipe) -> None:
    """Refuse a value that is impossible in every combination with the ends of the others."""
    possible: set[tuple[str, Value]] = set()
    reasons: dict[tuple[str, Value], ConfigError] = {}
    everything = itertools.product(*(dimension.extremes for dimension in space.dimensions))
    for values in itertools.islice(everything, MOST_COMBINATIONS):
        pairs = [(d.field, value) for d, value in zip(space.dimensions, values, strict=True)]
        try:
            space.recipe(recipe, dict(pairs))
        except ConfigError as error:
            for pair in pairs:
                reasons.setdefault(pair, error)
        else:
            possible.update(pairs)
    for dimension in space.dimensions:
        for value in dimension.extremes:
            pair = (dimension.field, value)
            if pair in reasons and pair not in possible:
                raise ConfigError(f"`search` {dimension.field}={value}: {reasons[pair]}")
