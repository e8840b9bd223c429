"""A sampler that draws digits as plain strokes, so that every measure of them is known."""

import itertools
from collections.abc import Sequence

import numpy as np
import torch

from inkgan import rng
from inkgan.artifacts.bundle import Bundle
from inkgan.config import Recipe
from inkgan.images import Floats, Shape, UInt8
from inkgan.recipes import RECIPES

SIDE, MIDDLE = 28, 13.5
HEIGHT = 17.0  # of the middle lines
ROUND = [(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 25)]
# The middle lines: x to the right in -1..1, y upwards in -1..1.
SHAPES: dict[str, list[tuple[float, float]]] = {
    "0": ROUND,
    "1": [(0, -1), (0, 1)],
    "2": [(-1, 0.6), (0, 1), (1, 0.5), (-1, -1), (1, -1)],
    "3": [(-1, 1), (1, 1), (0, 0.2), (1, -0.4), (0, -1), (-1, -0.8)],
    "4": [(0.5, -1), (0.5, 1), (-1, -0.2), (1, -0.2)],
    "5": [(1, 1), (-1, 1), (-1, 0.2), (0.8, 0.1), (0.8, -1), (-1, -1)],
    "6": [(0.5, 1), (-1, -0.3), (-0.5, -1), (0.8, -0.8), (0.6, -0.1), (-0.9, -0.3)],
    "7": [(-1, 1), (1, 1), (-0.3, -1)],
    "8": [(0, 1), (0.8, 0.6), (-1, -0.6), (0, -1), (1, -0.6), (-0.8, 0.6), (0, 1)],
    "9": [(1, 0.5), (0, 1), (-0.9, 0.5), (0, 0), (1, 0.5), (0.6, -1)],
}


def stroke(points: Sequence[tuple[float, float]], thickness: float) -> UInt8:
    """Draw a polyline, x to the right and y downwards in pixels, with edges one pixel soft."""
    y, x = np.indices((SIDE, SIDE), dtype=np.float64)
    places = np.stack([x, y], axis=-1)
    distance = np.full((SIDE, SIDE), np.inf)
    line = np.asarray(points, np.float64)
    for start, end in itertools.pairwise(line):
        along = end - start
        share = np.clip((places - start) @ along / (along @ along), 0, 1)[..., None]
        distance = np.minimum(distance, np.linalg.norm(places - start - share * along, axis=-1))
    return np.rint(255 * np.clip(0.5 + thickness / 2 - distance, 0, 1)).astype(np.uint8)


class StrokeSampler:
    """Draws a hand by its latent: slant, thickness and width are the first three coordinates."""

    def __init__(
        self, recipe: Recipe = RECIPES["dcgan"], *, conditional: bool = True, channels: int = 1,
        classes: Sequence[str] = "0123456789", ink: float = 1.0,
    ) -> None:  # fmt: skip
        self.bundle = Bundle(recipe, Shape(channels, SIDE, SIDE), tuple(classes), {}, 0, "ab" * 32)
        self.conditional, self.latent_dim, self.ink = conditional, 6, ink
        self.asked: list[tuple[Floats, object]] = []

    def latents(self, seeds: Sequence[int]) -> Floats:
        rows = [torch.randn(self.latent_dim, generator=rng.generator(s, "sample")) for s in seeds]
        drawn: Floats = torch.stack(rows).numpy()
        return drawn

    def render(self, latents: Floats, labels: Sequence[int] | Floats | None = None) -> UInt8:
        self.asked.append((latents, labels))
        table = np.eye(len(self.bundle.classes), dtype=np.float32)
        given = np.zeros(len(latents), np.int64) if labels is None else np.asarray(labels)
        weights = table[given] if given.ndim == 1 else given
        pictures = []
        for latent, row in zip(latents, weights, strict=True):
            shares = [(i, float(w)) for i, w in enumerate(row) if w > 0]
            mixed = sum(w * self._digit(self.bundle.classes[i], latent) for i, w in shares)
            pictures.append(np.rint(self.ink * np.asarray(mixed)).astype(np.uint8))
        return np.stack(pictures)

    def _digit(self, name: str, latent: Floats) -> np.ndarray:
        slant, thickness, width = np.clip(latent[:3], -2, 2)
        points = [
            (MIDDLE + x * (5 + width) + 0.15 * slant * y * HEIGHT / 2, MIDDLE - y * HEIGHT / 2)
            for x, y in SHAPES[name]
        ]
        return stroke(points, 2.4 + 0.4 * float(thickness)).astype(np.float64)
