"""Differentiable augmentation: random changes of every image that the discriminator gets.

Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training", section 3.2: the
same family of transformations T is applied to real and generated images, in both players' steps,
and the generator learns through T. To distort the real images alone (data.augment) teaches the
generator to draw distorted images; this does not.

Each transformation takes and returns images (n, C, H, W), and draws numbers for each image from
torch's global generator of the images' device. Where the paper fills with zeros, which is gray in
[-1, 1], background is filled in here.
"""

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F

from inkgan import rng
from inkgan.config import names
from inkgan.images import BACKGROUND

Augmentation = Callable[[torch.Tensor], torch.Tensor]
TRANSLATION = 1 / 8  # the largest shift, as a share of height and width
CUTOUT = 1 / 2  # the hole's sides, likewise


def apply_augmentations(images: torch.Tensor, chosen: Iterable[str]) -> torch.Tensor:
    """Apply the named augmentations in order."""
    for name in chosen:
        images = AUGMENTATIONS[name](images)
    return images


def shift(images: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Shift each image by whole pixels from [-down, down] and [-right, right], drawn evenly.

    Background enters at the borders.
    """
    channels, height, width = images.shape[1:]
    padded = F.pad(images, (right, right, down, down), value=BACKGROUND)
    rows, columns = _window(images, height, 2 * down), _window(images, width, 2 * right)
    rows = rows[:, None, :, None].expand(-1, channels, -1, width + 2 * right)
    columns = columns[:, None, None, :].expand(-1, channels, height, -1)
    return padded.gather(2, rows).gather(3, columns)


def _window(images: torch.Tensor, length: int, latest: int) -> torch.Tensor:
    """Draw for each image `length` places in a row, (n, length), from a first in [0, latest]."""
    first = rng.for_batch(
        len(images), lambda n: torch.randint(latest + 1, (n, 1), device=images.device)
    )
    return first + torch.arange(length, device=images.device)


def _translation(images: torch.Tensor) -> torch.Tensor:
    height, width = images.shape[2:]
    return shift(images, _portion(height, TRANSLATION), _portion(width, TRANSLATION))


def _cutout(images: torch.Tensor) -> torch.Tensor:
    in_rows, in_columns = (_in_hole(images, side) for side in images.shape[2:])
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return images.masked_fill(hole, BACKGROUND)


def _in_hole(images: torch.Tensor, side: int) -> torch.Tensor:
    """Draw for each image which of `side` rows or columns its hole covers, bool (n, side).

    The middle of the hole lies anywhere in the image: at the borders it is cut off.
    """
    hole = _portion(side, CUTOUT)
    middle = rng.for_batch(
        len(images), lambda n: torch.randint(side + 1 - hole % 2, (n, 1), device=images.device)
    )
    distance = torch.arange(side, device=images.device) - middle
    return (distance >= -(hole // 2)) & (distance < hole - hole // 2)


def _portion(side: int, share: float) -> int:
    return int(side * share + 0.5)


def _color(images: torch.Tensor) -> torch.Tensor:
    # brightness: + U[-1/2, 1/2]; saturation: U[0, 2] times what a pixel's channels differ from
    # their mean; contrast: U[1/2, 3/2] times what an image's pixels differ from theirs
    brightness, saturation, contrast = rng.for_batch(
        len(images),
        lambda n: torch.rand(3, n, 1, 1, 1, dtype=images.dtype, device=images.device),
        dim=1,
    )
    images = images + (brightness - 0.5)
    images = torch.lerp(images.mean(dim=1, keepdim=True), images, 2 * saturation)
    return torch.lerp(images.mean(dim=(1, 2, 3), keepdim=True), images, contrast + 0.5)


AUGMENTATIONS: dict[str, Augmentation] = {
    "translation": _translation,
    "cutout": _cutout,
    "color": _color,
}

BUILT_IN = frozenset(AUGMENTATIONS)


def register_augmentation(name: str, function: Augmentation) -> None:
    """Make an augmentation available to recipes, in `objective.augment`.

    Register it in every process that trains with it, before the recipe is made.

    Args:
        name: letters, digits, - and _; not a built-in one. Registering a name again replaces it.
        function: from images (n, C, H, W) in [-1, 1] to images of the same shape; differentiable,
            and random through torch's global generator of the images' device, so that runs can be
            repeated; by `inkgan.rng.for_batch` if several processes are to give one result.

    Raises:
        ConfigError: the name cannot be used.

    Examples:
        >>> def flip(images):
        ...     chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
        ...     return torch.where(chosen, images.flip(3), images)
        >>> inkgan.register_augmentation("flip", flip)
        >>> inkgan.train("dcgan", out="runs/flip", overrides={"objective.augment": ["flip"]})
    """
    names.AUGMENTATIONS.add(name)
    AUGMENTATIONS[name] = function
