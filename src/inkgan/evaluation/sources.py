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
from inkgan.data.readers.array_files import ArrayImages, read_csv, read_npy
from inkgan.data.readers.array_set import read_npz_images
from inkgan.data.readers.convert import as_labels, as_uint8_images
from inkgan.data.readers.folder import read_pictures
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.digit_images import as_digit_images
from inkgan.evaluation.reference import LEAST_IMAGES, ReferenceImages, class_matched
from inkgan.evaluation.report_document import report_folder
from inkgan.evaluation.results import GeneratedImages, Protocol, check_images
from inkgan.evaluation.set_metrics import CONFIDENT
from inkgan.generation.generator import Generator
from inkgan.generation.hub_download import FILE as HUB_FILE
from inkgan.generation.load import Checkpoint, find, load
from inkgan.generation.protocols import DIGITS
from inkgan.generation.sampling import CHUNK
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.features.extractors import extract_features
from inkgan.metrics.features.networks import CLASSES, SIDE
from inkgan.models.build import count_operations, count_parameters
from inkgan.rng import seed_for
from inkgan.types import Progress, UInt8, silent

FIRST_SEED = 1_000_000  # images are evaluated that no grid has shown
REAL = "data:"
PREFIXES = ("npz:", "folder:", "csv:")  # as in `data.name`
IMAGE_FILES = (".npz", ".npy", ".csv", ".csv.gz")
ALL_DIGITS = tuple(range(CLASSES))
READ_IMAGES = 2_000  # classified to find out which digits there are
LEAST_SHARE = 0.02  # of a digit's images; a few of others are always taken for it
LEAST_CONFIDENT = 0.8  # of images that are digits
LEAST_MATCHED = 0.75  # of the images must be left when classes get the reference's shares
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
        generator: that obeys the labels of digits; None otherwise.
        digits: that can be among the images.
        reads_digits: which of them are there is read off the images, since there are no labels.
    """

    name: str
    digest: str
    draw: Callable[[Protocol, ReferenceImages, Progress], DrawnImages]
    folder: Path | None
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    generator: Generator | None = None
    digits: tuple[int, ...] = ALL_DIGITS
    reads_digits: bool = False


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
    if _is_array(source):
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
    text = str(source)
    if text.startswith(REAL):
        return _real_source(text, options)
    prefix = next((prefix for prefix in PREFIXES if text.startswith(prefix)), "")
    path = Path(text.removeprefix(prefix)).expanduser()
    is_pictures = path.is_dir() and not (path / "recipe.toml").exists()
    is_bundle = is_pictures and (path / HUB_FILE).exists()
    if prefix or _is_image_file(path) or (is_pictures and not is_bundle):
        if not path.exists():
            raise DataError(f"{path} does not exist")
        return _file_source(path, options.stacked)
    generator = load(
        text, device=options.device, checkpoint=options.checkpoint, generator=generator_class
    )
    found = find(text)
    return _generator_source(text, generator, report_folder(found), options.checkpoint)


def _is_array(source: Any) -> bool:
    """Return whether something holds images itself: an array, a tensor, a table, a list."""
    return isinstance(source, list | tuple) or hasattr(source, "__array__")


# --- generators ---


def _generator_source(
    text: str, generator: Generator, folder: Path | None, checkpoint: Checkpoint
) -> Source:
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
        + (", best checkpoint" if checkpoint == "best" else ""),
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
            return DrawnImages(_unstacked(pixels), cost)
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
    labels = options.labels
    if isinstance(source, tuple) and len(source) == 2 and np.ndim(source[1]) == 1:  # as of Keras
        source, paired = source
        labels = paired if labels is None else labels
    raw, notes = as_uint8_images(source, "`source`: images")
    if labels is not None:
        labels, more = as_labels(labels, len(raw), "`labels`")
        notes += more
    return _images_source(ArrayImages(raw, labels, notes), "images", options.stacked, None)


def _file_source(path: Path, stacked: bool) -> Source:
    return _images_source(_read(path), str(path), stacked, Path(f"{path.stem}-evaluation"))


def _read(path: Path) -> ArrayImages:
    """Read all images of a folder of pictures, an .npz, an .npy or a table."""
    if path.is_dir():
        return ArrayImages(*read_pictures(path, SIDE))
    if path.suffix.lower() == ".npz":
        return ArrayImages(*read_npz_images(path))
    return read_npy(path) if path.suffix.lower() == ".npy" else read_csv(path)


def _is_image_file(path: Path) -> bool:
    return path.name.lower().endswith(IMAGE_FILES)


def _images_source(given: ArrayImages, name: str, stacked: bool, folder: Path | None) -> Source:
    """Evaluate images of a file or an array."""
    raw, labels, notes = given
    if stacked:
        if raw.shape[1:] != (SIDE, SIDE, 3):
            shape = "x".join(map(str, raw.shape[1:]))
            raise DataError(f"`stacked` needs images of 28x28x3; {name} has {shape}")
        check_images(_unstacked(raw))
        pixels = raw
    else:
        pixels, changes = as_digit_images(raw, name)
        notes += changes
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
    unknown = labels is None
    digits = ALL_DIGITS if labels is None else tuple(np.unique(labels).tolist())
    return Source(
        name,
        hashed.hexdigest(),
        draw,
        folder,
        facts,
        notes,
        digits=digits,
        reads_digits=unknown and not stacked,
    )


def digits_shown(pixels: UInt8) -> tuple[int, ...]:
    """Return the digits that E1 finds among images (n, 28, 28); all if they are hardly digits."""
    features = extract_features(pixels[:READ_IMAGES])
    if (features.probabilities.max(axis=1) >= CONFIDENT).mean() < LEAST_CONFIDENT:
        return ALL_DIGITS
    shares = np.bincount(features.predicted, minlength=CLASSES) / len(features.predicted)
    return tuple(np.flatnonzero(shares >= LEAST_SHARE).tolist())


def _choose(
    count: int,
    labels: np.ndarray | None,
    stacked: bool,
    protocol: Protocol,
    reference: ReferenceImages,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Choose which images are evaluated, in random order: files are often sorted by class.

    With labels, classes get the shares that they have in the reference, if that leaves most of the
    images.

    Returns:
        The rows, and a note where they are not all images.
    """
    most = min(count, protocol.stacked if stacked else protocol.images)
    rows: np.ndarray = np.random.default_rng(seed_for(0, "chosen")).permutation(count)[:most]
    matched = ""
    if labels is not None:
        shares = np.bincount(reference.test_labels, minlength=10) / len(reference.test_labels)
        counts, present = np.bincount(labels, minlength=10), shares > 0
        wanted = min(most, int((counts[present] / shares[present]).min()))
        if wanted >= max(LEAST_IMAGES, LEAST_MATCHED * most):
            rows = class_matched(labels, reference.test_labels, wanted, draw=0)
            matched = ", chosen so that the classes have the shares of the reference"
    if len(rows) == count:
        return rows, ()
    return rows, (f"{len(rows):,} of {count:,} images were evaluated{matched}.",)


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
