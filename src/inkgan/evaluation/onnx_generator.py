"""Draws images with a generator in an ONNX file."""

import hashlib
import math
from pathlib import Path

import numpy as np
import torch

from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.evaluation.onnx_process import Feed, ModelInput, OnnxProcess
from inkgan.evaluation.outside_generators import BATCH, LatentOptions, OutsideGenerator, latents
from inkgan.files import parse_json
from inkgan.optional_imports import import_extra

FLOATS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
MOST_LATENTS = 1 << 28  # numbers of the latents of one batch, 1 GB
MOST_CLASSES = 10_000
MOST_INPUTS = 10  # that a message lists


def open_onnx(path: Path, options: LatentOptions) -> OutsideGenerator:
    """Take an ONNX file as a generator.

    Its first input of floats gets latents from N(0, 1). A second input gets labels: whole numbers,
    or one-hot floats. Its first output is the images. A file that this package exported says its
    classes.

    Args:
        path: of the file.
        options: `latent_dim` where the file leaves the size of its latents open.

    Raises:
        ConfigError: the extra `onnx` is not installed, or `latent_dim` is missing or does not fit.
        ArtifactError: it is no ONNX file, or takes other inputs than a generator.
    """
    import_extra("onnxruntime", "onnx", "evaluating an ONNX file")
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist")
    process = OnnxProcess(path, torch.get_num_threads())
    latent, label = _inputs(process.description.inputs, path, options)
    shape = _latent_shape(latent, options, path)
    draw = _OnnxDraw(process, latent, label, shape)
    size = "x".join(map(str, shape))
    described = f"{path.name}, {size} latents" + (", labels" if label is not None else "")
    hashed = hashlib.sha256(path.read_bytes())
    hashed.update(f"{shape} {label is not None}".encode())
    return OutsideGenerator(
        str(path),
        draw,
        label is not None,
        hashed.hexdigest(),
        {"generator": described},
        _classes(process.description.classes),
    )


def _inputs(
    given: tuple[ModelInput, ...], path: Path, options: LatentOptions
) -> tuple[ModelInput, ModelInput | None]:
    """Return the input of latents and that of labels."""
    found = ", ".join(map(str, given[:MOST_INPUTS]))
    floats = [one for one in given if one.type in FLOATS]
    others = [one for one in given if one not in floats[:1]]
    fits = bool(floats) and len(others) <= 1
    if not fits or any(one.type not in FLOATS and one.type not in INTEGERS for one in others):
        raise ArtifactError(
            f"{path} takes {found or 'nothing'}; a generator takes latents, and labels where it is "
            "conditional; for another call it from a Python function, `inkgan.evaluate(function)`"
        )
    if options.conditional is not None and options.conditional != bool(others):
        takes = "labels" if others else "no labels"
        raise ConfigError(f"`conditional` is {options.conditional}, but {path} takes {takes}")
    return floats[0], others[0] if others else None


def _latent_shape(latent: ModelInput, options: LatentOptions, path: Path) -> tuple[int, ...]:
    said = latent.shape[1:]
    if not said:
        raise ArtifactError(f"{path}: its input {latent} has no axis of latents")
    shape = options.shape
    if shape is None:
        shape = tuple(n for n in said if isinstance(n, int))
        if len(shape) < len(said):
            raise ConfigError(
                f"`latent_dim` is needed: {path} leaves the shape of its input {latent} open"
            )
    fits = len(shape) == len(said) and all(
        not isinstance(n, int) or n == own for n, own in zip(said, shape, strict=True)
    )
    if not fits:
        raise ConfigError(
            f"`latent_dim` {options.latent_dim} does not fit {path}: its input is {latent}"
        )
    batch = latent.shape[0] if isinstance(latent.shape[0], int) else BATCH
    if min(batch, *shape) < 1 or max(batch, BATCH) * math.prod(shape) > MOST_LATENTS:
        raise ArtifactError(f"{path} takes impossible latents: its input is {latent}")
    return shape


def _classes(text: str | None) -> tuple[str, ...] | None:
    """Return the names of the labels that `inkgan export` wrote into the file, if any."""
    try:
        names = parse_json(text or "")
    except ValueError:
        return None
    fits = isinstance(names, list) and 1 <= len(names) <= MOST_CLASSES
    return tuple(map(str, names)) if fits else None


class _OnnxDraw:
    """Runs a model on one batch, in parts where its batch has a fixed size."""

    def __init__(
        self,
        process: OnnxProcess,
        latent: ModelInput,
        label: ModelInput | None,
        shape: tuple[int, ...],
    ) -> None:
        self.process, self.name, self.shape = process, str(process.path), shape
        self.latent, self.label = latent, label
        self.fixed = latent.shape[0] if isinstance(latent.shape[0], int) else None

    def __call__(self, count: int, labels: np.ndarray | None, place: int, /) -> np.ndarray:
        z = latents(count, self.shape, place).numpy().astype(FLOATS[self.latent.type])
        size = self.fixed or count
        parts = []
        for start in range(0, count, size):
            rows = np.arange(start, start + size) % count  # a last part is filled up
            feed = {self.latent.name: z[rows]}
            if self.label is not None and labels is not None:
                feed[self.label.name] = self._encoded(self.label, labels[rows])
            parts.append(self._run(feed, size)[: count - start])
        return np.concatenate(parts)

    def _encoded(self, label: ModelInput, labels: np.ndarray) -> np.ndarray:
        """Return labels as the model takes them: (n,), (n, 1), or one-hot (n, classes)."""
        rank = len(label.shape)
        if label.type in INTEGERS:
            numbers = labels.astype(INTEGERS[label.type])
            return numbers.reshape(-1, 1) if rank == 2 else numbers
        width = label.shape[-1] if label.shape else None
        if rank != 2 or not isinstance(width, int) or not 1 <= width <= MOST_CLASSES:
            raise ArtifactError(
                f"{self.name}: the input {label} is no one-hot label; call the model from a Python "
                "function, `inkgan.evaluate(function)`"
            )
        if width == 1:
            return labels.reshape(-1, 1).astype(FLOATS[label.type])
        if labels.max() >= width:
            raise DataError(f"{self.name} has {width} classes, but {labels.max()} is requested")
        one_hot = np.zeros((len(labels), width), FLOATS[label.type])
        one_hot[np.arange(len(labels)), labels] = 1
        return one_hot

    def _run(self, feed: Feed, size: int) -> np.ndarray:
        images = self.process.run(feed)
        if images.ndim < 2 or len(images) != size:
            raise DataError(
                f"{self.name} returned {images.dtype} {images.shape} where {size} images were "
                "requested"
            )
        return images
