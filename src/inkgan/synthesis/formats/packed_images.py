"""Many images in one file: Parquet as Hugging Face reads it, and WebDataset with packed arrays."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from inkgan.optional_imports import import_extra
from inkgan.synthesis.packed_shards import PackedShard, num_shards
from inkgan.synthesis.request import LabeledImages
from inkgan.synthesis.shard_store import NOT_PREDICTED, ShardResult
from inkgan.types import UInt8

ROWS_PER_GROUP = 20_000  # of Parquet: some megabytes, which readers take at once
IMAGES_PER_MEMBER = 1000  # of a tar file: its headers of 1 kB would be larger than an image
COMPRESSION = 6


def packed_name(images: LabeledImages, shard: PackedShard) -> str:
    """Return the name of the file of a shard."""
    if images.format == "parquet":
        total = num_shards(images, shard.split)
        return f"data/{shard.split}-{shard.number:05d}-of-{total:05d}.parquet"
    return f"{shard.split}-{shard.number:06d}.tar.gz"


def encode_packed(
    images: LabeledImages, shard: PackedShard, blocks: Iterable[ShardResult], classes: Sequence[str]
) -> bytes:
    """Return the file of a shard, from its images block by block; the same images, the same bytes.

    Raises:
        ConfigError: the library of the format is not installed.
    """
    if images.format == "parquet":
        return _encode_parquet(shard, blocks, classes)
    return _encode_webdataset(shard, blocks)


# --- Parquet ---


def _encode_parquet(
    shard: PackedShard, blocks: Iterable[ShardResult], classes: Sequence[str]
) -> bytes:
    """Write a row for each image: image, label, seed, predicted, confidence."""
    arrow = import_extra("pyarrow", "parquet", "`format='parquet'`")
    parquet = import_extra("pyarrow.parquet", "parquet", "`format='parquet'`")
    schema, buffer = _schema(arrow, classes), io.BytesIO()
    with parquet.ParquetWriter(buffer, schema, compression="snappy") as writer:
        waiting: list[Any] = []
        for index, block in _numbered(blocks, shard.first):
            waiting.append(_batch(arrow, schema, index, block))
            if sum(batch.num_rows for batch in waiting) >= ROWS_PER_GROUP:
                writer.write_table(arrow.Table.from_batches(waiting, schema), ROWS_PER_GROUP)
                waiting = []
        if waiting:
            writer.write_table(arrow.Table.from_batches(waiting, schema), ROWS_PER_GROUP)
    return buffer.getvalue()


def _batch(arrow: Any, schema: Any, first: int, block: ShardResult) -> Any:
    unknown = block.predicted == NOT_PREDICTED
    pictures = [
        {"bytes": _png(pixels), "path": f"{first + row:09d}.png"}
        for row, pixels in enumerate(block.pixels)
    ]
    columns = [
        arrow.array(pictures, schema.field("image").type),
        arrow.array(block.labels, arrow.int64()),
        arrow.array(block.seeds, arrow.int64()),
        arrow.array(block.predicted, arrow.int64(), mask=unknown),
        arrow.array(block.confidence, arrow.float32(), mask=np.isnan(block.confidence)),
    ]
    return arrow.RecordBatch.from_arrays(columns, schema=schema)


def _png(pixels: UInt8) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=COMPRESSION)
    return buffer.getvalue()


def _schema(arrow: Any, classes: Sequence[str]) -> Any:
    """Return the columns, with the description that `datasets` reads its features from."""
    number = {"dtype": "int64", "_type": "Value"}
    columns = {
        "image": (
            arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())]),
            {"_type": "Image"},
        ),
        "label": (arrow.int64(), {"names": list(classes), "_type": "ClassLabel"}),
        "seed": (arrow.int64(), number),
        "predicted": (arrow.int64(), number),
        "confidence": (arrow.float32(), {"dtype": "float32", "_type": "Value"}),
    }
    features = {name: feature for name, (_, feature) in columns.items()}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return arrow.schema([(name, kind) for name, (kind, _) in columns.items()], metadata)


# --- WebDataset ---


def _encode_webdataset(shard: PackedShard, blocks: Iterable[ShardResult]) -> bytes:
    """Write arrays of a thousand images: x.npy (n, H, W[, 3]), y.npy, seed.npy."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(
            filename="", mode="wb", fileobj=buffer, compresslevel=COMPRESSION, mtime=0
        ) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for index, block in _numbered(blocks, shard.first):
            for start in range(0, len(block), IMAGES_PER_MEMBER):
                part = block.take(slice(start, start + IMAGES_PER_MEMBER))
                name = f"{shard.split}-{index + start:09d}"
                arrays: dict[str, np.ndarray] = {"seed": part.seeds, "x": part.pixels}
                arrays["y"] = part.labels
                for key, array in arrays.items():
                    _add(archive, f"{name}.{key}.npy", array)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, array: np.ndarray) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.ascontiguousarray(array), (1, 0), allow_pickle=False)
    member = tarfile.TarInfo(name)
    member.size = content.tell()
    content.seek(0)
    archive.addfile(member, content)


def _numbered(blocks: Iterable[ShardResult], first: int) -> Iterator[tuple[int, ShardResult]]:
    for block in blocks:
        yield first, block
        first += len(block)
