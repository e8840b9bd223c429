"""Generators as sources of images: of this package, and from outside."""

import time
from pathlib import Path

import numpy as np
import torch

from inkgan.config import Data
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.digit_images import as_digit_images
from inkgan.evaluation.outside_generators import OutsideGenerator
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.results import GeneratedImages, Protocol
from inkgan.evaluation.source_spec import ALL_DIGITS, DrawnImages, Source, as_generated, unstacked
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint
from inkgan.generation.protocols import DIGITS
from inkgan.generation.sampling import CHUNK
from inkgan.models.build import count_operations, count_parameters
from inkgan.plural import counted
from inkgan.types import Progress, UInt8

FIRST_SEED = 1_000_000  # images are evaluated that no grid has shown
DIGIT_SETS = ("mnist", "stacked-mnist", "qmnist", "emnist-digits")


def generator_source(
    text: str, generator: Generator, folder: Path | None, checkpoint: Checkpoint
) -> Source:
    """Evaluate a generator of this package."""
    bundle = generator.bundle
    stacked = bundle.shape.channels == 3 and bundle.recipe.data.name == "stacked-mnist"
    if not stacked and bundle.shape.channels != 1:
        raise DataError(
            f"{text} draws {bundle.shape} images of {bundle.recipe.data.name}; an evaluation takes "
            "gray digits, and stacked MNIST"
        )
    facts = {
        "recipe": f"{bundle.recipe.name}, {bundle.recipe.objective.loss} loss, "
        f"seed {bundle.recipe.seed}",
        "trained on": f"{bundle.recipe.data.name}, {bundle.images_seen:,} images seen"
        + (_best_checkpoint(bundle.recipe.data) if checkpoint == "best" else ""),
    }
    notes: tuple[str, ...] = ()
    if bundle.recipe.data.name not in DIGIT_SETS:
        name = bundle.recipe.data.name
        notes = (f"Trained on {name}, but compared with the reference's digits.",)
    named_digits = not stacked and set(bundle.classes) <= set(DIGITS)
    digits = tuple(int(name) for name in bundle.classes) if named_digits else ALL_DIGITS
    obeys = generator.conditional and named_digits
    if obeys:
        facts["labels"] = "requested, in the shares of the reference's test images"

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        if stacked:
            pixels, cost = _draw(generator, protocol.stacked, None, progress)
            return DrawnImages(unstacked(pixels), cost)
        count = protocol.images
        requested = reference.labels_to_request(count, protocol.set_size) if obeys else None
        if requested is not None and not np.isin(requested, digits).all():
            requested = None  # the reference has too few of the generator's digits by themselves
        labels = None if requested is None else np.array([digits.index(d) for d in requested])
        pixels, cost = _draw(generator, count, labels, progress)
        pixels, changes = as_digit_images(pixels[..., None], text)
        return DrawnImages(GeneratedImages(pixels, requested), cost, changes)

    return Source(
        text,
        bundle.digest,
        draw,
        folder,
        facts,
        notes,
        generator=generator if obeys else None,
        digits=digits,
    )


def _best_checkpoint(data: Data) -> str:
    by = "validation" if data.holdout else "training"
    return f", best checkpoint by {by} images"


def _draw(
    generator: Generator, count: int, requested: np.ndarray | None, progress: Progress
) -> tuple[UInt8, dict[str, str]]:
    """Draw `count` images under the labels `requested` (n,) if any, and state what they cost."""
    parts = []
    started = time.perf_counter()
    for start in range(0, count, CHUNK):
        seeds = range(FIRST_SEED + start, FIRST_SEED + min(start + CHUNK, count))
        labels = None if requested is None else requested[start : start + CHUNK].tolist()
        parts.append(generator.sample(labels=labels, seeds=seeds))
        progress("drawing images", seeds.stop - FIRST_SEED, count)
    seconds = time.perf_counter() - started
    network = generator.bundle.generator()
    operations = count_operations(network, generator.bundle.recipe.model)
    cost = (
        f"{count_parameters(network):,} parameters, {operations / 1e6:,.1f} MFLOP an image, "
        f"{count / seconds:,.0f} images/s drawn here with "
        f"{counted(torch.get_num_threads(), 'thread')}"
    )
    return np.concatenate(parts), {"generator": cost}


def outside_source(outside: OutsideGenerator, stacked: bool, folder: Path | None) -> Source:
    """Evaluate a generator that is not one of this package."""
    if stacked and outside.conditional:
        raise ConfigError(f"`stacked` takes no labels; draw without them in {outside.name}")
    names = outside.classes or DIGITS
    named = set(names) <= set(DIGITS)
    digits = tuple(int(name) for name in names) if named else ALL_DIGITS

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        count = protocol.stacked if stacked else protocol.images
        if not outside.conditional:
            given = outside.draw(count, None, progress)
        else:
            requested = reference.labels_to_request(count, protocol.set_size)
            labels = np.array([digits.index(digit) for digit in requested])
            given = outside.draw(count, labels, progress)._replace(labels=requested)
        images, notes = as_generated(given, outside.name, stacked)
        return DrawnImages(images, notes=notes)

    facts = dict(outside.facts)
    if outside.conditional:
        facts["labels"] = "requested, in the shares of the reference's test images"
    return Source(outside.name, outside.digest, draw, folder, facts, digits=digits)
