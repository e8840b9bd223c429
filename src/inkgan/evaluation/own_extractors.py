"""Data sets to compare with: the digits of the shipped extractors, and others with their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from inkgan import files
from inkgan.data.dataset import Dataset, load_dataset
from inkgan.data.registry import DATASETS
from inkgan.device import compute_settings
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.fit_extractors import DESCRIPTION, fit_extractors
from inkgan.evaluation.reference import LEAST_IMAGES, ReferenceImages
from inkgan.generation.protocols import DIGITS
from inkgan.metrics.features.extractors import extract_features
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Progress, silent

KEPT = "extractors"  # in the cache, by the digest of both splits
NEEDED = ("e1.safetensors", "e2.safetensors", "linear.safetensors", DESCRIPTION)
READ_IMAGES = 1_000  # classified to see whether a set shows digits
LEAST_AGREEMENT = 0.7  # of E1 with the labels of digits; 0.9 and more of all sets of digits


def load_reference(
    name: str, data_dir: Path | None, download: Progress = silent
) -> ReferenceImages:
    """Load the real images that others are compared with, and choose their extractors.

    Extractors that were fitted to the set come first. Those of the package are for sets of digits.

    Args:
        name: of a data set, or folder:, npz:, csv: or idx: with a path.
        data_dir: where to look for it first.
        download: called while data are downloaded.

    Raises:
        ConfigError: there is no such data set.
        DataError: it cannot be had, holds no 28x28 gray images, has too few, or shows no digits
            and there are no extractors for it.
    """
    images = _read_splits(name, data_dir, download)
    own = find_extractors(images.digest)
    if own is not None:
        return replace(images, extractors=own)
    digits = _as_digits(images)
    if digits is not None:
        return digits
    raise DataError(
        f"there are no extractors for {name}: those of the package read digits; fit some once: "
        f"`inkgan.fit_extractors_for({name!r})`"
    )


def find_extractors(digest: str) -> Path | None:
    """Return the folder in the cache with the extractors of a data set, if it is whole."""
    for cache in files.cache_folders():
        folder = cache / KEPT / digest[:16]
        if all((folder / name).is_file() for name in NEEDED):
            return folder
    return None


def fit_extractors_for(
    data: str,
    *,
    data_dir: str | Path | None = None,
    epochs: int | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = silent,
    download: Progress = silent,
) -> Path:
    """Fit the networks of an evaluation to a data set of 28x28 gray images, of any classes.

    Afterwards `inkgan.evaluate(..., reference=data)` compares with this set. The networks are kept
    in the user's cache under a fingerprint of the images, and need no name. For 60,000 images this
    takes some minutes.

    Args:
        data: the name of a set such as "fashion-mnist"; folder:, npz:, csv: or idx: with a path.
        data_dir: where to look for the set first.
        epochs: replaces the number of epochs of each network, for trials.
        seed: of first weights, order and distortion.
        threads: inside each operation of torch; None leaves torch's setting.
        progress: called as `progress(what, done, total)`.
        download: called while data are downloaded.

    Returns:
        The folder with the networks, and with their accuracy on the test images in a JSON file.

    Raises:
        ConfigError: there is no such data set, or an argument is impossible.
        DataError: it cannot be had, holds no 28x28 gray images, or has too few.

    Example:
        >>> inkgan.fit_extractors_for("fashion-mnist")  # doctest: +SKIP
        >>> inkgan.evaluate("data:fashion-mnist", protocol="quick")  # doctest: +SKIP
    """
    if epochs is not None and epochs < 1:
        raise ConfigError(f"`epochs` must be at least 1, not {epochs}")
    place = None if data_dir is None else Path(data_dir)
    images = _read_splits(data, place, download)
    if len(images.classes) < 2:
        raise DataError(f"{data} has one class alone; a classifier needs two at least")
    out = files.writable_cache_folder() / KEPT / images.digest[:16]
    train, test = (load_dataset(data, part, place, download) for part in ("train", "test"))
    with compute_settings(threads=threads):
        for step in fit_extractors(train, test, out, epochs, seed):
            progress(f"fitting {step.name} (loss {step.loss:.4f})", step.epoch, step.epochs)
    return out


def _read_splits(name: str, data_dir: Path | None, download: Progress) -> ReferenceImages:
    """Read both splits, and refuse what the networks cannot take."""
    train, test = (load_dataset(name, part, data_dir, download) for part in ("train", "test"))
    for split in (train, test):
        if split.shape != (1, SIDE, SIDE):
            raise DataError(
                f"`reference` {name!r}: an evaluation takes 28x28 gray images, not {split.shape}"
            )
    images = _reference(name, train, test)
    if images.largest_set < LEAST_IMAGES:
        raise DataError(
            f"`reference` {name!r} has {len(train):,} training images, {len(images.unseen):,} of "
            f"them for baselines, and {len(test):,} test images; at least {LEAST_IMAGES:,} are "
            "needed for baselines and tests each, better 10,000"
        )
    return images


def _reference(name: str, train: Dataset, test: Dataset) -> ReferenceImages:
    (pixels, labels), (test_pixels, test_labels) = [
        (split.images[:, 0].numpy(), split.labels.numpy()) for split in (train, test)
    ]
    return ReferenceImages(name, pixels, labels, test_pixels, test_labels, train.classes)


def _as_digits(images: ReferenceImages) -> ReferenceImages | None:
    """Return a set with digits as labels; None where it shows none.

    Names alone do not tell: other sets number their classes too. E1 must read the test images as
    what their labels say.
    """
    if not set(images.classes) <= set(DIGITS):
        return None
    digits = np.array([int(name) for name in images.classes])
    known = DATASETS.get(images.name)
    if known is None or known.evaluation is None:
        rows = np.random.default_rng(0).permutation(len(images.test))[:READ_IMAGES]
        predicted = extract_features(images.test[rows]).predicted
        if (predicted == digits[images.test_labels[rows]]).mean() < LEAST_AGREEMENT:
            return None
    return ReferenceImages(
        images.name,
        images.train,
        digits[images.train_labels],
        images.test,
        digits[images.test_labels],
    )
