"""Recipes to and from TOML, and overrides such as `{"optim.lr": 1e-4}` or "optim.lr=1e-4"."""

import tomllib
import types
import typing
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.items
from pydantic import BaseModel, ValidationError

from inkgan.config import Recipe
from inkgan.config.names import UNREGISTERED
from inkgan.config.recipe_migration import RenamedFieldWarning, migrate_override, migrate_recipe
from inkgan.errors import ConfigError, did_you_mean
from inkgan.printable import brief, is_utf8, path_line

Overrides = Mapping[str, Any] | Iterable[str]
LARGEST_FILE = 1_000_000  # bytes of a recipe.toml; the named recipes have about 3,000
TOO_DEEP = "it nests values more deeply than any recipe does"
WORDING = {  # what pydantic's findings say in words of TOML
    "tuple_type": "should be a list, [value, value]; a table in it is {field = value}",
    "model_type": "should be a table, {field = value}",
}


def parse_recipe(values: Any, source: str = "", *, unregistered: bool = False) -> Recipe:
    """Validate a nested mapping as a recipe; names of older versions are accepted.

    Args:
        values: as TOML or JSON hold them.
        source: a file or an object, with which an error message begins; may be empty.
        unregistered: accept names of losses, penalties and augmentations that this process has not
            registered: to draw with a trained generator needs none of them.

    Raises:
        ConfigError: one line that names the source, the field, the value and the right spelling.
    """
    try:
        values = migrate_recipe(values) if isinstance(values, Mapping) else values
        return Recipe.model_validate(values, context={UNREGISTERED: unregistered})
    except ValidationError as error:
        raise ConfigError(f"{source}: {_explain(error)}".removeprefix(": ")) from error
    except RecursionError as error:
        raise ConfigError(f"{source}: {TOO_DEEP}".removeprefix(": ")) from error


def from_toml(text: str, source: str = "recipe", *, unregistered: bool = False) -> Recipe:
    """Parse TOML text as a recipe; `unregistered` as in `parse_recipe`.

    Raises:
        ConfigError: not TOML, or no recipe; the message begins with `source`.
    """
    return parse_recipe(_parse_toml(text, source), source, unregistered=unregistered)


def read_recipe(path: Path, *, unregistered: bool = False) -> Recipe:
    """Read a recipe from a TOML file; `unregistered` as in `parse_recipe`.

    Raises:
        ConfigError: the file cannot be read, or is no recipe; the message begins with its path.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise ConfigError(f"{path} is larger than any recipe ({LARGEST_FILE:,} bytes)")
        text = data.decode("utf-8-sig")  # some editors begin a file with a mark
    except OSError as error:
        raise ConfigError(f"cannot read the recipe {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text (byte {error.start:,} is {error.object[error.start]:#04x})"
        ) from error
    return from_toml(text, str(path), unregistered=unregistered)


def to_toml(recipe: Recipe) -> str:
    """Write a recipe as TOML with the fields' meanings as comments; values left out are unset.

    TOML has no None: a value that is unset, although its default is not, is written as "none".
    """
    document = tomlkit.document()
    _fill(document, recipe)
    return tomlkit.dumps(document)


def override(recipe: Recipe, overrides: Overrides, source: str = "") -> Recipe:
    """Return a new recipe with some fields replaced, all at once.

    Args:
        recipe: is not changed.
        overrides: values by dotted field, or texts "field=value". The value of a text is read as
            TOML (1e-4, true, [256, 512]) where it is one TOML value and nothing else, otherwise as
            a plain string; "none" unsets an optional field. Names of older versions are accepted
            with a RenamedFieldWarning.
        source: an error message begins with it; may be empty.

    Raises:
        ConfigError: a field does not exist, a value is impossible, or values do not fit together.

    Examples:
        >>> override(RECIPES["dcgan"], {"optim.lr": 1e-4, "schedule.images": None})
        >>> override(RECIPES["dcgan"], ["optim.lr=1e-4", "schedule.images=none"])
    """
    if not isinstance(overrides, Mapping):
        overrides = dict(_parse_assignment(text) for text in overrides)
    values = recipe.model_dump(mode="json")
    for key, value in overrides.items():
        renamed, migrated = migrate_override(key, value)
        if (renamed, migrated) != (key, value):
            old, new = ("none" if item is None else item for item in (value, migrated))
            message = f"`{key}={old}` is now written `{renamed}={new}`"
            warnings.warn(message, RenamedFieldWarning, stacklevel=2)
        _assign(values, renamed.split("."), migrated, source)
    return parse_recipe(values, source)


def differences(one: Recipe, other: Recipe) -> Iterator[tuple[str, Any, Any]]:
    """Compare two recipes field by field.

    Yields:
        (dotted field, value in one, value in other) for each field that differs, sorted.
    """
    flat_one, flat_other = flatten(one.model_dump()), flatten(other.model_dump())
    for key in sorted(flat_one.keys() | flat_other.keys()):
        if flat_one.get(key) != flat_other.get(key):
            yield key, flat_one.get(key), flat_other.get(key)


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested dictionaries under their dotted keys."""
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= flatten(item, f"{prefix}.{key}" if prefix else key)
    return flat


