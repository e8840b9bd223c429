"""Find out what a stream of images is: a generator, a data set of many files, or an iterable."""

from pathlib import Path
from typing import Any

from inkgan.data.readers.packed_files import find_packed
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.reference import LEAST_IMAGES
from inkgan.evaluation.streamed.image_iterables import IterableStream, NpzChunks, is_iterable
from inkgan.evaluation.streamed.streamed_sources import (
    GeneratorStream,
    NumberedStream,
    PackedStream,
)
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint
from inkgan.io.run_dir import RunFolder
from inkgan.storage import is_url

DEFAULT_IMAGES = 1_000_000  # of a generator


def open_stream(
    source: Any, images: int | None, checkpoint: Checkpoint, device: str
) -> NumberedStream | IterableStream:
    """Find out what a stream of images is.

    Args:
        source: a generator or its name, a data set of many files, or an iterable of arrays.
        images: how many are read; a generator draws a million where it is None.
        checkpoint: of a run; `device` draws.

    Raises:
        ConfigError: it is none of these.
        DataError: the generator draws no gray digits.
    """
    if images is not None and images < LEAST_IMAGES:
        raise ConfigError(f"`images` must be at least {LEAST_IMAGES}, not {images}")
    if isinstance(source, RunFolder):
        source = source.path
    if isinstance(source, str | Path):
        packed = find_packed(source)
        if packed is not None:
            return PackedStream(packed, min(sum(packed.counts), images or sum(packed.counts)))
        if str(source).lower().endswith(".npz"):
            return IterableStream(NpzChunks(Path(source)), str(source), images)
        generator: Generator | None = None
        stream = GeneratorStream(str(source), "", images or DEFAULT_IMAGES, checkpoint, device)
    elif isinstance(source, Generator):
        generator = source
        stream = GeneratorStream(
            source.bundle.recipe.name, "", images or DEFAULT_IMAGES, checkpoint, device, source
        )
    elif is_iterable(source):
        return IterableStream(source, "images", images)
    else:
        raise ConfigError(
            "`source` of a stream must be a generator, a data set of many files, an .npz or an "
            f"iterable of arrays, not {type(source).__name__}"
        )
    bundle = (generator or stream.generator()).bundle
    if bundle.shape.channels != 1:
        raise DataError(f"{stream.name} draws {bundle.shape} images; a stream takes gray digits")
    return GeneratorStream(stream.name, bundle.digest, stream.total, checkpoint, device, generator)


def is_stream(source: Any) -> bool:
    """Return whether a source can only be streamed: an iterable, or a data set of many files."""
    if isinstance(source, RunFolder):
        return False
    if isinstance(source, str | Path):
        return is_url(source) or find_packed(source) is not None
    return is_iterable(source)
