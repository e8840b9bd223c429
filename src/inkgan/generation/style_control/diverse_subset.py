"""Draws of one class that differ from each other, chosen among more."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist, pdist

from inkgan.errors import ConfigError
from inkgan.generation.protocols import GeneratorLike
from inkgan.generation.style_control.calibration_cache import is_readable
from inkgan.generation.style_control.measures import Style
from inkgan.generation.style_control.sample_styled import StyleController
from inkgan.metrics.features.extractors import look
from inkgan.types import Float64, Progress, UInt8, silent

CANDIDATES = 8  # for each digit that is wanted
FEWEST = 64  # candidates
MOST = 500  # of one class, chosen for their differences
POOL = 20_000  # draws at most that an unconditional generator is given
BATCH = 1000
SURE = 0.9  # the judge's confidence in a digit that is worth showing
TYPICAL = 0.9  # of the candidates are kept; the oddest are mostly broken


@dataclass(frozen=True)
class Chosen:
    """Draws of one class.

    Attributes:
        label: of the class.
        seeds: of the draws.
        images: uint8 (n, H, W).
        apart: the share of all pairs of candidates that are more alike than the two most alike
            of these.
    """

    label: int
    seeds: list[int]
    images: UInt8
    apart: float


def choose(
    sampler: GeneratorLike,
    label: int,
    count: int,
    style: Style,
    truncation: float = 1.0,
    progress: Progress = silent,
) -> Chosen:
    """Choose `count` draws of a class that differ, each from a seed of its own.

    Among the first seeds whose draws the judge reads as the class, without doubt and without the
    oddest tenth, each next one is the farthest from those already chosen (Gonzalez 1985).

    Args:
        sampler: what draws.
        label: of the class.
        count: 1 to MOST.
        style: that all of them shall have.
        truncation: a factor on the latents.
        progress: told of long work.

    Raises:
        ConfigError: an impossible count or style, or an unconditional generator that hardly ever
            draws this class or whose images the judge cannot read.
    """
    if not 1 <= count <= MOST:
        raise ConfigError(f"--count {count} is impossible; use 1 to {MOST}")
    stylist = StyleController(sampler, progress)
    wanted = max(FEWEST, CANDIDATES * count)
    if style.asked:
        stylist.check([label], style.targets(1))
    seeds = list(range(wanted)) if sampler.conditional else _own(stylist, label, wanted, truncation)
    latents = (truncation * sampler.latents(seeds)).astype(np.float32)
    labels = [label] * len(seeds)
    if style.asked:
        images = stylist.draw(latents, labels, style.targets(len(seeds))).images
    else:
        images = stylist.render(latents, np.asarray(labels))
    kept = _clear(images, label, count) if is_readable(sampler) else np.arange(len(images))
    places = _coarse(images[kept])
    rows = farthest_points(places, count)
    pairs = pdist(places[rows]) if count > 1 else np.zeros(1)
    apart = float((pdist(places) < pairs.min()).mean()) if len(places) > 1 else 0.0
    chosen = kept[rows]
    return Chosen(label, [seeds[row] for row in chosen], images[chosen], apart)


def farthest_points(places: Float64, count: int) -> np.ndarray:
    """Choose rows of places (n, d), n >= count: first the most central, then each time the farthest
    from those chosen. The oddest tenth is left out where enough remain."""
    distances = cdist(places, places)
    mean = distances.mean(axis=1)
    allowed = np.argsort(mean, kind="stable")[: max(count, int(TYPICAL * len(places)))]
    chosen = [int(allowed[0])]
    nearest = distances[chosen[0]].copy()
    for _ in range(count - 1):
        nearest[chosen[-1]] = -1.0
        chosen.append(int(allowed[nearest[allowed].argmax()]))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    return np.asarray(chosen)


def _own(stylist: StyleController, label: int, wanted: int, truncation: float) -> list[int]:
    """Find seeds from which an unconditional generator draws the class by itself."""
    found: list[int] = []
    for start in range(0, POOL, BATCH):
        seeds = range(start, start + BATCH)
        latents = (truncation * stylist.sampler.latents(seeds)).astype(np.float32)
        found += [
            s
            for s, read in zip(seeds, stylist.labels_of(latents, seeds), strict=True)
            if read == label
        ]
        stylist.progress("looking for the digit", min(len(found), wanted), wanted)
        if len(found) >= wanted:
            return found[:wanted]
    if len(found) < wanted // CANDIDATES:
        raise ConfigError(
            f"{len(found)} of {POOL:,} draws of {stylist.sampler.bundle.recipe.name} are a "
            f"{label}; ask for less, or name a conditional generator"
        )
    return found


def _clear(images: UInt8, label: int, count: int) -> np.ndarray:
    """Return the rows that the judge reads as the label without doubt, or the `count` clearest."""
    sure = look(images).probabilities[:, label]
    rows = np.flatnonzero(sure >= SURE)
    return rows if len(rows) >= count else np.sort(np.argsort(-sure, kind="stable")[:count])


def _coarse(images: UInt8) -> Float64:
    """Return images as vectors in which strokes a pixel apart are still alike: 2x2 means."""
    height, width = (side // 2 * 2 for side in images.shape[1:3])
    blocks = images[:, :height, :width].reshape(len(images), height // 2, 2, width // 2, 2, -1)
    coarse: Float64 = blocks.mean(axis=(2, 4)).reshape(len(images), -1)
    return coarse
