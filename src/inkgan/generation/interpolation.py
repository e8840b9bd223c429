"""Paths through latent space and between classes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.protocols import GeneratorLike, class_labels
from inkgan.types import Float32

PARALLEL = 1e-4  # radians between latents below which a straight line is as good


class LatentPath(NamedTuple):
    """The inputs of a generator, picture after picture, in a loop.

    Attributes:
        latents: float32 (n, latent_dim).
        weights: of the classes, float32 (n, classes); None for an unconditional generator.
        stops: whether each picture is one of the stops, (n,).
    """

    latents: Float32
    weights: Float32 | None
    stops: tuple[bool, ...]


def slerp(start: Float32, end: Float32, share: float) -> Float32:
    """Interpolate spherically between latents (latent_dim,) (Shoemake 1985; White 2016).

    A straight line between two draws of N(0, 1) passes nearer to the origin than draws ever lie;
    the arc between them does not.
    """
    cosine = float(np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end)))
    angle = float(np.arccos(np.clip(cosine, -1, 1)))
    if angle < PARALLEL or np.pi - angle < PARALLEL:
        return np.asarray((1 - share) * start + share * end, np.float32)
    mixed = np.sin((1 - share) * angle) * start + np.sin(share * angle) * end
    return np.asarray(mixed / np.sin(angle), np.float32)


def path_length(stops: int, frames: int, loop: bool) -> int:
    """Return how many pictures a loop over so many stops has, `frames` from each to the next."""
    return frames * (stops if loop else 2 * (stops - 1))


def plan_path(
    generator: GeneratorLike,
    classes: Sequence[str],
    hands: Sequence[int],
    *,
    frames: int,
    loop: bool,
) -> LatentPath:
    """Plan a loop over stops, each a class of a writer.

    Between two stops latents take the arc and the weights of the classes the straight line. A
    single class or writer stays the same at all stops.

    Args:
        generator: whose latents and classes.
        classes: names of classes, such as "3"; none for an unconditional generator.
        hands: seeds of writers.
        frames: pictures from each stop to the next.
        loop: go on from the last stop to the first; otherwise go back the same way.

    Raises:
        ConfigError: fewer than two stops, or classes and hands that do not match.
    """
    count = max(len(classes), len(hands))
    if count < 2:
        raise ConfigError(
            "`classes` and `hand` give one stop; name two classes, such as `classes=38`, or two "
            "writers, such as `hand=[1, 5]`"
        )
    if len(classes) not in (0, 1, count) or len(hands) not in (1, count):
        raise ConfigError(
            f"`classes` has {len(classes)} values and `hand` has {len(hands)}; give as many of "
            "both, or one of either"
        )
    latents = generator.latents([hands[i % len(hands)] for i in range(count)])
    labels = class_labels(generator, [classes[i % len(classes)] for i in range(count) if classes])
    weights = None
    if labels is not None:
        weights = np.eye(len(generator.bundle.classes), dtype=np.float32)[labels]
    legs = [(i, (i + 1) % count) for i in range(count if loop else count - 1)]
    moments = [(i, j, frame / frames) for i, j in legs for frame in range(frames)]
    if not loop:
        outward = [*moments, (count - 2, count - 1, 1.0)]
        moments = outward + outward[-2:0:-1]
    return LatentPath(
        np.stack([slerp(latents[i], latents[j], t) for i, j, t in moments]),
        None
        if weights is None
        else np.stack([(1 - t) * weights[i] + t * weights[j] for i, j, t in moments]).astype(
            np.float32
        ),
        tuple(t in (0.0, 1.0) for _, _, t in moments),
    )
