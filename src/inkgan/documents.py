"""Strict schemas for the documents that inkgan writes and reads again.

A document is checked by the same schema when it is written and when it is read: exact types, no
missing and no unknown fields, finite numbers. So what cannot be read is never written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from inkgan.errors import ArtifactError
from inkgan.printable import brief

Count = Annotated[int, Field(ge=0, lt=2**63)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ShortText = Annotated[str, Field(max_length=1000)]
_NAME = r"[^/\\\x00.][^/\\\x00]*"
EntryName = Annotated[str, Field(pattern=f"^{_NAME}$")]  # of a file right inside a folder
FileName = Annotated[str, Field(pattern=f"^({_NAME}/)*{_NAME}$")]  # of a file at any depth in it


class Document(BaseModel):
    """Base of all documents: strict about types, unknown fields, and numbers that are none."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


D = TypeVar("D", bound=Document)


def check_document(
    schema: type[D],
    values: Any,
    source: str | Path,
    way_out: str = "",
    problem: str = "is damaged",
) -> D:
    """Check a document that was read, or that is about to be written.

    Args:
        schema: of the document.
        values: plain values, as JSON holds them.
        source: the file, with which the message begins.
        way_out: what to do, at the end of the message.
        problem: what the message says of the file.

    Raises:
        ArtifactError: one line that names the file, the field and its value.

    Example:
        >>> class Point(Document):
        ...     x: float
        >>> check_document(Point, {"x": 1.5}, "point.json").x
        1.5
    """
    try:
        return schema.model_validate(values)
    except (ValidationError, RecursionError) as error:
        raise ArtifactError(f"{source} {problem}: {_explain(error)}{_after(way_out)}") from error


def check_values(kind: Any, values: Any, source: str | Path, way_out: str = "") -> Any:
    """Check plain values against a type instead of a schema; otherwise as `check_document`.

    Example:
        >>> check_values(list[int], [1, 2], "numbers.json")
        [1, 2]
    """
    adapter = TypeAdapter(kind, config=ConfigDict(strict=True, allow_inf_nan=False))
    try:
        return adapter.validate_python(values)
    except (ValidationError, RecursionError) as error:
        raise ArtifactError(f"{source} is damaged: {_explain(error)}{_after(way_out)}") from error


def _after(way_out: str) -> str:
    return f"; {way_out}" if way_out else ""


def _explain(error: ValidationError | RecursionError) -> str:
    """Name the first field at fault, with its value and what it should be."""
    if isinstance(error, RecursionError):
        return "its values are nested too deeply"
    finding: Mapping[str, Any] = error.errors(include_url=False)[0]
    field = ".".join(map(str, finding["loc"]))
    if finding["type"] == "missing":
        return f"it has no {field}"
    if finding["type"] == "extra_forbidden":
        return f"it has an unknown field {field}"
    message = finding["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return f"{field} = {brief(finding['input'])}: {message}".removeprefix(" = ")
