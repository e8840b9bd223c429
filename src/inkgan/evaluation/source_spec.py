"""The record of something to be evaluated, and of the images drawn from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inkgan.data.readers.array_files import ArrayImages
from inkgan.errors import DataError
from inkgan.evaluation.digit_images import as_digit_images
from inkgan.evaluation.outside_generators import LatentOptions
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.results import GeneratedImages, Protocol, check_images
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Progress, UInt8, silent


@dataclass(frozen=True)
class DrawnImages:
    """The images of a source, and what was learned while they were drawn.

    Attributes:
        images: with their labels.
        facts: name and value, such as the speed of a generator.
        notes: how they were chosen, in words.
    """

    images: GeneratedImages
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Something to be evaluated, not yet drawn or read in full.

    Attributes:
        name: as the user called it.
        digest: of all that decides which images it gives; None where only these tell.
        draw: returns the images for a protocol and a reference.
        folder: where its report goes by default; None for the cache alone.
        facts: name and value of what is known of it.
        notes: corrections that were made, in words.
        generator: that obeys the labels of digits; None otherwise.
        classes: names of those that can be among the images; None for all of the reference.
        labels: numbers of these, where the images have numbers as labels.
        reads_classes: which of them are there is read off the images, since there are no labels.
        reference: the data set to compare with, where that is no set of digits.
    """

    name: str
    digest: str | None
    draw: Callable[[Protocol, ReferenceImages, Progress], DrawnImages]
    folder: Path | None
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    generator: Generator | None = None
    classes: tuple[str, ...] | None = None
    labels: tuple[int, ...] | None = None
    reads_classes: bool = False
    reference: str | None = None

    def possible(self, reference: ReferenceImages) -> ReferenceImages:
        """Return the real images of the classes that can be among the images.

        Raises:
            DataError: a label is no class of the reference.
        """
        if self.labels is not None:
            return reference.only(reference.places(map(str, self.labels)))
        if self.classes is not None and set(self.classes) <= set(reference.classes):
            return reference.only(reference.places(self.classes))
        return reference


@dataclass(frozen=True)
class SourceOptions:
    """How a source is opened.

    Attributes:
        checkpoint: of a run, its last or its best generator.
        device: that draws the images.
        data_dir: where to look for data first.
        stacked: images are three digits stacked as color.
        labels: of an array of images.
        download: called while data are downloaded.
        latents: what a generator from outside is given.
    """

    checkpoint: Checkpoint = "last"
    device: str = "auto"
    data_dir: Path | None = None
    stacked: bool = False
    labels: Any = None
    download: Progress = silent
    latents: LatentOptions = field(default_factory=LatentOptions)


def unstacked(pixels: UInt8) -> GeneratedImages:
    """Take three digits out of each stacked image (n, 28, 28, 3)."""
    digits = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(-1, SIDE, SIDE)
    return GeneratedImages(digits, stacked=True)


def as_generated(
    given: ArrayImages, name: str, stacked: bool
) -> tuple[GeneratedImages, tuple[str, ...]]:
    """Bring images to what the extractors read; say what was done to them, in words."""
    raw, labels, notes = given
    if not stacked:
        pixels, changes = as_digit_images(raw, name)
        images = GeneratedImages(pixels, labels)
        notes = (*notes, *changes)
    elif raw.shape[1:] != (SIDE, SIDE, 3):
        shape = "x".join(map(str, raw.shape[1:]))
        raise DataError(f"`stacked` needs images of 28x28x3; {name} has {shape}")
    else:
        images = unstacked(raw)
    check_images(images)
    return images, notes
