"""Draw the digits of all writers, a block of writers at a time, and keep them on disk."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkgan.errors import DataError
from inkgan.generation.protocols import GeneratorLike
from inkgan.images import Shape
from inkgan.synthesis.dataset_sampler import criteria_tests, examine
from inkgan.synthesis.glyph_pool import INK, GlyphPool
from inkgan.synthesis.request import SynthesisRequest
from inkgan.synthesis.shard_file import (
    TEXTS,
    ArrayType,
    Schema,
    damaged,
    load_arrays,
    load_intact,
    save_arrays,
)
from inkgan.synthesis.shard_store import NOT_PREDICTED, DrawCounts
from inkgan.synthesis.writer_set import WriterSet
from inkgan.types import Bool, Float32, Int64, Progress, silent

GLYPHS_PER_BLOCK = 2000  # some seconds of drawing: the most that an interruption can cost
ATTEMPTS = 30  # at each image of a writer's digit, before the criteria count as too strict
ARRAYS = ("images", "predicted", "confidence", "numbers")


@dataclass(frozen=True)
class DrawnPool:
    """The digits of all writers with what is known of each.

    Attributes:
        pool: the images.
        predicted: classes that the classifier predicts, (writers, 10, variants).
        confidence: the probability that it gives to the label, or NaN.
        numbers: how many times the writer had written the digit before, as `inkgan.write` counts;
            -1 where an image is not needed.
        counts: how many images were drawn and rejected.
    """

    pool: GlyphPool
    predicted: Int64
    confidence: Float32
    numbers: Int64
    counts: DrawCounts


def draw_pool(
    folder: Path | None,
    generator: GeneratorLike,
    request: SynthesisRequest,
    writers: WriterSet,
    variants: int,
    needed: Bool | None = None,
    progress: Progress = silent,
) -> DrawnPool:
    """Draw what is not saved yet, and return all of it.

    Args:
        folder: that keeps a file for each block of writers; None keeps none.
        generator: conditional, of gray digits.
        request: whose criteria each image satisfies.
        writers: whose digits are drawn.
        variants: images of each digit of a writer.
        needed: which images are drawn, (writers, 10, variants); None draws all, the others are
            blank.
        progress: called as `progress("drawing", done, total)`.

    Raises:
        DataError: too few of the generator's images satisfy the criteria.
    """
    blocks = []
    counts = DrawCounts()
    if needed is None:
        needed = np.ones((len(writers), 10, variants), np.bool_)
    per_block = max(1, GLYPHS_PER_BLOCK // (10 * variants))
    for index, first in enumerate(range(0, len(writers), per_block)):
        rows = np.arange(first, min(first + per_block, len(writers)))
        path = None if folder is None else folder / f"glyphs-{index:06d}.npz"
        schema = _schema(len(rows), variants, generator.bundle.shape)
        of_rows = needed[rows]
        saved = None if path is None else load_intact(path, partial(_load, path, schema, of_rows))
        if saved is None:
            block, of_block = _draw_block(rows, generator, request, writers, of_rows)
            if path is not None:
                save_arrays(path, block | of_block.as_arrays())
        else:
            block, of_block = saved
        blocks.append(block)
        counts = counts.add(of_block.drawn, of_block.rejected)
        progress("drawing", int(needed[: rows[-1] + 1].sum()), int(needed.sum()))
    joined = {name: np.concatenate([block[name] for block in blocks]) for name in ARRAYS}
    return DrawnPool(
        GlyphPool(joined["images"], writers.names),
        joined["predicted"].astype(np.int64),
        joined["confidence"],
        joined["numbers"].astype(np.int64),
        counts,
    )


def _draw_block(
    rows: Int64,
    generator: GeneratorLike,
    request: SynthesisRequest,
    writers: WriterSet,
    needed: Bool,
) -> tuple[dict[str, npt.NDArray[Any]], DrawCounts]:
    """Draw the needed digits of some writers until each satisfies the criteria."""
    shape, size = generator.bundle.shape, needed.shape
    variants = size[2]
    images = np.zeros((*size, shape.height, shape.width), np.uint8)
    predicted = np.full(size, NOT_PREDICTED, np.int16)
    confidence = np.full(size, np.nan, np.float32)
    numbers = np.full(size, -1, np.int32)
    counts = DrawCounts()
    for attempt in range(ATTEMPTS):
        places, latents = [], []
        for digit, variant in np.ndindex(10, variants):
            missing = np.flatnonzero((needed & (numbers < 0))[:, digit, variant])
            if len(missing):
                number = variant + attempt * variants
                latents.append(writers.latents(rows[missing], digit, number))
                places += [(row, digit, variant) for row in missing.tolist()]
        if not places:
            break
        labels = np.array([digit for _, digit, _ in places])
        drawn = generator.render(np.concatenate(latents), labels.tolist())
        result = examine(drawn, labels, labels, generator, request.criteria)
        tests = {"blank": (drawn >= INK).any(axis=(1, 2))}
        accepted = np.ones(len(places), np.bool_)
        for reason, passes in (tests | criteria_tests(request.criteria, result)).items():
            counts = counts.add(0, {reason: int((accepted & ~passes).sum())})
            accepted &= passes
        counts = counts.add(len(places), {})
        chosen = tuple(np.array(places)[accepted].T)
        images[chosen] = drawn[accepted]
        predicted[chosen], confidence[chosen] = (
            result.predicted[accepted],
            result.confidence[accepted],
        )
        numbers[chosen] = chosen[2] + attempt * variants
    if (needed & (numbers < 0)).any():
        row, digit, _ = np.argwhere(needed & (numbers < 0))[0].tolist()
        reasons = ", ".join(f"{why} {count:,}" for why, count in counts.rejected.items())
        raise DataError(
            f"writer {writers.names[int(rows[row])]} does not deliver a {digit} in {ATTEMPTS} "
            f"attempts (rejected so far: {reasons}); relax `min_confidence`, `slant` or "
            "`thickness`, or use another generator"
        )
    block: dict[str, npt.NDArray[Any]] = {
        "images": images,
        "predicted": predicted,
        "confidence": confidence,
        "numbers": numbers,
    }
    return block, counts


def _schema(writers: int, variants: int, shape: Shape) -> Schema:
    size = writers, 10, variants
    return {
        "images": ArrayType("uint8", (*size, shape.height, shape.width)),
        "predicted": ArrayType("int16", size),
        "confidence": ArrayType("float32", size),
        "numbers": ArrayType("int32", size),
        "reasons": ArrayType(TEXTS, ("reasons",)),
        "counts": ArrayType("int64", ("counts",)),
    }


def _load(
    path: Path, schema: Schema, needed: Bool
) -> tuple[dict[str, npt.NDArray[Any]], DrawCounts]:
    arrays = load_arrays(path, schema)
    if (needed & (arrays["numbers"] < 0)).any():
        raise damaged(path, "a digit is missing")
    return {name: arrays[name] for name in ARRAYS}, DrawCounts.from_arrays(arrays, path)
