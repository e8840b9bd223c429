"""Arrays and files of images as sources."""

from pathlib import Path
from typing import Any

import numpy as np

from inkgan.data.readers.array_files import ArrayImages, read_csv, read_npy
from inkgan.data.readers.array_set import read_npz_images
from inkgan.data.readers.convert import as_labels, as_uint8_images
from inkgan.data.readers.folder import read_pictures
from inkgan.evaluation.reference import LEAST_IMAGES, ReferenceImages, class_matched
from inkgan.evaluation.results import GeneratedImages, Protocol
from inkgan.evaluation.set_metrics import CONFIDENT
from inkgan.evaluation.source_spec import (
    ALL_DIGITS,
    DrawnImages,
    Source,
    SourceOptions,
    as_generated,
    unstacked,
)
from inkgan.metrics.features.extractors import extract_features
from inkgan.metrics.features.networks import CLASSES, SIDE
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
    if path.is_dir():
        return ArrayImages(*read_pictures(path, SIDE))
    if path.suffix.lower() == ".npz":
        return ArrayImages(*read_npz_images(path))
    return read_npy(path) if path.suffix.lower() == ".npy" else read_csv(path)


def is_image_file(path: Path) -> bool:
    """Return whether the ending of a path is that of a file of images."""
    return path.name.lower().endswith(IMAGE_FILES)


def images_source(given: ArrayImages, name: str, stacked: bool, folder: Path | None) -> Source:
    """Evaluate images of a file or an array."""
    labels = given.labels
    images, notes = as_generated(given, name, stacked)

    def draw(protocol: Protocol, reference: ReferenceImages, progress: Progress) -> DrawnImages:
        rows, chosen = _choose(len(given.images), labels, stacked, protocol, reference)
        if stacked:
            return DrawnImages(unstacked(given.images[rows]), notes=chosen)
        requested = None if labels is None else labels[rows]
        return DrawnImages(GeneratedImages(images.pixels[rows], requested), notes=chosen)

    labelled = "no" if labels is None else "with"
    facts = {"images": f"{len(given.images):,} in {name}, {labelled} labels"}
    unknown = labels is None
    digits = ALL_DIGITS if labels is None else tuple(np.unique(labels).tolist())
    return Source(
        name,
        images.digest(),
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
