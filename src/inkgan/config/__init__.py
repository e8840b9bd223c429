"""A recipe as one frozen value: what is trained, on what, how and for how long.

Recipes are complete: nothing changes one after it is made, and `toml.py` turns them into text and
back. Every field here is read by some part of the program.
"""

from inkgan.config.base import Value
from inkgan.config.data import DATASET_PREFIXES, Augment, Data, DatasetName
from inkgan.config.model import (
    Convolution,
    DcganDiscriminator,
    DcganGenerator,
    DiscriminatorConditioning,
    GeneratorConditioning,
    InitName,
    Kernel,
    MlpDiscriminator,
    MlpGenerator,
    Model,
    Normalisation,
    ResidualDiscriminator,
    ResidualGenerator,
    Stem,
    StyleName,
)
from inkgan.config.recipe import (
    LossName,
    Objective,
    Optim,
    Penalties,
    Recipe,
    Schedule,
    TransformationName,
)

__all__ = [
    "DATASET_PREFIXES", "Augment", "Convolution", "Data", "DatasetName", "DcganDiscriminator",
    "DcganGenerator", "DiscriminatorConditioning", "GeneratorConditioning", "InitName", "Kernel",
    "LossName", "MlpDiscriminator", "MlpGenerator", "Model", "Normalisation", "Objective", "Optim",
    "Penalties", "Recipe", "ResidualDiscriminator", "ResidualGenerator", "Schedule", "Stem",
    "StyleName", "TransformationName", "Value",
]  # fmt: skip
