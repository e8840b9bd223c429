"""Real digits for the judge's tests: a part of MNIST where it is, the built-in ones where not."""

import functools
import os
from pathlib import Path

import numpy as np

from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.evaluation.target import Reference, Target
from inkgan.images import UInt8

TRAIN, TEST = 2500, 1000
UCI_TRAIN = 1000  # of 1,797


@functools.cache
def small_reference() -> Reference:
    root = os.environ.get("INKGAN_DATA")
    if root and (Path(root) / "mnist").is_dir():
        train, train_labels = _read("mnist", "train")
        test, test_labels = _read("mnist", "test")
        return Reference("mnist", train[:TRAIN], train_labels[:TRAIN], test[:TEST],
                         test_labels[:TEST])  # fmt: skip
    parts = [_read("uci-digits", split) for split in ("train", "test")]
    pixels, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.random.default_rng(0).permutation(len(labels))
    first, rest = order[:UCI_TRAIN], order[UCI_TRAIN:]
    return Reference("uci-digits", pixels[first], labels[first], pixels[rest], labels[rest])


def _read(name: str, split: str) -> tuple[UInt8, np.ndarray]:
    dataset = load_dataset(Data(name=name, holdout=0), split)  # type: ignore[arg-type]
    return dataset.images[:, 0].numpy(), dataset.labels.numpy()


@functools.cache
def small_target() -> Target:
    return Target(small_reference())


def as_npz(path: Path, reference: Reference) -> Path:
    np.savez(
        path, x_train=reference.train, y_train=reference.train_labels,
        x_test=reference.test, y_test=reference.test_labels,
    )  # fmt: skip
    return path
