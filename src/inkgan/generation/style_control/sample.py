"""Samples with a style, or with images that differ from each other."""

import numpy as np

from inkgan.generation.protocols import GeneratorLike
from inkgan.generation.style_control.controller import StyleController
from inkgan.generation.style_control.diverse_subset import diverse_subset
from inkgan.generation.style_control.latent_search import StyledImages
from inkgan.generation.style_control.style import Style
from inkgan.types import Progress, UInt8, silent


def sample_styled(
    generator: GeneratorLike,
    labels: list[int] | None,
    seeds: list[int],
    style: Style,
    latent_scale: float = 1.0,
    progress: Progress = silent,
) -> tuple[StyledImages, list[int]]:
    """Draw an image for each seed in a style.

    Args:
        generator: what draws.
        labels: the class of each image, only for a conditional generator; by default the class
            that belongs to each seed.
        seeds: of the images.
        style: what to draw.
        latent_scale: factor on the latents, before they are moved.
        progress: called during the search.

    Returns:
        The images and their classes.

    Raises:
        ConfigError: a style that cannot be, or out of reach of a class.
    """
    controller = StyleController(generator, progress)
    latents = np.asarray(latent_scale * generator.latents(seeds), np.float32)
    if labels is None:
        labels = controller.predict_labels(latents, seeds)
    return controller.sample(latents, labels, style), labels


def sample_diverse(
    generator: GeneratorLike,
    labels: list[int],
    style: Style,
    latent_scale: float = 1.0,
    progress: Progress = silent,
) -> UInt8:
    """Draw images of which those of each class differ; arguments as of `sample_styled`."""
    given = np.asarray(labels)
    images: UInt8 | None = None
    for label in dict.fromkeys(labels):
        rows = np.flatnonzero(given == label)
        subset = diverse_subset(generator, label, len(rows), style, latent_scale, progress)
        if images is None:
            images = np.empty((len(labels), *subset.images.shape[1:]), np.uint8)
        images[rows] = subset.images
    assert images is not None  # there is at least one label
    return images
