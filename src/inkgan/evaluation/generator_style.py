"""Whether one latent under every label keeps its style: the style consistency of a generator."""

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.light_on_dark import light_on_dark
from inkgan.generation.protocols import GeneratorLike
from inkgan.metrics.style_consistency import StyleConsistency, measure_style_consistency
from inkgan.types import Progress, silent

STYLE_LATENTS = 200  # each drawn as all digits
STYLE_FIRST_SEED = 2_000_000  # apart from those of the images that are evaluated


def generator_style_consistency(
    generator: GeneratorLike, latents: int | None = None, progress: Progress = silent
) -> StyleConsistency:
    """Draw `latents` latents under each label (200), and measure how far they keep their style.

    Raises:
        ConfigError: an unconditional generator, one of color images, or fewer than two latents.
    """
    bundle = generator.bundle
    if not generator.conditional:
        raise ConfigError(
            f"{bundle.recipe.name} is unconditional: it cannot draw one latent as every digit; "
            "train a recipe with `model.classes`"
        )
    if bundle.shape.channels != 1:
        raise ConfigError(f"{bundle.recipe.name} draws {bundle.shape} images; strokes are gray")
    latents = STYLE_LATENTS if latents is None else latents
    if latents < 2:
        raise ConfigError(f"`latents` must be 2 or more, not {latents}")
    generator = light_on_dark(generator)
    seeds = range(STYLE_FIRST_SEED, STYLE_FIRST_SEED + latents)
    columns = []
    for label in range(len(bundle.classes)):
        columns.append(generator.sample(labels=[label] * latents, seeds=seeds))
        progress("drawing each latent as every digit", label + 1, len(bundle.classes))
    return measure_style_consistency(np.stack(columns, axis=1), progress)
