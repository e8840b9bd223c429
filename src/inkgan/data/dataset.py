"""A data set as one uint8 tensor on the device."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F

from inkgan.config import Data
from inkgan.data.download import Report
from inkgan.data.readers.named import read_source
from inkgan.errors import DataError
from inkgan.images import Shape

Split = Literal["train", "validation", "test"]
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
RESIZE_CHUNK = 4096


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (n, C, H, W) and labels int64 (n,), with the names of the classes."""

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
    config: Data,
    split: Split = "train",
    data_dir: Path | None = None,
    report: Report | None = None,
) -> Dataset:
    """Load one split; `validation` is the last `config.holdout` images of the training split.

    Looks in `data_dir`, then INKGAN_DATA, then the user's cache, then downloads. `report` is
    called with (file name, bytes so far, bytes in all or None) while it downloads.

    Raises:
        DataError: the set cannot be had or read, or the holdout leaves no training image.
    """
    source_split: Literal["train", "test"] = "test" if split == "test" else "train"
    raw, labels, classes = read_source(config.name, source_split, config.size, data_dir, report)
    part = slice(None)
    if split == "validation" and not config.holdout:
        raise DataError("data.holdout=0 leaves no validation images; use --set data.holdout=5000")
    if split != "test":
        cut = len(raw) - config.holdout
        if cut < 1:
            raise DataError(
                f"data.holdout={config.holdout} leaves nothing of the {len(raw):,} training images "
                f"of {config.name}; use --set data.holdout={len(raw) // 10}"
            )
        part = slice(0, cut) if split == "train" else slice(cut, None)
    images = torch.from_numpy(raw[part].transpose(0, 3, 1, 2).copy())
    if config.channels is not None:
        images = _with_channels(images, config.channels)
    if config.size is not None:
        images = _resized(images, config.size)
    return Dataset(config.name, images, torch.tensor(labels[part], dtype=torch.int64), classes)


def validation_images(
    config: Data, train: Dataset, count: int, data_dir: Path | None = None
) -> Dataset:
    """Return the last images of the validation split, by which checkpoints are scored.

    A recipe that trains on all images (holdout 0) has only its last training images to offer.
    """
    held_out = load_dataset(config, "validation", data_dir) if config.holdout else train
    return replace(held_out, images=held_out.images[-count:], labels=held_out.labels[-count:])


def _with_channels(images: torch.Tensor, channels: int) -> torch.Tensor:
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.repeat(1, 3, 1, 1)
    weights = torch.tensor(LUMINANCE).view(1, 3, 1, 1)
    return (images.float() * weights).sum(1, keepdim=True).round().to(torch.uint8)


def _resized(images: torch.Tensor, size: int) -> torch.Tensor:
    if images.shape[2:] == (size, size):
        return images
    chunks = [
        F.interpolate(chunk.float(), size=(size, size), mode="bilinear", antialias=True)
        for chunk in images.split(RESIZE_CHUNK)
    ]
    return torch.cat([chunk.clamp(0, 255).round().to(torch.uint8) for chunk in chunks])
