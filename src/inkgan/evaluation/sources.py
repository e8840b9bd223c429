"""What can be evaluated: a generator, a run, arrays, files of images, or real images themselves."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.data.readers.folder import read_npz_images, read_pictures
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.reference import ReferenceImages, class_matched
from inkgan.evaluation.report_document import report_folder
from inkgan.evaluation.results import GeneratedImages, Protocol, check_images
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint, find, load
from inkgan.generation.protocols import can_classify
from inkgan.generation.sampling import CHUNK
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.features.networks import SIDE
from inkgan.models.build import count_operations, count_parameters
from inkgan.rng import seed_for
from inkgan.types import Progress, UInt8, silent

FIRST_SEED = 1_000_000  # images are evaluated that no grid has shown
REAL = "data:"
DIGIT_SETS = ("mnist", "stacked-mnist", "qmnist", "emnist-digits")


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
        digest: of all that decides which images it gives.
        draw: returns the images for a protocol and a reference.
        folder: where its report goes by default; None for the cache alone.
        facts: name and value of what is known of it.
        notes: corrections that were made, in words.
        generator: that obeys the labels of ten digits; None otherwise.
    """

    name: str
    digest: str
    draw: Callable[[Protocol, ReferenceImages, Progress], DrawnImages]
    folder: Path | None
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    generator: Generator | None = None


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
    """

    checkpoint: Checkpoint = "last"
    device: str = "auto"
    data_dir: Path | None = None
    stacked: bool = False
    labels: Any = None
    download: Progress = silent


def open_images(source: Any, options: SourceOptions = SourceOptions()) -> Source:
    """Find out what `source` is, and read what is quickly read.

    Raises:
        InkganError: there is nothing of that name, or it cannot be evaluated.
    """
    if isinstance(source, np.ndarray | torch.Tensor):
        return _array_source(source, options)
    if options.labels is not None:
        raise ConfigError("`labels` belong to an array of images; leave them out")
    if isinstance(source, Generator):
        return _generator_source(source.bundle.recipe.name, source, None, options.checkpoint)
    generator_class = None
    if isinstance(source, RunFolder):
        source, generator_class = source.path, source.generator_class
    if not isinstance(source, str | Path):
        raise ConfigError(
            "`source` must be a name, a path, a run, a generator or an array of images, "
            f"not {type(source).__name__}"
        )
    text, path = str(source), Path(source)
    if text.startswith(REAL):
        return _real_source(text, options)
    is_pictures = path.is_dir() and not (path / "recipe.toml").exists()
    if path.suffix.lower() == ".npz" or is_pictures:
        if not path.exists():
            raise DataError(f"{path} does not exist")
        return _file_source(path, options.stacked)
    generator = load(
        text, device=options.device, checkpoint=options.checkpoint, generator=generator_class
    )
    found = find(text)
    return _generator_source(text, generator, report_folder(found), options.checkpoint)


# --- generators ---


def _generator_source(
    text: str, generator: Generator, folder: Path | None, checkpoint: Checkpoint
) -> Source:
    bundle = generator.bundle
    stacked = bundle.shape.channels == 3 and bundle.recipe.data.name == "stacked-mnist"
    if not stacked and bundle.shape != (1, SIDE, SIDE):
        raise DataError(
            f"{text} draws {bundle.shape} images of {bundle.recipe.data.name}; an evaluation takes "
            "digits of 28x28 gray, and stacked MNIST"
        )
    facts = {
        "recipe": f"{bundle.recipe.name}, {bundle.recipe.objective.loss} loss, "
        f"seed {bundle.recipe.seed}",
        "trained on": f"{bundle.recipe.data.name}, {bundle.images_seen:,} images seen"
        + (", best checkpoint" if checkpoint == "best" else ""),
    }
    notes: tuple[str, ...] = ()
    if bundle.recipe.data.name not in DIGIT_SETS:
        name = bundle.recipe.data.name
        notes = (f"Trained on {name}, but compared with the reference's digits.",)
    obeys = generator.conditional and can_classify(bundle)
    if obeys:
        facts["labels"] = "requested, in the shares of the reference's test images"

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        if stacked:
            pixels, cost = _draw(generator, protocol.stacked, None, progress)
            return DrawnImages(_unstacked(pixels), cost)
        count = protocol.images
        requested = reference.labels_to_request(count, protocol.set_size) if obeys else None
        pixels, cost = _draw(generator, count, requested, progress)
        return DrawnImages(GeneratedImages(pixels, requested), cost)

    return Source(
        text, bundle.digest, draw, folder, facts, notes, generator=generator if obeys else None
    )


def _draw(
    generator: Generator, count: int, requested: np.ndarray | None, progress: Progress
) -> tuple[UInt8, dict[str, str]]:
    """Draw `count` images of the digits `requested` (n,) if any, and state what they cost."""
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
        f"{count / seconds:,.0f} images/s drawn here with {torch.get_num_threads()} threads"
    )
    return np.concatenate(parts), {"generator": cost}


def _unstacked(pixels: UInt8) -> GeneratedImages:
    """Take three digits out of each stacked image (n, 28, 28, 3)."""
    digits = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(-1, SIDE, SIDE)
    return GeneratedImages(digits, stacked=True)


# --- arrays and files ---


def _array_source(source: Any, options: SourceOptions) -> Source:
    """Evaluate an array of images, and labels that may come with it."""
    raw = source.detach().cpu().numpy() if isinstance(source, torch.Tensor) else source
    if raw.dtype != np.uint8 or raw.ndim not in (3, 4) or not len(raw):
        raise DataError(
            "`source` must be uint8 images (n, 28, 28) from 0 to 255, not "
            f"{raw.dtype} {tuple(raw.shape)}"
        )
    raw = raw[..., None] if raw.ndim == 3 else raw
    labels = None if options.labels is None else _labels(options.labels, len(raw))
    return _images_source("images", raw, labels, options.stacked, None)


def _labels(given: Any, count: int) -> np.ndarray:
    tensor = isinstance(given, torch.Tensor)
    labels = given.detach().cpu().numpy() if tensor else np.asarray(given)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise DataError(
            f"`labels` must be {count:,} whole numbers from 0 to 9, not "
            f"{labels.dtype} {labels.shape}"
        )
    return labels.astype(np.int64)


def _file_source(path: Path, stacked: bool) -> Source:
    raw, labels = read_npz_images(path) if path.is_file() else read_pictures(path)
    return _images_source(str(path), raw, labels, stacked, Path(f"{path.stem}-evaluation"))


def _images_source(
    name: str, raw: UInt8, labels: np.ndarray | None, stacked: bool, folder: Path | None
) -> Source:
    """Evaluate images (n, H, W, channels) of a file or an array."""
    notes: tuple[str, ...] = ()
    if stacked:
        if raw.shape[1:] != (SIDE, SIDE, 3):
            shape = "x".join(map(str, raw.shape[1:]))
            raise DataError(f"`stacked` needs images of 28x28x3; {name} has {shape}")
        check_images(_unstacked(raw))
        pixels = raw
    else:
        gray, from_color = _gray(name, raw)
        pixels, inverted = _light_on_dark(gray)
        notes = from_color + inverted
        check_images(GeneratedImages(pixels, labels))
    hashed = hashlib.sha256(np.ascontiguousarray(pixels).tobytes())
    hashed.update(str(stacked).encode() + (b"" if labels is None else labels.tobytes()))

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        rows, chosen = _choose(len(pixels), labels, stacked, protocol, reference)
        if stacked:
            return DrawnImages(_unstacked(pixels[rows]), notes=chosen)
        requested = None if labels is None else labels[rows]
        return DrawnImages(GeneratedImages(pixels[rows], requested), notes=chosen)

    facts = {"images": f"{len(raw):,} in {name}, {'no' if labels is None else 'with'} labels"}
    return Source(name, hashed.hexdigest(), draw, folder, facts, notes)


def _choose(
    count: int,
    labels: np.ndarray | None,
    stacked: bool,
    protocol: Protocol,
    reference: ReferenceImages,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Choose which images are evaluated, in random order: files are often sorted by class.

    With labels, classes get the shares that they have in the reference, if each occurs.

    Returns:
        The rows, and a note where they are not all images.
    """
    most = min(count, protocol.stacked if stacked else protocol.images)
    rows: np.ndarray = np.random.default_rng(seed_for(0, "chosen")).permutation(count)[:most]
    matched = ""
    if labels is not None:
        shares = np.bincount(reference.test_labels, minlength=10) / len(reference.test_labels)
        counts, present = np.bincount(labels, minlength=10), shares > 0
        possible = int((counts[present] / shares[present]).min())
        if possible > 0:
            wanted = min(most, possible)
            rows = class_matched(labels, reference.test_labels, wanted, draw=0)
            matched = ", chosen so that the ten classes have the shares of the reference"
    if len(rows) == count:
        return rows, ()
    return rows, (f"{len(rows):,} of {count:,} images were evaluated{matched}.",)


