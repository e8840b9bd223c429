"""Old public names that still work."""

import warnings
from typing import Any

from inkgan.errors import ConfigError
from inkgan.generation.arguments import Labels, Seeds
from inkgan.generation.generator import Generator
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.types import UInt8


def styled(
    labels: Labels | None = None,
    seeds: Seeds | None = None,
    source: GeneratorSource = "flagship",
    *,
    device: str = "auto",
    **options: Any,
) -> UInt8:
    """Call `Generator.sample` of a source; deprecated.

    Args:
        labels: as of `Generator.sample`.
        seeds: as of `Generator.sample`.
        source: a run, bundle or name, or a generator.
        device: auto, cpu, cuda, cuda:N or mps.
        options: as of `Generator.sample`; `truncation` is the old name of `latent_scale`.
    """
    warnings.warn(
        "`inkgan.styled` is deprecated; use `inkgan.load(source).sample(labels, slant=...)`",
        DeprecationWarning,
        stacklevel=2,
    )
    generator = open_generator(source, device)
    if not isinstance(generator, Generator):
        raise ConfigError("`source` must be a Generator, as `inkgan.load` returns it")
    if "truncation" in options:
        options["latent_scale"] = options.pop("truncation")
    return generator.sample(labels, seeds=seeds, **options)
