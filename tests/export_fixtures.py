"""Small generators of every family and every way to hear a label, far from their first weights."""

from itertools import product

import torch

from inkgan.artifacts.bundle import Bundle
from inkgan.config import Recipe
from inkgan.images import Shape
from inkgan.models.build import build_generator
from inkgan.toml import override

SHAPE = Shape(1, 12, 12)
DIGITS = tuple("0123456789")
CONDITIONINGS = ("concatenated", "multiplied", "normalisation")
# Each as settings of the generator; kernels of 5 with "same" are drawn mirrored.
NETWORKS = {
    "mlp": 'family = "mlp", norm = {}, slope = 0.2, widths = [24, 40]',
    "dcgan": 'family = "dcgan", norm = {}, stem = {channels = 12}, bias = false, layers = ['
    '{channels = 8}, {channels = 6, kernel = 3, stride = 1}], output = {kernel = 4}',
    "same": 'family = "dcgan", norm = {epsilon = 1e-3}, slope = 0.3, stem = {channels = 12, '
    'normalise = "features", bias = false}, layers = [{channels = 8, kernel = 5, stride = 1, '
    'padding = "same"}, {channels = 6, kernel = 5, padding = "same"}], '
    'output = {kernel = 5, padding = "same"}',
    "stemless": 'family = "dcgan", stem = "none", norm = {}, layers = [{channels = 9, kernel = 5, '
    "stride = 2, padding = 0}], output = {kernel = 4, stride = 2, padding = 0}",
    "residual": 'family = "residual", norm = {}, widths = [8, 6, 4], squash = true',
    "open": 'family = "residual", widths = [8, 6], blocks = 2',
}  # fmt: skip
EVERY = [
    (name, conditioning)
    for name, conditioning in product(NETWORKS, ("", *CONDITIONINGS))
    if (name, conditioning) != ("open", "normalisation")  # there is no norm in it
]


def small_bundle(name: str = "dcgan", conditioning: str = "normalisation") -> Bundle:
    """Make a bundle with random weights and statistics; no conditioning is unconditional."""
    how = f'conditioning = "{conditioning}", ' if conditioning else ""
    recipe = override(
        Recipe(name="small"),
        ["model.latent_dim=7", f"model.classes={10 if conditioning else 0}",
         'model.style=["slant", "thickness", "width"]' if conditioning else "model.style=[]",
         f"model.generator={{{how}{NETWORKS[name]}}}"],
    )  # fmt: skip
    network = build_generator(recipe.model, SHAPE, recipe.seed)
    chance = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for key, tensor in network.named_parameters():
            if key.endswith(("bias", "offsets", "branch.5.weight")):  # zeros at first, or nearly
                tensor.normal_(0, 0.1, generator=chance)
            elif key.endswith("scales"):
                tensor.uniform_(0.5, 2, generator=chance)
            elif key.startswith("layers.") and tensor.ndim == 4:
                tensor.mul_(2)
        for _ in range(40):  # statistics are those of what the network draws
            z, y = torch.randn(64, 7, generator=chance), torch.arange(64) % 10
            network.train()(z, y if conditioning else None)
    return Bundle(recipe, SHAPE, DIGITS, network.state_dict(), 1280, "ab" * 32)
