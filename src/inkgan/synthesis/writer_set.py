"""The writers of a data set: handwritings spread over slant and thickness, or imitated ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkgan import rng
from inkgan.errors import DataError
from inkgan.generation.protocols import GeneratorLike
from inkgan.handwriting.text import DIGITS
from inkgan.handwriting.writer import LATENT_STEP, Writer
from inkgan.metrics.strokes import measure
from inkgan.synthesis.glyph_pool import PEN_DIGITS
from inkgan.synthesis.request import SEEDS_PER_SET, Criteria
from inkgan.synthesis.sequence_request import Sequences
from inkgan.types import Bool, Float32, Float64, Int64, Progress, silent

CANDIDATES = 8  # for each writer that is chosen
STYLES = ("slant", "thickness")


@dataclass(frozen=True)
class WriterSet:
    """The writers of a data set.

    Attributes:
        names: of each writer: the seed that `inkgan.write` calls `hand`, or a picture's name.
        splits: the rows of each split's writers, (first, last + 1).
        latents: returns the latents (n, latent_dim) of rows of writers that write a digit for the
            k-th time: `latents(rows, digit, k)`.
    """

    names: tuple[str, ...]
    splits: dict[str, tuple[int, int]]
    latents: Callable[[Int64, int, int], Float32]

    def __len__(self) -> int:
        return len(self.names)


def choose_writers(
    generator: GeneratorLike, sequences: Sequences, criteria: Criteria, seed: int
) -> WriterSet:
    """Choose handwritings that are spread evenly over slant and thickness.

    Eight seeds for each writer are candidates. Each split's candidates are divided, by slant and
    then by thickness, into as many cells of equal size as the split has writers; each cell gives
    one. Slant and thickness are latent coordinates, where the generator has been trained so, and
    measured on three digits elsewhere.

    Args:
        generator: conditional, of gray digits.
        sequences: resolved.
        criteria: whose slant and thickness the handwritings satisfy.
        seed: of the data set; others have other writers.
    """
    chosen: list[Int64] = []
    splits = {}
    first = seed * SEEDS_PER_SET
    for split, count in sequences.num_writers().items():
        candidates = np.arange(first, first + CANDIDATES * count, dtype=np.int64)
        first += len(candidates)
        styles, suitable = _styles(generator, candidates, criteria)
        candidates, styles = candidates[suitable], styles[suitable]
        if len(candidates) < count:
            raise DataError(
                f"only {int(suitable.sum()):,} of {len(suitable):,} handwritings have such a "
                f"`slant` and `thickness`, and {count:,} writers are needed; widen the range or "
                "take fewer `writers`"
            )
        before = sum(map(len, chosen))
        chosen.append(candidates[spread_choice(styles, count)])
        splits[split] = (before, before + len(chosen[-1]))
    seeds = np.concatenate(chosen)
    places = generator.latents(seeds.tolist())

    def latents(rows: Int64, digit: int, number: int) -> Float32:
        return repeated(places[rows], seeds[rows].tolist(), digit, number)

    return WriterSet(tuple(map(str, seeds.tolist())), splits, latents)


def imitated_writers(
    generator: GeneratorLike, sequences: Sequences, progress: Progress = silent
) -> WriterSet:
    """Imitate the handwriting of each picture.

    Raises:
        DataError: a picture that cannot be read.
    """
    from inkgan.inversion.imitate import imitate

    writers = [imitate(path, generator, progress=progress).writer for path in sequences.hands]
    names = [Path(path).stem for path in sequences.hands]
    unique = [name if names.count(name) == 1 else f"{name}-{row}" for row, name in enumerate(names)]
    splits, first = {}, 0
    for split, count in sequences.num_writers().items():
        splits[split] = (first, first + count)
        first += count

    def latents(rows: Int64, digit: int, number: int) -> Float32:
        return np.stack([_imitated(writers[row], digit, number) for row in rows.tolist()])

    return WriterSet(tuple(unique), splits, latents)


def repeated(places: Float32, seeds: Sequence[int], digit: int, number: int) -> Float32:
    """Return the latents of writers who write a digit for the k-th time, as `inkgan.write` does.

    The first is the writer's latent; later ones are a step of LATENT_STEP away from it and as
    likely as it.
    """
    if number == 0:
        return places
    step = LATENT_STEP
    direction = rng.normal(
        list(seeds), places.shape[1], "write", "repeat", DIGITS[digit], number
    ).numpy()
    moved = np.sqrt(1 - step**2) * places + step * direction.astype(np.float64)
    return np.asarray(moved, np.float32)


def spread_choice(styles: Float64, count: int) -> Int64:
    """Choose rows of styles (n, 2) that are spread evenly over both; fewer if n < count.

    Example:
        >>> spread_choice(np.array([[0.0, 1], [1, 0], [5, 5], [6, 6]]), 2)
    """
    count = min(count, len(styles))
    columns = max(1, round(count**0.5))
    by_slant = np.argsort(styles[:, 0], kind="stable")
    chosen: list[int] = []
    shares = np.array_split(np.arange(count), columns)
    edges = np.round(np.cumsum([0, *map(len, shares)]) * len(styles) / count).astype(int)
    for share, start, end in zip(shares, edges, edges[1:], strict=False):
        column = by_slant[start:end]
        by_thickness = column[np.argsort(styles[column, 1], kind="stable")]
        for cell in np.array_split(by_thickness, len(share)):
            chosen.append(int(cell[len(cell) // 2]))
    return np.sort(np.array(chosen, np.int64))


def _styles(generator: GeneratorLike, seeds: Int64, criteria: Criteria) -> tuple[Float64, Bool]:
    """Return slant and thickness (n, 2) of candidates, and which of them satisfy the criteria."""
    known: list[str] = list(generator.bundle.recipe.model.style_measures)
    limited = criteria.slant is not None or criteria.thickness is not None
    latents = generator.latents(seeds.tolist())
    if not limited and all(name in known for name in STYLES):
        columns = np.array([known.index(name) for name in STYLES])
        styles = latents[:, columns].astype(np.float64)
        return styles, np.ones(len(seeds), np.bool_)
    each = []
    for digit in PEN_DIGITS:
        strokes = measure(generator.render(latents, [digit] * len(latents)))
        each.append(np.stack([strokes.slant, strokes.thickness], axis=1))
    styles = np.nan_to_num(np.median(each, axis=0))
    suitable = np.ones(len(seeds), np.bool_)
    for column, bounds in enumerate((criteria.slant, criteria.thickness)):
        if bounds is not None:
            suitable &= (styles[:, column] >= bounds[0]) & (styles[:, column] <= bounds[1])
    return styles, suitable


def _imitated(writer: Writer, digit: int, number: int) -> Float32:
    return writer.place(DIGITS[digit], number, LATENT_STEP)