def _fill(table: Any, value: BaseModel) -> None:
    """Put a value's fields into a TOML table, plain ones first, as TOML requires."""
    fields = type(value).model_fields
    present = {key: getattr(value, key) for key in fields if getattr(value, key) is not None}
    present |= {key: "none" for key in fields.keys() - present.keys() if fields[key].default}
    present = {key: item for key, item in present.items() if item != {}}
    for key, item in sorted(present.items(), key=lambda pair: isinstance(pair[1], BaseModel)):
        if isinstance(item, BaseModel):
            section = tomlkit.table()
            _fill(section, item)
            table.add(key, section)
            continue
        entry = _toml_item(item)
        if fields[key].description and not isinstance(item, tuple):
            entry.comment(fields[key].description or "")
        table.add(key, entry)


def _toml_item(item: Any) -> tomlkit.items.Item:
    if isinstance(item, str) and "\n" in item and "\r" not in item:  # TOML reads \r\n as \n
        return tomlkit.string(item, multiline=True)
    if isinstance(item, dict):
        table = tomlkit.inline_table()
        table.update(item)
        return table
    if isinstance(item, tuple) and item and isinstance(item[0], BaseModel):
        array = tomlkit.array().multiline(True)
        for element in item:
            inline = tomlkit.inline_table()
            inline.update(element.model_dump())
            array.append(inline)
        return array
    plain: tomlkit.items.Item = tomlkit.item(list(item) if isinstance(item, tuple) else item)
    return plain


def _parse_assignment(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            f"`overrides`: {text!r} is no field=value; write it as optim.lr=1e-4, for example"
        )
    return key.strip(), _read_value(value.strip())


def _read_value(text: str) -> Any:
    """Read one value; text that is not exactly one TOML value is a plain string.

    A line break or a comment after a value would hide what follows it. Neither can stand inside the
    brackets of an array, and an array's brackets and commas cannot stand outside, so that both
    readings agree only where there is one value.
    """
    if text.lower() == "none":
        return None
    try:
        alone = _parse_toml(f"value = {text}", "")
        inside = _parse_toml(f"value = [{text}]", "")
    except _NotTomlError:
        return text
    return alone["value"] if inside == {"value": [alone["value"]]} else text


class _NotTomlError(ConfigError):
    """A text that breaks the grammar of TOML."""


def _parse_toml(text: str, source: str) -> dict[str, Any]:
    begin = f"{source} " if source else "the value "
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _NotTomlError(f"{begin}is not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{begin}is no recipe: {TOO_DEEP}") from error
    except ValueError as error:  # Python reads integers of up to 4,300 digits
        raise ConfigError(f"{begin}has a number that is too long to be read") from error


def _assign(values: dict[str, Any], path: list[str], value: Any, source: str) -> None:
    begin = f"{source}: " if source else ""
    *parents, last = path
    if isinstance(value, str) and not is_utf8(value):
        given = f"{'.'.join(path)}={path_line(value)}"
        raise ConfigError(f"{begin}{given} is not UTF-8 text")
    for depth, key in enumerate(parents):
        if key not in values:
            wrong = ".".join(path[: depth + 1])
            raise ConfigError(f"{begin}unknown field `{wrong}`{did_you_mean(key, values)}")
        if not isinstance(values[key], dict):
            wrong = ".".join(path[: depth + 1])
            raise ConfigError(f"{begin}`{wrong}` is a value and has no fields")
        values = values[key]
    values[last] = value


def _explain(error: ValidationError) -> str:
    """Turn pydantic's findings into one line, one clause for each place at fault."""
    clauses: dict[str, str] = {}
    for finding in error.errors()[:8]:
        path, clause = _explain_one(dict(finding))
        clauses.setdefault(path, clause)
    return "; ".join(list(clauses.values())[:3])


def _explain_one(finding: dict[str, Any]) -> tuple[str, str]:
    place = [str(part) for part in finding["loc"]]
    path, keys = _walk(place)
    value, context = finding["input"], finding.get("ctx", {})
    if finding["type"] == "extra_forbidden":
        wrong = ".".join([*path, place[-1]])
        return wrong, f"unknown field `{wrong}`{did_you_mean(place[-1], keys)}"
    dotted = ".".join(path)
    if finding["type"] in ("literal_error", "union_tag_invalid"):
        expected = str(context.get("expected", context.get("expected_tags", "")))
        choices = [choice.strip(" '") for choice in expected.replace(" or ", ",").split(",")]
        given = value.get("family") if isinstance(value, dict) else value
        hint = did_you_mean(str(given)[:100], choices)
        return dotted, f"`{dotted}` = {brief(given)} is unknown{hint}"
    message = WORDING.get(
        finding["type"],
        finding["msg"].removeprefix("Value error, ").replace("Input should", "should"),
    )
    shown = "" if isinstance(value, dict) else f" = {brief(value)}"
    return dotted, f"`{dotted}`{shown}: {message}" if dotted else message


def _walk(place: Sequence[str]) -> tuple[list[str], set[str]]:
    """Follow pydantic's place through the recipe: the keys on the way, and those allowed there.

    A place also holds names of union members and of types, which are no keys.
    """
    models: list[type[BaseModel]] = [Recipe]
    path = []
    for part in place:
        holders = [model for model in models if part in model.model_fields]
        if holders or part.isdecimal():
            path.append(part)
        inner = [_models_in(model.model_fields[part].annotation) for model in holders]
        models = [model for group in inner for model in group] or models
    return path, {key for model in models for key in model.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, tuple, typing.Annotated):
        return [model for part in typing.get_args(annotation) for model in _models_in(part)]
    return []
