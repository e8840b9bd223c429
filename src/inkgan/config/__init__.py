"""A recipe as one frozen value: what is trained, on what, how and for how long.

Recipes are complete and never change; `serialize.py` writes them as TOML, reads them and makes
changed copies. Every field is used by some part of the program.
"""

from inkgan.config.data_config import Augment, Data
from inkgan.config.model_config import (
    Convolution,
    CustomDiscriminatorConfig,
    CustomGeneratorConfig,
    DcganDiscriminatorConfig,
    DcganGeneratorConfig,
    DiscriminatorConditioning,
    GeneratorConditioning,
    InitName,
    Kernel,
    MlpDiscriminatorConfig,
    MlpGeneratorConfig,
    Model,
    Normalization,
    ResidualDiscriminatorConfig,
    ResidualGeneratorConfig,
    Stem,
    StyleName,
)
from inkgan.config.recipe import Objective, Optim, Penalties, Recipe, Schedule, UpdateScheme
from inkgan.config.value import Value

__all__ = [
    "Augment",
    "Convolution",
    "CustomDiscriminatorConfig",
    "CustomGeneratorConfig",
    "Data",
    "DcganDiscriminatorConfig",
    "DcganGeneratorConfig",
    "DiscriminatorConditioning",
    "GeneratorConditioning",
    "InitName",
    "Kernel",
    "MlpDiscriminatorConfig",
    "MlpGeneratorConfig",
    "Model",
    "Normalization",
    "Objective",
    "Optim",
    "Penalties",
    "Recipe",
    "ResidualDiscriminatorConfig",
    "ResidualGeneratorConfig",
    "Schedule",
    "Stem",
    "StyleName",
    "UpdateScheme",
    "Value",
]
