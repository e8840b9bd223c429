"""Drawing the same latents under every label, to see whether they write in one hand."""

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.generator import Generator
from inkgan.metrics.style_consistency import Hand, assess_hand
from inkgan.types import Progress, silent

LATENTS = 200
FIRST_SEED = 2_000_000  # apart from those of the images that are judged


def one_hand(sampler: Generator, latents: int = LATENTS, progress: Progress = silent) -> Hand:
    """Draw `latents` latents under each label, and measure how far they keep their style.

    Raises:
        ConfigError: an unconditional generator, one of colour images, or fewer than two latents.
    """
    bundle = sampler.bundle
    if not sampler.conditional:
        raise ConfigError(
            f"{bundle.recipe.name} is unconditional: it cannot draw one latent as every digit; "
            "train a recipe with model.classes"
        )
    if bundle.shape.channels != 1:
        raise ConfigError(f"{bundle.recipe.name} draws {bundle.shape} images; strokes are grey")
    if latents < 2:
        raise ConfigError(f"latents={latents} are too few to compare; use 2 or more")
    seeds = range(FIRST_SEED, FIRST_SEED + latents)
    columns = []
    for label in range(len(bundle.classes)):
        columns.append(sampler.sample(labels=[label] * latents, seeds=seeds))
        progress("drawing each latent as every digit", label + 1, len(bundle.classes))
    return assess_hand(np.stack(columns, axis=1), progress)
