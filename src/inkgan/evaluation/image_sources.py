"""Arrays and files of images as sources."""

from pathlib import Path
from typing import Any

import numpy as np

from inkgan.data.path_set import find_path
from inkgan.data.readers.array_files import ArrayImages, read_csv, read_npy
from inkgan.data.readers.array_set import read_npz_images
from inkgan.data.readers.convert import as_labels, as_uint8_images
from inkgan.data.readers.folder import read_pictures
from inkgan.data.readers.idx_folder import read_idx_folder
from inkgan.evaluation.reference import LEAST_IMAGES, ReferenceImages, class_matched
from inkgan.evaluation.results import GeneratedImages, Protocol
from inkgan.evaluation.set_metrics import CONFIDENT
from inkgan.evaluation.source_spec import (
    DrawnImages,
    Source,
    SourceOptions,
    as_generated,
    unstacked,
)
from inkgan.metrics.features.extractors import extract_features
from inkgan.metrics.features.networks import SIDE
from inkgan.rng import seed_for
from inkgan.types import Progress, UInt8

IMAGE_FILES = (".npz", ".npy", ".csv", ".csv.gz")
READ_IMAGES = 2_000  # classified to find out which digits there are
LEAST_SHARE = 0.02  # of a digit's images; a few of others are always taken for it
LEAST_CONFIDENT = 0.8  # of images that are digits
LEAST_MATCHED = 0.75  # of the images must be left when classes get the reference's shares


def array_source(source: Any, options: SourceOptions) -> Source:
    """Evaluate an array of images, and labels that may come with it."""
    labels = options.labels
    if isinstance(source, tuple) and len(source) == 2 and np.ndim(source[1]) == 1:  # as of Keras
        source, paired = source
        labels = paired if labels is None else labels
    raw, notes = as_uint8_images(source, "`source`: images")
    if labels is not None:
        labels, more = as_labels(labels, len(raw), "`labels`")
        notes += more
    return images_source(ArrayImages(raw, labels, notes), "images", options.stacked, None)


def file_source(path: Path, stacked: bool) -> Source:
    """Evaluate the images of a file, or of a folder of pictures."""
    return images_source(_read(path), str(path), stacked, Path(f"{path.stem}-evaluation"))


def _read(path: Path) -> ArrayImages:
    """Read all images of a folder of pictures, an .npz, an .npy or a table."""
    if find_path(str(path))[0] == "idx":
        return _read_idx(path)
    if path.is_dir():
        return ArrayImages(*read_pictures(path, SIDE))
    if path.suffix.lower() == ".npz":
        return ArrayImages(*read_npz_images(path))
    return read_npy(path) if path.suffix.lower() == ".npy" else read_csv(path)


def _read_idx(path: Path) -> ArrayImages:
    """Read the training images of IDX files, with numbers as labels."""
    loaded = read_idx_folder(path, "train", whole=True)
    names = np.array(loaded.classes)
    numbers = names.astype(np.int64) if all(map(str.isdecimal, names)) else np.arange(len(names))
    return ArrayImages(loaded.images, numbers[loaded.labels], loaded.notes)


def is_image_file(path: Path) -> bool:
    """Return whether the ending of a path is that of a file of images."""
    return path.name.lower().endswith(IMAGE_FILES)


def images_source(given: ArrayImages, name: str, stacked: bool, folder: Path | None) -> Source:
    """Evaluate images of a file or an array."""
    labels = given.labels
    images, notes = as_generated(given, name, stacked)

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        own = None if labels is None else place_labels(labels, reference)
        rows, chosen = _choose(len(given.images), own, stacked, protocol, reference)
        if stacked:
            return DrawnImages(unstacked(given.images[rows]), notes=chosen)
        requested = None if own is None else own[rows]
        return DrawnImages(GeneratedImages(images.pixels[rows], requested), notes=chosen)

    labelled = "no" if labels is None else "with"
    facts = {"images": f"{len(given.images):,} in {name}, {labelled} labels"}
    unknown = labels is None
    present = None if labels is None else tuple(np.unique(labels).tolist())
    return Source(
        name,
        images.digest(),
        draw,
        folder,
        facts,
        notes,
        labels=present,
        reads_classes=unknown and not stacked,
    )


def place_labels(labels: np.ndarray, reference: ReferenceImages) -> np.ndarray:
    """Return the places of classes (n,) for labels (n,) that are their numbers or places."""
    numbers, back = np.unique(labels, return_inverse=True)
    places: np.ndarray = np.array(reference.places(map(str, numbers.tolist())))[back]
    return places


def digits_shown(pixels: UInt8, extractors: Path | None = None) -> tuple[int, ...]:
    """Return the classes that E1 finds among images (n, 28, 28); all if few images are clear.

    Args:
        pixels: of the images.
        extractors: folder of those of another data set than of digits.
    """
    features = extract_features(pixels[:READ_IMAGES], folder=extractors)
    classes = features.probabilities.shape[1]
    if (features.probabilities.max(axis=1) >= CONFIDENT).mean() < LEAST_CONFIDENT:
        return tuple(range(classes))
    shares = np.bincount(features.predicted, minlength=classes) / len(features.predicted)
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
        classes = len(reference.classes)
        shares = np.bincount(reference.test_labels, minlength=classes) / len(reference.test_labels)
        counts, present = np.bincount(labels, minlength=classes), shares > 0
        wanted = min(most, int((counts[present] / shares[present]).min()))
        if wanted >= max(LEAST_IMAGES, LEAST_MATCHED * most):
            rows = class_matched(labels, reference.test_labels, wanted, draw=0)
            matched = ", chosen so that the classes have the shares of the reference"
    if len(rows) == count:
        return rows, ()
    return rows, (f"{len(rows):,} of {count:,} images were evaluated{matched}.",)
