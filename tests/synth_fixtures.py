"""Generators to draw data sets from: real digits chosen, moved and dimmed by the seed."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from inkgan.artifacts.bundle import Bundle
from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.images import Shape, UInt8
from inkgan.recipes import RECIPES
from inkgan.synthesis.request import DIGITS, Request
from inkgan.synthesis.synth import Synthesised, synthesise

ORIGIN = {"source": "fake", "sha256": "0" * 64, "checkpoint": "last", "device": "cpu"}


@functools.cache
def real_digits() -> list[UInt8]:
    """Give the built-in real digits (n, 28, 28) of each class."""
    dataset = load_dataset(Data(name="uci-digits", holdout=0), "train")
    return [dataset.images[dataset.labels == digit][:, 0].numpy() for digit in range(10)]


class Fake:
    """A conditional generator of digits; the same label and seed give the same image."""

    conditional = True

    def __init__(self, classes: tuple[str, ...] = DIGITS, shape: Shape = Shape(1, 28, 28)) -> None:  # noqa: B008
        self.bundle = Bundle(RECIPES["dcgan"], shape, classes, {}, 640, "none")
        self.asked: list[int] = []  # every seed that an image was drawn for

    def sample(
        self, labels: Sequence[int] | None = None, seeds: Iterable[int] = range(64)
    ) -> UInt8:
        wanted = list(seeds)
        self.asked += wanted
        shown = [self.class_of(seed) for seed in wanted] if labels is None else labels
        return np.stack([self.image(y, seed) for y, seed in zip(shown, wanted, strict=True)])

    def class_of(self, seed: int) -> int:
        return int(np.random.default_rng([seed, 1]).integers(10))

    def image(self, label: int, seed: int) -> UInt8:
        random = np.random.default_rng(seed)
        choice = real_digits()[label]
        image = np.roll(choice[random.integers(len(choice))], random.integers(-2, 3, 2), (0, 1))
        dimmed: UInt8 = (image * random.uniform(0.8, 1.0)).astype(np.uint8)
        return dimmed


class Unconditional(Fake):
    """Draws what it likes."""

    conditional = False

    def sample(
        self, labels: Sequence[int] | None = None, seeds: Iterable[int] = range(64)
    ) -> UInt8:
        assert labels is None
        return super().sample(None, seeds)


class Blobs(Fake):
    """Nothing that a judge reads: a square whose place is the class, of any shape of image."""

    def image(self, label: int, seed: int) -> UInt8:
        channels, height, width = self.bundle.shape
        image = np.zeros((height, width, channels), dtype=np.uint8)
        image[label : label + 4, 2:6] = 100 + seed % 100
        return image[..., 0] if channels == 1 else image


def make(out: Path, request: Request, generator: Fake | None = None) -> Synthesised:
    return synthesise(out, generator or Fake(), request, ORIGIN)


def tree(folder: Path) -> dict[str, bytes]:
    """Read all files below a folder, by name."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}
