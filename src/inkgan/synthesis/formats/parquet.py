"""Parquet in the schema of Hugging Face `datasets`, with an image column that it decodes."""

import json
from pathlib import Path
from typing import Any

from inkgan import files
from inkgan.optional_imports import import_extra
from inkgan.synthesis.formats.files_of_pictures import Lines, Placed
from inkgan.synthesis.rendered_sequence import EncodedSequence

ROWS_PER_GROUP = 1000
ROWS_PER_FILE = 100_000


def write_parquet(folder: Path, split: str, count: int, lines: Lines) -> Placed:
    """Write one split as data/SPLIT-00000-of-00003.parquet and so on."""
    arrow = import_extra("pyarrow", "parquet", "the format parquet")
    parquet = import_extra("pyarrow.parquet", "parquet", "the format parquet")
    schema = _schema(arrow)
    num_files = -(-count // ROWS_PER_FILE)
    for number in range(num_files):
        name = f"data/{split}-{number:05d}-of-{num_files:05d}.parquet"
        rows = min(ROWS_PER_FILE, count - number * ROWS_PER_FILE)
        with (
            files.atomic(folder / name) as temporary,
            parquet.ParquetWriter(temporary, schema, compression="snappy") as writer,
        ):
            group: list[dict[str, Any]] = []
            for _ in range(rows):
                line = next(lines)
                group.append(_row(line))
                if len(group) == ROWS_PER_GROUP:
                    writer.write_table(arrow.Table.from_pylist(group, schema))
                    group = []
                yield line, name
            if group:
                writer.write_table(arrow.Table.from_pylist(group, schema))


def _row(line: EncodedSequence) -> dict[str, Any]:
    return {
        "image": {"bytes": line.image, "path": f"{line.index:08d}{line.suffix}"},
        "text": line.text,
        "writer": line.writer,
        "characters": [one.character for one in line.characters],
        "boxes": [list(one.box) for one in line.characters],
        "masks": [one.mask for one in line.characters],
    }


def _schema(arrow: Any) -> Any:
    """Return the columns, with the description that `datasets` reads its features from."""
    text, number = arrow.string(), arrow.int32()
    columns = {
        "image": (
            arrow.struct([("bytes", arrow.binary()), ("path", text)]),
            {"_type": "Image"},
        ),
        "text": (text, _value("string")),
        "writer": (text, _value("string")),
        "characters": (arrow.list_(text), _listed(_value("string"))),
        "boxes": (arrow.list_(arrow.list_(number)), _listed(_listed(_value("int32")))),
        "masks": (arrow.list_(text), _listed(_value("string"))),
    }
    features = {name: feature for name, (_, feature) in columns.items()}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return arrow.schema([(name, kind) for name, (kind, _) in columns.items()], metadata)


def _value(kind: str) -> dict[str, Any]:
    return {"dtype": kind, "_type": "Value"}


def _listed(feature: dict[str, Any]) -> dict[str, Any]:
    return {"feature": feature, "_type": "List"}
