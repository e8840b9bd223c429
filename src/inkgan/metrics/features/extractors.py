"""The frozen feature extractors that the package ships, and the features of images."""

import functools
import hashlib
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from inkgan.config.recipe import Precision
from inkgan.errors import ArtifactError, DataError
from inkgan.images import to_float
from inkgan.metrics.features.networks import CLASSES, NETWORKS, SIDE, Classifier
from inkgan.types import Float64, Progress, UInt8, silent

CHUNK = 500  # a product's last bits depend on the batch's size, so it never varies
IMAGENET_SIDE = 224


class Features(NamedTuple):
    """Features of n images.

    Attributes:
        e1: of the digit classifier, float32 (n, 128).
        e2: of the autoencoder, float32 (n, 64).
        probabilities: of the ten digits, or of other classes, by the classifier, float64
            (n, classes).
    """

    e1: np.ndarray
    e2: np.ndarray
    probabilities: Float64

    @property
    def predicted(self) -> np.ndarray:
        """The digit that E1 predicts for each image, int64 (n,)."""
        digits: np.ndarray = self.probabilities.argmax(axis=1)
        return digits

    def at(self, rows: np.ndarray | slice) -> "Features":
        """Return the features of some of the images."""
        return Features(self.e1[rows], self.e2[rows], self.probabilities[rows])


class Classification(NamedTuple):
    """What E1 reads in n images.

    Attributes:
        probabilities: of the ten digits, float64 (n, 10).
    """

    probabilities: Float64

    @property
    def predicted(self) -> np.ndarray:
        """The most probable digit of each image, int64 (n,)."""
        digits: np.ndarray = self.probabilities.argmax(axis=1)
        return digits


def weights_path(name: str, folder: Path | None = None) -> Path:
    """Return the path of a network's weights: e1, e2, e3 or linear, shipped or in a folder."""
    if folder is not None:
        return folder / f"{name}.safetensors"
    with as_file(files("inkgan.metrics.features") / "weights" / f"{name}.safetensors") as path:
        return path


@functools.cache
def load_network(name: str, folder: Path | None = None) -> nn.Module:
    """Load a network, frozen.

    Args:
        name: e1, e2, e3 or linear.
        folder: with networks that were fitted to another data set; None for the shipped ones.

    Raises:
        ArtifactError: the weights are missing or damaged.
    """
    path = weights_path(name, folder)
    try:
        weights = load_file(path)
        classes = len(weights["head.weight"]) if "head.weight" in weights else CLASSES
        network = NETWORKS[name](classes)
        network.load_state_dict({key: tensor.float() for key, tensor in weights.items()})
    except (OSError, RuntimeError, ValueError) as error:
        raise ArtifactError(
            f"the extractor {path} cannot be read: {error}; fit it again: inkgan extractors fit"
        ) from error
    if isinstance(network, Classifier):
        network.fold_norms_()
    return network.eval().requires_grad_(False)


@functools.cache
def extractors_digest(folder: Path | None = None) -> str:
    """Return the SHA-256 of the weights of E1 and E2; scores by other weights do not compare."""
    hashed = hashlib.sha256()
    for name in ("e1", "e2"):
        hashed.update(weights_path(name, folder).read_bytes())
    return hashed.hexdigest()


@torch.no_grad()
def extract_features(
    pixels: UInt8,
    progress: Progress = silent,
    what: str = "extracting features",
    folder: Path | None = None,
) -> Features:
    """Extract the features of digits by both extractors.

    The features of an image do not depend on the images beside it, to the last bit.

    Args:
        pixels: uint8 (n, 28, 28), 0 to 255, light digits on dark.
        progress: called as `progress(what, done, total)` after each chunk.
        what: the name of this work for `progress`.
        folder: of extractors that were fitted to another data set; None for the shipped ones.

    Raises:
        DataError: images of another size or type, or none.
        ArtifactError: the extractors cannot be read.

    Examples:
        >>> features = extract_features(np.zeros((3, 28, 28), np.uint8))
        >>> features.e1.shape, features.e2.shape, features.probabilities.shape
        ((3, 128), (3, 64), (3, 10))
    """
    require_digit_images(pixels)
    e1, e2 = load_network("e1", folder), load_network("e2", folder)
    parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for start in range(0, len(pixels), CHUNK):
        images = to_float(torch.from_numpy(_filled(pixels[start : start + CHUNK]))[:, None])
        features: torch.Tensor = e1.embed(images)  # type: ignore[operator]
        logits: torch.Tensor = e1.head(features)  # type: ignore[operator]
        drawn: torch.Tensor = e2.embed(images)  # type: ignore[operator]
        parts.append((features, drawn, logits.double().softmax(dim=1)))
        progress(what, min(start + CHUNK, len(pixels)), len(pixels))
    joined = [torch.cat(part)[: len(pixels)].numpy() for part in zip(*parts, strict=True)]
    return Features(joined[0], joined[1], joined[2])


