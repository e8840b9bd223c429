"""A data set as one uint8 tensor on the device."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from inkgan.config import Data
from inkgan.config.serialize import parse_recipe
from inkgan.data.dataset_spec import LoadedSplit, ReadRequest, SourceSplit
from inkgan.data.registry import is_built_in, read_dataset
from inkgan.data.stratified_split import last_part, stratified_part
from inkgan.errors import DataError
from inkgan.images import (
    Shape,
    is_dark_on_light,
    mixed_ink_note,
    pad_to_square,
    resize,
    set_channels,
)
from inkgan.plural import counted
from inkgan.types import Progress, silent

Split = Literal["train", "validation", "test"]
MOST_HELD_BACK = 0.25  # share of the images that the recipes' default may hold back


@dataclass(frozen=True)
class Dataset:
    """Images and labels of one split.

    Attributes:
        name: of the data set.
        images: uint8 (n, C, H, W).
        labels: int64 (n,), the places of the classes in `classes`.
        classes: their names.
        held_back: images of the training split that were reserved for validation.
        has_validation: there are images for validation, held back or of the set's own split.
        notes: what was converted, inverted or left out, in words.
    """

    name: str
    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    held_back: int = 0
    has_validation: bool = False
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> Shape:
        """Channels, height and width of each image."""
        return Shape(*self.images.shape[1:])

    def __len__(self) -> int:
        return len(self.images)

    def __str__(self) -> str:
        reserved = ""
        if self.held_back:
            whole = len(self) + self.held_back
            reserved = f" ({self.held_back:,} of {whole:,} held back for validation)"
        return f"{self.name}, {counted(len(self), 'image')} {self.shape}{reserved}"

    def digest(self) -> str:
        """Return the SHA-256 of all pixels and labels."""
        hashed = hashlib.sha256(str(tuple(self.images.shape)).encode())
        hashed.update(self.images.cpu().numpy().tobytes())
        hashed.update(self.labels.cpu().numpy().tobytes())
        return hashed.hexdigest()

    def to(self, device: torch.device) -> "Dataset":
        """Return the set on a device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))


def load_dataset(
    data: str | Data,
    split: Split = "train",
    data_dir: str | Path | None = None,
    progress: Progress = silent,
    *,
    holdout: int | None = None,
    size: int | None = None,
    channels: int | None = None,
    invert: Literal["auto"] | bool | None = None,
) -> Dataset:
    """Load one split of a data set.

    The files are looked for in `data_dir` where that is given; otherwise in INKGAN_DATA and in the
    user's cache, and downloaded if they are nowhere.

    Every split of one's own sets has each class in its share. Gray images that are dark on light
    are inverted, since MNIST's are light on dark. `notes` of the returned set say so.

    Args:
        data: the name of a set; folder:, npz:, csv: or idx: with a path, or a path alone; or the
            `data` section of a recipe.
        split: train, validation or test. Validation is the set's own split of that name, or
            `holdout` images of the training split: the last ones of built-in sets.
        data_dir: folder that holds the set, or a folder for each data set.
        progress: called with (file name, bytes so far, bytes in all or 0) during downloads.
        holdout: images of the training split to reserve for validation. None means none of a set
            given by name, and what the section says otherwise.
        size: resize to size x size pixels.
        channels: 1 converts to gray, 3 to RGB.
        invert: swap ink and paper; auto, the default, does so for dark ink on light paper.

    Raises:
        ConfigError: there is no such set, or a value is impossible.
        DataError: the set cannot be found or read, or the holdout leaves no training image.

    Examples:
        >>> test = inkgan.load_dataset("mnist", "test")
        >>> test.images.shape
        torch.Size([10000, 1, 28, 28])
    """
    config = _configure(data, holdout, size, channels, invert)
    place = None if data_dir is None else Path(data_dir)
    source: SourceSplit = "test" if split == "test" else "train"
    loaded = read_dataset(config.name, ReadRequest(source, place, progress), config.size)
    if split == "validation" and loaded.has_validation:
        loaded = read_dataset(config.name, ReadRequest(split, place, progress), config.size)
    images, notes = _convert(loaded, config)
    labels = torch.from_numpy(np.asarray(loaded.labels, np.int64))
    if split == "test" or loaded.has_validation:
        kept = loaded.has_validation
        return Dataset(config.name, images, labels, loaded.classes, 0, kept, notes)
    if split == "validation" and not config.holdout:
        raise DataError("`data.holdout=0` leaves no validation images; use `data.holdout=5000`")
    count, note = _holdout(config, loaded, explicit=holdout is not None)
    reserved = (last_part if loaded.is_built_in else stratified_part)(loaded.labels, count)
    part = torch.from_numpy(reserved if split == "validation" else ~reserved)
    held_back = int(reserved.sum()) if split == "train" else 0
    return Dataset(
        config.name,
        images[part],
        labels[part],
        loaded.classes,
        held_back,
        has_validation=held_back > 0,
        notes=(*notes, *note),
    )


