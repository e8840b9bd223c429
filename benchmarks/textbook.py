"""A GAN trained the way that notebooks do it, as the other half of the comparison.

Same networks, initial weights, losses, batch size, images and Adam as the engine; what differs is
how the loop is written. Images pass through PIL one by one inside a DataLoader, the fakes are not
detached in the discriminator's step, both losses are read with `.item()` after every step, and
everything is eager with default options. Nothing here waits or copies for the sake of being slow.

It does less than the engine in two ways: it keeps no averaged generator, and no metrics beside the
two losses.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from inkgan.config import Augment, Objective, Recipe, UpdateScheme
from inkgan.data.dataset import Dataset
from inkgan.errors import ConfigError
from inkgan.images import Shape, to_array
from inkgan.models.build import build_discriminator, build_generator
from inkgan.models.layers import Dropout, SingleChannelConvTranspose2d, Unflatten
from inkgan.models.linear import Linear

Item = tuple[torch.Tensor, int]


class PictureDataset(torch.utils.data.Dataset[Item]):
    """Images made ready one at a time, as torchvision's MNIST and its transforms do."""

    def __init__(self, dataset: Dataset, distortion: Augment) -> None:
        self.arrays = to_array(dataset.images)  # (n, H, W[, C]), what PIL reads
        self.labels, self.degrees = dataset.labels, distortion.rotate
        self.resampling = Image.Resampling[distortion.interpolation.upper()]

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> Item:
        """Return image float32 (C, H, W) in [-1, 1] and label."""
        picture = Image.fromarray(self.arrays[index])
        if self.degrees:
            degrees = random.uniform(-self.degrees, self.degrees)
            picture = picture.rotate(degrees, self.resampling)
        pixels = torch.from_numpy(np.array(picture))
        image = pixels.view(picture.height, picture.width, -1).permute(2, 0, 1).float() / 255
        return (image - 0.5) / 0.5, int(self.labels[index])


def check_recipe(recipe: Recipe) -> None:
    """Refuse what the textbook loop cannot do.

    Raises:
        ConfigError: a loss other than binary cross-entropy, or augmentation beyond rotation.
    """
    loss, augment = recipe.objective.loss, recipe.data.augment
    if loss not in ("non-saturating", "minimax"):
        raise ConfigError(
            f"{recipe.name} has objective.loss={loss}, which the textbook loop does not know; "
            "use non-saturating or minimax"
        )
    if recipe.objective != Objective(loss=loss):
        raise ConfigError(
            f"{recipe.name} has more than a loss to minimise, which is all that the "
            "textbook loop knows; leave out objective's other values"
        )
    if augment.shift or augment.scale or augment.elastic:
        raise ConfigError(
            f"{recipe.name} has data.augment={augment}, but the textbook loop only rotates; "
            "set shift, scale and elastic to 0"
        )


def make_loader(recipe: Recipe, dataset: Dataset, workers: int = 0) -> "DataLoader[Item]":
    """Return full, shuffled batches; most notebooks leave `workers` at 0."""
    return DataLoader(
        PictureDataset(dataset, recipe.data.augment),
        batch_size=recipe.schedule.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
    )


@dataclass
class Textbook:
    """Two networks with an optimizer each; `saturating` is the original minimax game."""

    generator: nn.Module
    discriminator: nn.Module
    g_optimizer: torch.optim.Adam
    d_optimizer: torch.optim.Adam
    latent_dim: int
    saturating: bool = False
    update_scheme: UpdateScheme = "fresh"


def new_textbook(recipe: Recipe, shape: Shape) -> Textbook:
    """Build the networks with the weights that the engine would begin with."""
    generator = made_plain(build_generator(recipe.model, shape, recipe.seed))
    discriminator = made_plain(build_discriminator(recipe.model, shape, recipe.seed))
    optim = recipe.optim
    betas = (optim.beta1, optim.beta2)
    return Textbook(
        generator,
        discriminator,
        torch.optim.Adam(generator.parameters(), lr=optim.lr, betas=betas, eps=optim.epsilon),
        torch.optim.Adam(discriminator.parameters(), lr=optim.lr, betas=betas, eps=optim.epsilon),
        recipe.model.latent_dim,
        recipe.objective.loss == "minimax",
        optim.update_scheme,
    )


class PlainMaps(Unflatten):
    """The channels before the pixels, as torch lays them out by default."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Return the stacks of channels."""
        return super().forward(vectors).contiguous()


PLAIN: dict[type[nn.Module], type[nn.Module]] = {
    Linear: nn.Linear,
    Dropout: nn.Dropout,
    SingleChannelConvTranspose2d: nn.ConvTranspose2d,
    Unflatten: PlainMaps,
}


def made_plain(network: nn.Module) -> nn.Module:
    """Give a network torch's own layers and layout in place of the engine's quicker ones."""
    for module in network.modules():
        module.__class__ = PLAIN.get(type(module), type(module))
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()
    return network


def textbook_step(
    textbook: Textbook, images: torch.Tensor, latents: torch.Tensor
) -> tuple[float, float]:
    """Update both players by the recipe's update scheme; return their losses.

    `latents` (2 or 1, n, latent_dim) holds a batch for the discriminator's fakes and, in the
    scheme `fresh`, one for the generator's. The discriminator's backward pass runs through the
    generator too, and `zero_grad` throws away what it leaves there.
    """
    entropy = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones_like(latents[0, :, 0]), torch.zeros_like(latents[0, :, 0])
    generator, discriminator = textbook.generator, textbook.discriminator

    def g_loss_of(logits: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = entropy(logits, zeros if textbook.saturating else ones)
        return -loss if textbook.saturating else loss

    fakes = generator(latents[0])
    fake_logits = discriminator(fakes)
    d_loss = entropy(discriminator(images), ones) + entropy(fake_logits, zeros)
    textbook.d_optimizer.zero_grad()
    if textbook.update_scheme == "simultaneous":
        textbook.g_optimizer.zero_grad()
        g_loss = g_loss_of(fake_logits)
        d_gradients = torch.autograd.grad(d_loss, [*discriminator.parameters()], retain_graph=True)
        g_gradients = torch.autograd.grad(g_loss, [*generator.parameters()])
        _set_gradients(discriminator, d_gradients)
        _set_gradients(generator, g_gradients)
        textbook.d_optimizer.step()
        textbook.g_optimizer.step()
        return d_loss.item(), g_loss.item()

    d_loss.backward(retain_graph=textbook.update_scheme == "reused")
    textbook.d_optimizer.step()
    textbook.g_optimizer.zero_grad()
    if textbook.update_scheme == "fresh":
        fakes = generator(latents[1])
    g_loss = g_loss_of(discriminator(fakes))
    g_loss.backward()
    textbook.g_optimizer.step()
    return d_loss.item(), g_loss.item()


def _set_gradients(network: nn.Module, gradients: tuple[torch.Tensor, ...]) -> None:
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        parameter.grad = gradient


def textbook_loop(textbook: Textbook, loader: "DataLoader[Item]") -> Iterator[tuple[float, float]]:
    """Train for ever, epoch after epoch; yield the losses after each update."""
    while True:
        for images, _ in loader:
            count = 2 if textbook.update_scheme == "fresh" else 1
            latents = torch.randn(count, len(images), textbook.latent_dim)
            yield textbook_step(textbook, images, latents)