@torch.no_grad()
def classify(
    pixels: UInt8,
    progress: Progress = silent,
    what: str = "classifying",
    precision: Precision = "float32",
) -> Classification:
    """Classify digits by E1 alone: the probabilities of `extract_features`, in half its time.

    Args:
        pixels: uint8 (n, 28, 28), 0 to 255, light digits on dark.
        progress: called as `progress(what, done, total)` after each chunk.
        what: the name of this work for `progress`.
        precision: of products and convolutions. bfloat16 takes half the time on a processor with
            units for it (AMX), and moves a probability by 0.02 at most (of 10,000 images).

    Raises:
        DataError: images of another size or type, or none.

    Examples:
        >>> classify(np.zeros((3, 28, 28), np.uint8)).predicted.shape
        (3,)
    """
    require_digit_images(pixels)
    e1 = load_network("e1")
    parts: list[torch.Tensor] = []
    for start in range(0, len(pixels), CHUNK):
        images = to_float(torch.from_numpy(_filled(pixels[start : start + CHUNK]))[:, None])
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            features: torch.Tensor = e1.embed(images)  # type: ignore[operator]
        logits: torch.Tensor = e1.head(features.float())  # type: ignore[operator]
        parts.append(logits.double().softmax(dim=1))
        progress(what, min(start + CHUNK, len(pixels)), len(pixels))
    return Classification(torch.cat(parts)[: len(pixels)].numpy())


def _filled(chunk: UInt8) -> UInt8:
    """Fill a last, short chunk up with its own first image."""
    missing = CHUNK - len(chunk)
    return np.concatenate([chunk, chunk[:1].repeat(missing, axis=0)]) if missing else chunk


def require_digit_images(pixels: UInt8) -> None:
    """Refuse images that the extractors cannot read.

    Raises:
        DataError: not uint8, not 28x28 gray, or no image at all.
    """
    if pixels.dtype != np.uint8:
        raise DataError(
            f"images must have uint8 pixels from 0 to 255, not {pixels.dtype}; clamp to [-1, 1], "
            "then round((x + 1) * 127.5)"
        )
    if not len(pixels):
        raise DataError("there is no image to evaluate")
    if pixels.shape[1:] != (SIDE, SIDE):
        shape = "x".join(map(str, pixels.shape[1:]))
        raise DataError(f"images must be gray with 28x28 pixels, not {shape}")


@torch.no_grad()
def checkpoint_features(pixels: torch.Tensor) -> Float64:
    """Return E3's features (n, 32) of uint8 images (n, C, H, W) of any size.

    Color becomes gray and other sizes become 28x28 first: for images that are no digits E3 is
    only some fixed mapping, and still the same one at every checkpoint.
    """
    e3 = load_network("e3")
    images = to_float(pixels.cpu()).mean(dim=1, keepdim=True)
    if images.shape[2:] != (SIDE, SIDE):
        images = F.interpolate(images, size=(SIDE, SIDE), mode="bilinear", antialias=True)
    parts = [e3.embed(chunk) for chunk in images.split(CHUNK)]  # type: ignore[operator]
    features: Float64 = torch.cat(parts).double().numpy()
    return features


def imagenet_style(pixels: UInt8) -> torch.Tensor:
    """Turn digits into what ImageNet classifiers read: float32 (n, 3, 224, 224) in [0, 1].

    The adapter of the reference system `mlp`: [-1, 1] to [0, 1], one channel to three, 28 pixels
    to 224.
    """
    gray = torch.from_numpy(pixels)[:, None].float() / 255
    size = (IMAGENET_SIDE, IMAGENET_SIDE)
    return F.interpolate(gray, size=size, mode="bilinear").expand(-1, 3, -1, -1).contiguous()


@torch.no_grad()
def linear_probabilities(
    pixels: UInt8, network: nn.Module | None = None, folder: Path | None = None
) -> Float64:
    """Return class probabilities (n, classes) by the plain linear classifier of the system `mlp`.

    Another `network` that takes ImageNet-style images can stand in its place.
    """
    chosen = network or load_network("linear", folder)
    parts = []
    for start in range(0, len(pixels), CHUNK):
        chunk = pixels[start : start + CHUNK]
        gray = to_float(torch.from_numpy(chunk)[:, None])
        logits: torch.Tensor = chosen(gray if network is None else imagenet_style(chunk))
        parts.append(logits.double().softmax(dim=1))
    probabilities: Float64 = torch.cat(parts).numpy()
    return probabilities
