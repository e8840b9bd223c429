"""Chooses draws of one class that differ from each other."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist, pdist

from inkgan.errors import ConfigError
from inkgan.generation.protocols import GeneratorLike, can_classify
from inkgan.generation.style_control.controller import StyleController
from inkgan.generation.style_control.style import Style
from inkgan.metrics.features.extractors import classify
from inkgan.types import Float64, Progress, UInt8, silent

CANDIDATES = 8  # for each requested image
FEWEST_CANDIDATES = 64
MOST = 500  # images of one class
POOL = 20_000  # draws of an unconditional generator, at most
BATCH = 1000
CONFIDENT = 0.9  # probability of the class, by E1
TYPICAL = 0.9  # of the candidates are kept; the oddest are mostly broken


@dataclass(frozen=True)
class DiverseSubset:
    """Draws of one class.

    Attributes:
        label: of the class.
        seeds: of the draws.
        images: uint8 (n, H, W).
        spacing: the share of all pairs of candidates that are more alike than the two most alike
            of these.
    """

    label: int
    seeds: list[int]
    images: UInt8
    spacing: float


def diverse_subset(
    generator: GeneratorLike,
    label: int,
    count: int,
    style: Style,
    latent_scale: float = 1.0,
    progress: Progress = silent,
) -> DiverseSubset:
    """Choose `count` draws of a class that differ, each from a seed of its own.

    Candidates are the first seeds whose draws E1 confidently assigns to the class, without the
    oddest tenth. Each next draw is the farthest from those already chosen (farthest-point
    traversal, Gonzalez 1985).

    Args:
        generator: what draws.
        label: of the class.
        count: 1 to MOST.
        style: of all images.
        latent_scale: a factor on the latents.
        progress: called during long work.

    Raises:
        ConfigError: a count or style that is not possible, or an unconditional generator that
            hardly ever draws this class or whose images cannot be classified.
    """
    if not 1 <= count <= MOST:
        raise ConfigError(f"`count` must be from 1 to {MOST} of a class, not {count}")
    controller = StyleController(generator, progress)
    num_candidates = max(FEWEST_CANDIDATES, CANDIDATES * count)
    if style.requested:
        controller.check([label], *style.bounds(1))
    seeds = _seeds(controller, label, num_candidates, latent_scale)
    latents = (latent_scale * generator.latents(seeds)).astype(np.float32)
    labels = [label] * len(seeds)
    if style.requested:
        images = controller.sample(latents, labels, style).images
    else:
        images = controller.render(latents, np.asarray(labels))
    readable = can_classify(generator.bundle)
    kept = _confident(images, label, count) if readable else np.arange(len(images))
    points = _coarse(images[kept])
    rows = farthest_points(points, count)
    pairs = pdist(points[rows]) if count > 1 else np.zeros(1)
    spacing = float((pdist(points) < pairs.min()).mean()) if len(points) > 1 else 0.0
    chosen = kept[rows]
    return DiverseSubset(label, [seeds[row] for row in chosen], images[chosen], spacing)


def farthest_points(points: Float64, count: int) -> np.ndarray:
    """Choose rows of points (n, d), n >= count, far from each other.

    The first is the most central, each next one the farthest from those chosen. The oddest tenth is
    left out where enough remain.
    """
    distances = cdist(points, points)
    mean = distances.mean(axis=1)
    allowed = np.argsort(mean, kind="stable")[: max(count, int(TYPICAL * len(points)))]
    chosen = [int(allowed[0])]
    nearest = distances[chosen[0]].copy()
    for _ in range(count - 1):
        nearest[chosen[-1]] = -1.0
        chosen.append(int(allowed[nearest[allowed].argmax()]))
        nearest = np.minimum(nearest, distances[chosen[-1]])
    return np.asarray(chosen)


def _seeds(
    controller: StyleController, label: int, num_candidates: int, latent_scale: float
) -> list[int]:
    """Return the first seeds of a class; an unconditional generator draws them by chance."""
    if controller.generator.conditional:
        return list(range(num_candidates))
    found: list[int] = []
    for start in range(0, POOL, BATCH):
        seeds = range(start, start + BATCH)
        latents = (latent_scale * controller.generator.latents(seeds)).astype(np.float32)
        found += [
            s
            for s, predicted in zip(seeds, controller.predict_labels(latents, seeds), strict=True)
            if predicted == label
        ]
        controller.progress(
            "searching for the digit", min(len(found), num_candidates), num_candidates
        )
        if len(found) >= num_candidates:
            return found[:num_candidates]
    if len(found) < num_candidates // CANDIDATES:
        raise ConfigError(
            f"{len(found)} of {POOL:,} draws of {controller.generator.bundle.recipe.name} are a "
            f"{label}; request fewer, or use a conditional generator"
        )
    return found


def _confident(images: UInt8, label: int, count: int) -> np.ndarray:
    """Return the rows that E1 confidently assigns to the label, or the `count` likeliest."""
    confidence = classify(images).probabilities[:, label]
    rows = np.flatnonzero(confidence >= CONFIDENT)
    return rows if len(rows) >= count else np.sort(np.argsort(-confidence, kind="stable")[:count])


def _coarse(images: UInt8) -> Float64:
    """Return images as vectors in which strokes a pixel spacing are still alike: 2x2 means."""
    height, width = (side // 2 * 2 for side in images.shape[1:3])
    blocks = images[:, :height, :width].reshape(len(images), height // 2, 2, width // 2, 2, -1)
    coarse: Float64 = blocks.mean(axis=(2, 4)).reshape(len(images), -1)
    return coarse
