"""metrics.jsonl: one JSON object a line, in the order of the steps."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, ValidationError

from inkgan.documents import Count, Document
from inkgan.errors import ArtifactError
from inkgan.files import DamagedFileWarning, parse_json
from inkgan.io.bundle_migration import migrate_metrics_row
from inkgan.plural import counted

Row = dict[str, Any]
TEXTS = {"health", "message", "action"}  # all other values are numbers


class MetricsRow(Document):
    """What every row has; the other fields are metrics, or a finding of the health monitor."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=True)

    step: Count
    images: Count
    epoch: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


def read_rows(path: Path) -> list[Row]:
    """Read all rows. A last line that a kill cut short is left out.

    Other damaged lines are left out too, with a DamagedFileWarning: the rows are a record, and no
    later one depends on them.

    Raises:
        ArtifactError: the file cannot be read.
    """
    if not path.is_file():
        return []
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error
    found = [(number, _parse(line)) for number, line in enumerate(lines, 1) if line.strip()]
    damaged = [number for number, row in found if row is None]
    if damaged:
        text = (
            f"{path}: {counted(len(damaged), 'line')} of {len(found):,} "
            f"{'is' if len(damaged) == 1 else 'are'} damaged and left out (line {damaged[0]:,}"
            f"{'' if len(damaged) == 1 else ' is the first'})"
        )
        warnings.warn(text, DamagedFileWarning, stacklevel=3)
    return [row for _, row in found if row is not None]


def _parse(line: bytes) -> Row | None:
    """Return a row under today's names; None where the line is damaged."""
    try:
        values = parse_json(line)
        if not isinstance(values, dict):
            return None
        row = migrate_metrics_row(values)
        MetricsRow.model_validate(row)
    except (ValueError, ValidationError):
        return None
    known = MetricsRow.model_fields
    return row if all(fits(key, row[key]) for key in row if key not in known) else None


def fits(key: str, value: Any) -> bool:
    """Return whether a metric may have a value: a number, or a text where it is one."""
    if key in TEXTS:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 2**63


def to_line(row: Mapping[str, Any]) -> str:
    """Write a row as a line; metrics of a run that has failed may be NaN or infinite."""
    return json.dumps(row, allow_nan=True) + "\n"
