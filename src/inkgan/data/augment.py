"""Random distortion of a whole batch at once: rotation, scale, shift and elastic warping."""

import math

import torch
import torch.nn.functional as F

from inkgan import rng
from inkgan.config import Augment
from inkgan.images import BACKGROUND

ELASTIC_KNOTS = 5  # a smooth field of 5x5 random vectors, interpolated to every pixel


def augment(images: torch.Tensor, amount: Augment, generator: torch.Generator) -> torch.Tensor:
    """Distort each image of a batch randomly; background enters at the borders.

    Elastic warping follows Simard et al. 2003 with a bicubic field instead of a blurred one.

    Args:
        images: float (n, C, H, W) in [-1, 1].
        amount: the largest rotation, shift, scaling and warping, and how pixels are interpolated.
        generator: of the random numbers, on the CPU.

    Returns:
        Images of the same shape.
    """
    count, height, width = images.shape[0], images.shape[2], images.shape[3]
    where = affine_field(count, (height, width), amount, generator).to(images.device)
    if amount.elastic:
        where = where + _elastic_field(count, (height, width), amount.elastic, generator).to(
            images.device
        )
    ink = F.grid_sample(
        images - BACKGROUND,
        where,
        mode=amount.interpolation,
        padding_mode="zeros",
        align_corners=False,
    )
    return ink + BACKGROUND


def affine_field(
    count: int, size: tuple[int, int], amount: Augment, generator: torch.Generator
) -> torch.Tensor:
    """Draw sampling positions for random rotation, scale and shift.

    Args:
        count: images.
        size: height and width in pixels.
        amount: the largest rotation, shift and scaling.
        generator: of the random numbers.

    Returns:
        Positions (n, H, W, 2) in [-1, 1], for `torch.nn.functional.grid_sample`.
    """
    height, width = size
    draw = rng.for_batch(count, lambda n: torch.rand(4, n, generator=generator), dim=1) * 2 - 1
    angle = draw[0] * math.radians(amount.rotate)
    scale = 1 / (1 + draw[1] * amount.scale)
    right, down = draw[2] * amount.shift * 2 / width, draw[3] * amount.shift * 2 / height
    cos, sin = angle.cos() * scale, angle.sin() * scale
    # output to input in units of half the width and height, so that pixels stay square
    matrix = torch.stack(
        [
            torch.stack([cos, -sin * height / width, -right], dim=1),
            torch.stack([sin * width / height, cos, -down], dim=1),
        ],
        dim=1,
    )
    return F.affine_grid(matrix, [count, 1, height, width], align_corners=False)


def _elastic_field(
    count: int, size: tuple[int, int], pixels: float, generator: torch.Generator
) -> torch.Tensor:
    height, width = size
    shape = (2, ELASTIC_KNOTS, ELASTIC_KNOTS)
    knots = rng.for_batch(count, lambda n: torch.randn(n, *shape, generator=generator)) * pixels
    field = F.interpolate(knots, size=size, mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1) * torch.tensor([2 / width, 2 / height])
