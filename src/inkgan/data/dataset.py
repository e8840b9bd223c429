"""A data set as one uint8 tensor on the device."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch

from inkgan.config import Data
from inkgan.config.serialize import parse_recipe
from inkgan.data.dataset_spec import ReadRequest
from inkgan.data.registry import read_dataset
from inkgan.errors import DataError
from inkgan.images import Shape, resize, set_channels
from inkgan.types import Progress, silent

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Dataset:
    """Images and labels of one split.

    Attributes:
        name: of the data set.
        images: uint8 (n, C, H, W).
        labels: int64 (n,), the places of the classes in `classes`.
        classes: their names.
    """

    name: str
    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]

    @property
    def shape(self) -> Shape:
        """Channels, height and width of each image."""
        return Shape(*self.images.shape[1:])

    def __len__(self) -> int:
        return len(self.images)

    def __str__(self) -> str:
        return f"{self.name}, {len(self):,} images {self.shape}"

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
) -> Dataset:
    """Load one split of a data set.

    The files are looked for in `data_dir`, in INKGAN_DATA and in the user's cache, and downloaded
    if they are nowhere.

    Args:
        data: the name of a set, folder:PATH, npz:PATH, or the `data` section of a recipe.
        split: train, validation (the last `holdout` images of the training split) or test.
        data_dir: folder that holds a folder for each data set.
        progress: called with (file name, bytes so far, bytes in all or 0) during downloads.
        holdout: images of the training split to reserve for validation. None means none of a set
            given by name, and what the section says otherwise.
        size: resize to size x size pixels.
        channels: 1 converts to grey, 3 to RGB.

    Raises:
        ConfigError: there is no such set, or a value is impossible.
        DataError: the set cannot be found or read, or the holdout leaves no training image.

    Example:
        >>> test = inkgan.load_dataset("mnist", "test")
        >>> test.images.shape
        torch.Size([10000, 1, 28, 28])
    """
    config = _configure(data, holdout, size, channels)
    request = ReadRequest(
        split="test" if split == "test" else "train",
        data_dir=None if data_dir is None else Path(data_dir),
        progress=progress,
    )
    raw, labels, classes = read_dataset(config.name, request, config.size)
    part = slice(None)
    if split == "validation" and not config.holdout:
        raise DataError("`data.holdout=0` leaves no validation images; use `data.holdout=5000`")
    if split != "test":
        cut = len(raw) - config.holdout
        if cut < 1:
            raise DataError(
                f"`data.holdout={config.holdout}` leaves nothing of the {len(raw):,} training "
                f"images of {config.name}; use `data.holdout={len(raw) // 10}`"
            )
        part = slice(0, cut) if split == "train" else slice(cut, None)
    images = torch.from_numpy(raw[part].transpose(0, 3, 1, 2).copy())
    if config.channels is not None:
        images = set_channels(images, config.channels)
    if config.size is not None:
        images = resize(images, config.size)
    return Dataset(config.name, images, torch.tensor(labels[part], dtype=torch.int64), classes)


def _configure(
    data: str | Data, holdout: int | None, size: int | None, channels: int | None
) -> Data:
    """Return the section of a recipe that describes what to load."""
    given = {"holdout": holdout, "size": size, "channels": channels}
    changes = {key: value for key, value in given.items() if value is not None}
    if isinstance(data, str):
        return parse_recipe({"data": {"name": data, "holdout": 0} | changes}).data
    return parse_recipe({"data": data.model_dump() | changes}).data if changes else data


def validation_images(
    config: Data, train: Dataset, count: int, data_dir: Path | None = None
) -> Dataset:
    """Return the images by which checkpoints are scored, the last ones of the validation split.

    A recipe that trains on all images (holdout 0) has no others: then the last training images.

    Args:
        config: the `data` section of the recipe.
        train: its training split.
        count: images to return.
        data_dir: as in `load_dataset`.
    """
    images = load_dataset(config, "validation", data_dir) if config.holdout else train
    return replace(images, images=images.images[-count:], labels=images.labels[-count:])