def _gray(name: str, raw: UInt8) -> tuple[UInt8, tuple[str, ...]]:
    """Take one channel where all are equal."""
    if raw.shape[3] == 1:
        return raw[..., 0], ()
    if (raw == raw[..., :1]).all():
        note = "Color images whose channels are all equal: evaluated as gray."
        return np.ascontiguousarray(raw[..., 0]), (note,)
    raise DataError(
        f"{name} holds color images; an evaluation takes gray digits (three digits stacked as "
        "color: `stacked=True`)"
    )


def _light_on_dark(pixels: UInt8) -> tuple[UInt8, tuple[str, ...]]:
    """Invert images whose borders are bright: MNIST's digits are white on black."""
    edges = [pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]]
    if np.concatenate([edge.ravel() for edge in edges]).mean() <= 127:
        return pixels, ()
    return 255 - pixels, ("The images are dark on light: inverted before they were evaluated.",)


# --- real images ---


def _real_source(text: str, options: SourceOptions) -> Source:
    """Evaluate a data set's own training images: the best that a generator could do, all copied."""
    name = text.removeprefix(REAL)
    dataset = load_dataset(whole_set(name), "train", options.data_dir, options.download)
    if dataset.shape != (1, SIDE, SIDE) or len(dataset.classes) != 10:
        raise ConfigError(
            f"{text}: an evaluation takes ten digits of 28x28 gray, not {dataset.shape}"
        )
    pixels, labels = dataset.images[:, 0].numpy(), dataset.labels.numpy()

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        count = min(protocol.images, len(labels))
        rows = class_matched(labels, reference.test_labels, count, draw=0)
        return DrawnImages(GeneratedImages(pixels[rows], labels[rows]))

    facts = {"images": f"{len(labels):,} real training images of {name}"}
    return Source(text, dataset.digest(), draw, Path(f"{name}-evaluation"), facts)


def whole_set(name: str) -> Data:
    """Return the configuration of a data set without a validation split."""
    return Data(name=name, holdout=0)
