"""Generators as sources of images: of this package, and from outside."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from inkgan.config import Data
from inkgan.data.path_set import names_path
from inkgan.data.registry import DATASETS
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.digit_images import as_digit_images
from inkgan.evaluation.image_sources import place_labels
from inkgan.evaluation.outside_generators import OutsideGenerator
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.results import GeneratedImages, Protocol
from inkgan.evaluation.source_spec import DrawnImages, Source, as_generated, unstacked
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint
from inkgan.generation.protocols import DIGITS
from inkgan.generation.sampling import CHUNK
from inkgan.metrics.features.networks import SIDE
from inkgan.models.build import count_operations, count_parameters
from inkgan.models.cost import generator_cost
from inkgan.plural import counted
from inkgan.types import Progress, UInt8

REQUESTED = "requested, in the shares of the reference's test images"
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
    own = not named_digits and not stacked and evaluates_alone(bundle.recipe.data.name)

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        if stacked:
            pixels, cost = _draw(generator, protocol.stacked, None, progress)
            return DrawnImages(unstacked(pixels), cost)
        count = protocol.images
        requested, labels = None, None
        if generator.conditional:
            requested, labels = _request(reference, bundle.classes, count, protocol)
        pixels, cost = _draw(generator, count, labels, progress)
        pixels, changes = as_digit_images(pixels[..., None], text)
        facts = cost if requested is None else cost | {"labels": REQUESTED}
        return DrawnImages(GeneratedImages(pixels, requested), facts, changes)

    return Source(
        text,
        bundle.digest,
        draw,
        folder,
        facts,
        notes,
        generator=generator if generator.conditional and named_digits else None,
        classes=None if stacked else bundle.classes,
        reference=bundle.recipe.data.name if own else None,
    )


def _best_checkpoint(data: Data) -> str:
    by = "validation" if data.holdout else "training"
    return f", best checkpoint by {by} images"


def _request(
    reference: ReferenceImages, names: tuple[str, ...], count: int, protocol: Protocol
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return places in the reference's classes to request, and the labels of a generator for them.

    Both are None where the generator has not all of the reference's classes that have test images.
    """
    requested = reference.labels_to_request(count, protocol.set_size)
    labels = generator_labels(reference, names, requested)
    return (None, None) if labels is None else (requested, labels)


def generator_labels(
    reference: ReferenceImages, names: tuple[str, ...], requested: np.ndarray
) -> np.ndarray | None:
    """Return the labels of a generator for places in the reference's classes.

    None where the generator, whose classes have these names, has not all of them.
    """
    wanted = [reference.classes[place] for place in np.unique(requested)]
    if not set(wanted) <= set(names):
        return None
    own = np.full(len(reference.classes), -1)
    for name in wanted:
        own[reference.classes.index(name)] = names.index(name)
    labels: np.ndarray = own[requested]
    return labels


def evaluates_alone(name: str) -> bool:
    """Return whether a data set that shows no digits can be a reference."""
    if name in DATASETS:
        spec = DATASETS[name]
        return spec.evaluation is None and spec.shape in (None, (1, SIDE, SIDE))
    return names_path(name)


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
    model, shape = generator.bundle.recipe.model, generator.bundle.shape
    # of a network of one's own they are counted, for which torch imports its compiler
    operations = generator_cost(model, shape).operations or count_operations(network, model)
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

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        count = protocol.stacked if stacked else protocol.images
        if not outside.conditional:
            given = outside.draw(count, None, progress)
        else:
            names = outside.classes or reference.classes
            requested, labels = _request(reference, names, count, protocol)
            if labels is None:
                raise DataError(
                    f"{outside.name} has the classes {', '.join(names)}; the reference has others"
                )
            given = outside.draw(count, labels, progress)._replace(labels=requested)
        images, notes = as_generated(given, outside.name, stacked)
        if images.requested is not None and not outside.conditional:
            images = replace(images, requested=place_labels(images.requested, reference))
        return DrawnImages(images, notes=notes)

    facts = dict(outside.facts)
    if outside.conditional:
        facts["labels"] = REQUESTED
    return Source(outside.name, outside.digest, draw, folder, facts, classes=outside.classes)