def _configure(
    data: str | Data,
    holdout: int | None,
    size: int | None,
    channels: int | None,
    invert: Literal["auto"] | bool | None,
) -> Data:
    """Return the section of a recipe that describes what to load."""
    given = {"holdout": holdout, "size": size, "channels": channels, "invert": invert}
    changes = {key: value for key, value in given.items() if value is not None}
    if isinstance(data, str):
        return parse_recipe({"data": {"name": data, "holdout": 0} | changes}).data
    return parse_recipe({"data": data.model_dump() | changes}).data if changes else data


def _convert(loaded: LoadedSplit, config: Data) -> tuple[torch.Tensor, tuple[str, ...]]:
    """Bring images to the form that a recipe asks for.

    Returns:
        Images uint8 (n, C, H, W), and notes on them in words.
    """
    raw, notes = loaded.images, loaded.notes
    arranged = np.ascontiguousarray(raw.transpose(0, 3, 1, 2))
    images = torch.from_numpy(arranged if arranged.flags.writeable else arranged.copy())
    if config.channels is not None:
        images = set_channels(images, config.channels)
    if config.size is not None:
        if images.shape[2] != images.shape[3]:
            notes = (*notes, f"Images of {images.shape[2]}x{images.shape[3]} padded to squares.")
        images = resize(pad_to_square(images), config.size)
    if not loaded.is_built_in and images.shape[1] == 1:
        notes = (*notes, *mixed_ink_note(images[:, 0].numpy()))
    invert = config.invert
    if invert == "auto":
        own = not loaded.is_built_in and images.shape[1] == 1
        invert = own and is_dark_on_light(images[:, 0].numpy())
        if invert:
            reason = "Dark ink on light paper: inverted, as MNIST is light on dark"
            notes = (*notes, f"{reason} (`data.invert=false` leaves it).")
    return 255 - images if invert else images, notes


def _holdout(config: Data, loaded: LoadedSplit, explicit: bool) -> tuple[int, tuple[str, ...]]:
    """Return how many training images to hold back, and a note if that is not what was asked.

    The recipes' default suits sets of MNIST's size: of a small set it is a tenth.

    Raises:
        DataError: it would leave nothing to train on.
    """
    count, whole = config.holdout, len(loaded.images)
    is_default = count == Data.model_fields["holdout"].default and not explicit
    if is_default and count > MOST_HELD_BACK * whole:
        tenth = whole // 10
        note = f"`data.holdout={count}` suits larger sets: {tenth:,} of {whole:,} are held back."
        return tenth, (note,)
    if count >= whole:
        raise DataError(
            f"`data.holdout={count}` leaves nothing of the {whole:,} training images of "
            f"{config.name}; use `data.holdout={whole // 10}`"
        )
    return count, ()


def validation_images(
    config: Data, train: Dataset, count: int, data_dir: Path | None = None
) -> Dataset:
    """Return the images by which checkpoints are scored, of the validation split.

    A set of which nothing is held back has no others: then training images.

    Args:
        config: the `data` section of the recipe.
        train: its training split.
        count: images to return at most: the last ones of built-in sets, and of others a part in
            which every class keeps its share.
        data_dir: as in `load_dataset`.
    """
    images = load_dataset(config, "validation", data_dir) if train.has_validation else train
    if len(images) <= count:
        return images
    choose = last_part if is_built_in(config.name) else stratified_part
    part = torch.from_numpy(choose(images.labels.cpu().numpy(), count))
    return replace(images, images=images.images[part], labels=images.labels[part])
