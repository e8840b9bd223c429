"""The record of a data set, and what its reader gets and returns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from inkgan.data.download import RemoteFile
from inkgan.images import Shape
from inkgan.types import Progress, UInt8, silent

SourceSplit = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class LoadedSplit:
    """One split as a reader returns it.

    Attributes:
        images: uint8 (n, H, W, C).
        labels: int64 (n,), the places of the classes in `classes`.
        classes: their names.
        notes: what was converted or left out, in words.
        is_built_in: the holdout is the last images, and ink is never inverted: published results
            depend on both.
        has_validation: the set has a validation split of its own.
    """

    images: UInt8
    labels: np.ndarray
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    is_built_in: bool = False
    has_validation: bool = False


class Pair(NamedTuple):
    """The names of a split's two files."""

    images: str
    labels: str


@dataclass(frozen=True)
class IdxFiles:
    """The IDX files of a data set of 28x28 images, each downloaded or all in one zip archive.

    Attributes:
        train: names of the training split's files.
        test: names of the test split's files.
        remote: hashes and addresses of the four files, where each is downloaded.
        archive: hash and address of the zip archive that holds them, where there is one.
        transposed: images are stored column by column.
        label_dimensions: 2 where a label file has a row of numbers for each image, the class first.
        first_label: the number of the first class.
    """

    train: Pair
    test: Pair
    remote: tuple[RemoteFile, ...] = ()
    archive: RemoteFile | None = None
    transposed: bool = False
    label_dimensions: int = 1
    first_label: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all four files."""
        return (*self.train, *self.test)


@dataclass(frozen=True)
class ReadRequest:
    """What a reader is to read.

    Attributes:
        split: train or test; only sets with a validation split are asked for it.
        data_dir: folder to look into; None where the caller names none.
        progress: called with (file name, bytes so far, bytes in all or 0) during downloads.
    """

    split: SourceSplit
    data_dir: Path | None = None
    progress: Progress = silent


Reader = Callable[[ReadRequest], tuple[UInt8, Sequence[int] | np.ndarray]]


@dataclass(frozen=True)
class DatasetSpec:
    """All that the package knows of one data set.

    Attributes:
        name: as in `data.name`; lower case letters, digits, dots, dashes and underscores.
        reader: called with a ReadRequest; returns images uint8 (n, H, W) or (n, H, W, C), with C
            1 or 3, and labels (n,), the places of the classes in `classes`.
        classes: names of the classes, in the order of the labels.
        title: one line for lists.
        shape: of the images as they are read; None where it is not fixed.
        train_images: number of training images; 0 where it is not fixed.
        test_images: number of test images; 0 where it is not fixed.
        citation: authors and year.
        license: identifier such as mit; unknown where no statement of it could be checked.
        license_url: the page that states it, or that of the publishers.
        hub_id: of the data set on the Hugging Face hub.
        similar_names: other names of the set, for suggestions.
        folder_names: folders under which other programs keep its files.
        files: what is downloaded; None where nothing is.
        is_built_in: the package's own; its holdout is the last images and its ink is never
            inverted, since published results depend on both.
        evaluation: digits where `inkgan.evaluate` can use it as images and as reference,
            stacked-digits where it can evaluate its images, None where it cannot.
    """

    name: str
    reader: Reader
    classes: tuple[str, ...]
    title: str = ""
    shape: Shape | None = None
    train_images: int = 0
    test_images: int = 0
    citation: str = ""
    license: str = "unknown"
    license_url: str = ""
    hub_id: str | None = None
    similar_names: tuple[str, ...] = ()
    folder_names: tuple[str, ...] = ()
    files: IdxFiles | RemoteFile | None = None
    is_built_in: bool = False
    evaluation: Literal["digits", "stacked-digits"] | None = None

    @property
    def remote_files(self) -> tuple[RemoteFile, ...]:
        """Every file that can be downloaded."""
        if isinstance(self.files, IdxFiles):
            archive = () if self.files.archive is None else (self.files.archive,)
            return (*self.files.remote, *archive)
        return () if self.files is None else (self.files,)
