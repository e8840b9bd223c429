"""Pictures of digits on the page of a report: random, best, worst, and nearest to training."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from sklearn.neighbors import NearestNeighbors

from inkgan.evaluation.train_distances import TrainDistances
from inkgan.images import GUTTER, grid
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.prdc import realism
from inkgan.rng import seed_for
from inkgan.types import UInt8

DIGITS = range(10)
SHOWN_ROWS, SHOWN_EXTREMES, NEIGHBORS = 8, 20, 3
MAX_GENERATED, MAX_REAL = 2_000, 5_000  # more would take long and hardly change the order


class Tile(NamedTuple):
    """A small picture (H, W) and the words below it."""

    picture: UInt8
    caption: str


def by_digit(pixels: UInt8, digits: np.ndarray, purpose: str) -> UInt8:
    """Lay random examples out, one column for each digit, its name above; (H, W)."""
    random = np.random.default_rng(seed_for(0, "report page", purpose))
    table = np.zeros((SHOWN_ROWS, 10, *pixels.shape[1:]), np.uint8)
    for digit in DIGITS:
        chosen = random.permutation(np.flatnonzero(digits == digit))[:SHOWN_ROWS]
        table[: len(chosen), digit] = pixels[chosen]
    return _under_digits(table)


def latent_rows(pixels: UInt8) -> UInt8:
    """Lay latents out that are drawn as all digits (latents, 10, H, W), one row each; (H, W)."""
    return _under_digits(pixels)


def _under_digits(table: UInt8) -> UInt8:
    sheet = grid(table.reshape(-1, *table.shape[2:]), columns=10)
    header = Image.new("L", (sheet.shape[1], 30), GUTTER)
    for digit in DIGITS:
        place = ((digit + 0.5) * sheet.shape[1] / 10, 15)
        font = ImageFont.load_default(20)
        ImageDraw.Draw(header).text(place, str(digit), fill=255, font=font, anchor="mm")
    return np.concatenate([np.asarray(header), sheet])


def by_realism(
    images: UInt8, features: Features, requested: np.ndarray | None, real_features: np.ndarray
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
        words = f"{predicted}, {features.probabilities[row, predicted]:.0%}"
        if requested is not None and requested[row] != predicted:
            words += f" (requested: {requested[row]})"
        return Tile(images[row], words)

    return [tile(row) for row in order[:half]], [tile(row) for row in order[::-1][:half]]


def nearest_training(images: UInt8, digits: np.ndarray, train: UInt8) -> list[Tile]:
    """Put ten images, one of each digit where there is one, beside their nearest training images.

    Distances are Euclidean, of pixels from 0 to 1.
    """
    random = np.random.default_rng(seed_for(0, "report page", "nearest"))
    order = random.permutation(len(images))
    first = [order[digits[order] == digit][:1] for digit in DIGITS]
    rows = np.concatenate(first)
    rows = np.concatenate([rows, order[~np.isin(order, rows)]])[: len(DIGITS)]
    search = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(train)), algorithm="brute")
    search.fit(train.reshape(len(train), -1).astype(np.float32) / 255)
    gaps, places = search.kneighbors(images[rows].reshape(len(rows), -1).astype(np.float32) / 255)
    return [
        Tile(_strip(images[row], train[near]), ", ".join(f"{gap:.1f}" for gap in distances))
        for row, near, distances in zip(rows, places, gaps, strict=True)
    ]


def closest_copies(images: UInt8, near: TrainDistances, train: UInt8) -> list[Tile]:
    """Put the ten images of the smallest copy ratio beside their nearest training image."""
    rows = np.argsort(near.ratios, kind="stable")[: len(DIGITS)]
    return [
        Tile(_strip(images[row], train[near.indices[row], None]), f"ratio {near.ratios[row]:.2f}")
        for row in rows
    ]


def _strip(image: UInt8, others: UInt8) -> UInt8:
    """Lay a generated image left of real images (n, H, W), with a light bar between."""
    bar = np.full((image.shape[0], 2), 160, np.uint8)
    gap = np.zeros((image.shape[0], 2), np.uint8)
    return np.concatenate([image, gap, bar, gap, *others], axis=1)
