"""Pictures of digits on the page of a report: random, best, worst, and nearest to training."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from inkgan.evaluation.train_distances import TrainDistances
from inkgan.generation.protocols import DIGITS
from inkgan.images import GUTTER, grid
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.prdc import realism
from inkgan.rng import seed_for
from inkgan.types import UInt8

SHOWN_PAIRS = 10
NAME_LENGTH = 14
SHOWN_ROWS, SHOWN_EXTREMES, NEIGHBORS = 8, 20, 3
MAX_GENERATED, MAX_REAL = 2_000, 5_000  # more would take long and hardly change the order
PART = 2_000  # images whose pixels are compared at once: 13 MB


class Tile(NamedTuple):
    """A small picture (H, W) and the words below it."""

    picture: UInt8
    caption: str


def by_digit(
    pixels: UInt8, digits: np.ndarray, purpose: str, names: Sequence[str] = DIGITS
) -> UInt8:
    """Lay random examples out, one column for each digit, its name above; (H, W)."""
    random = np.random.default_rng(seed_for(0, "report page", purpose))
    table = np.zeros((SHOWN_ROWS, len(names), *pixels.shape[1:]), np.uint8)
    for digit in range(len(names)):
        chosen = random.permutation(np.flatnonzero(digits == digit))[:SHOWN_ROWS]
        table[: len(chosen), digit] = pixels[chosen]
    return _under_names(table, names)


def latent_rows(pixels: UInt8) -> UInt8:
    """Lay latents out that are drawn as all digits (latents, 10, H, W), one row each; (H, W)."""
    return _under_names(pixels, DIGITS)


def _under_names(table: UInt8, names: Sequence[str]) -> UInt8:
    sheet = grid(table.reshape(-1, *table.shape[2:]), columns=len(names))
    header = Image.new("L", (sheet.shape[1], 30), GUTTER)
    width = sheet.shape[1] / len(names)
    for place, name in enumerate(names):
        size = 20.0
        while size > 8 and ImageFont.load_default(size).getlength(name) > width:
            size -= 1
        font, middle = ImageFont.load_default(size), ((place + 0.5) * width, 15)
        ImageDraw.Draw(header).text(middle, name[:NAME_LENGTH], fill=255, font=font, anchor="mm")
    return np.concatenate([np.asarray(header), sheet])


def by_realism(
    images: UInt8,
    features: Features,
    requested: np.ndarray | None,
    real_features: np.ndarray,
    names: Sequence[str] = DIGITS,
) -> tuple[list[Tile], list[Tile]]:
    """Pick the most and the least realistic of at most 2,000 random images, best and worst first.

    Realism is measured in E1's features against at most 5,000 of the real ones (n, 128).
    """
    random = np.random.default_rng(seed_for(0, "report page", "realism"))
    rows = random.permutation(len(images))[:MAX_GENERATED]
    reals = real_features[random.permutation(len(real_features))[:MAX_REAL]]
    order = rows[np.argsort(-realism(reals, features.e1[rows]), kind="stable")]
    half = min(SHOWN_EXTREMES, len(order) // 2)

    def tile(row: int) -> Tile:
        predicted = int(features.predicted[row])
        words = f"{names[predicted]}, {features.probabilities[row, predicted]:.0%}"
        if requested is not None and requested[row] != predicted:
            words += f" (requested: {names[requested[row]]})"
        return Tile(images[row], words)

    return [tile(row) for row in order[:half]], [tile(row) for row in order[::-1][:half]]


def nearest_training(images: UInt8, digits: np.ndarray, train: UInt8) -> list[Tile]:
    """Put ten images, one of each digit where there is one, beside their nearest training images.

    Distances are Euclidean, of pixels from 0 to 1.
    """
    random = np.random.default_rng(seed_for(0, "report page", "nearest"))
    order = random.permutation(len(images))
    first = [order[digits[order] == digit][:1] for digit in np.unique(digits)]
    rows = np.concatenate(first)
    rows = np.concatenate([rows, order[~np.isin(order, rows)]])[:SHOWN_PAIRS]
    distances = _pixel_distances(images[rows], train)
    nearest = distances.topk(min(NEIGHBORS, len(train)), largest=False)
    gaps, places = nearest.values.tolist(), nearest.indices.numpy()
    return [
        Tile(_strip(images[row], train[near]), ", ".join(f"{gap:.1f}" for gap in each))
        for row, near, each in zip(rows, places, gaps, strict=True)
    ]


def _pixel_distances(images: UInt8, train: UInt8) -> torch.Tensor:
    """Return the distances (n, m) of few images to many, in little memory.

    Whole numbers in float64, so squares are exact, and 0 only for the same image.
    """
    drawn = torch.from_numpy(images.reshape(len(images), -1)).double()
    parts = []
    for part in torch.from_numpy(train.reshape(len(train), -1)).split(PART):
        real = part.double()
        norms = drawn.square().sum(dim=1)[:, None] + real.square().sum(dim=1)
        parts.append(torch.addmm(norms, drawn, real.T, alpha=-2))
    return torch.cat(parts, dim=1).sqrt() / 255


def closest_copies(images: UInt8, near: TrainDistances, train: UInt8) -> list[Tile]:
    """Put the ten images of the smallest copy ratio beside their nearest training image."""
    rows = np.argsort(near.ratios, kind="stable")[:SHOWN_PAIRS]
    return [
        Tile(_strip(images[row], train[near.indices[row], None]), f"ratio {near.ratios[row]:.2f}")
        for row in rows
    ]


def _strip(image: UInt8, others: UInt8) -> UInt8:
    """Lay a generated image left of real images (n, H, W), with a light bar between."""
    bar = np.full((image.shape[0], 2), 160, np.uint8)
    gap = np.zeros((image.shape[0], 2), np.uint8)
    return np.concatenate([image, gap, bar, gap, *others], axis=1)
