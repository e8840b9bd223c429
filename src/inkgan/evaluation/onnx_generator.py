"""Draws images with a generator in an ONNX file."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.evaluation.outside_generators import LatentOptions, OutsideGenerator, latents
from inkgan.files import parse_json
from inkgan.optional_imports import import_extra

FLOATS = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


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
    runtime = import_extra("onnxruntime", "onnx", "evaluating an ONNX file")
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = torch.get_num_threads()
    settings.log_severity_level = 4  # what fails is an exception too
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist")
    try:
        session = runtime.InferenceSession(
            path, sess_options=settings, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its own classes have no base of their own
        words = str(error).partition("\n")[0]
        raise ArtifactError(f"{path} cannot be read as an ONNX model: {words}") from error
    latent, label = _inputs(session, path, options)
    shape = _latent_shape(latent, options, path)
    draw = _OnnxDraw(session, str(path), latent, label, shape)
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
        _classes(session),
    )


def _inputs(session: Any, path: Path, options: LatentOptions) -> tuple[Any, Any | None]:
    """Return the input of latents and that of labels."""
    given = session.get_inputs()
    found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in given)
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


def _latent_shape(latent: Any, options: LatentOptions, path: Path) -> tuple[int, ...]:
    said = latent.shape[1:]
    if not said:
        raise ArtifactError(f"{path}: the input {latent.name} has no axis of latents")
    given = options.shape
    if given is None:
        if any(not isinstance(n, int) for n in said):
            raise ConfigError(
                f"`latent_dim` is needed: {path} leaves the shape of its input {latent.name} open, "
                f"{latent.shape}"
            )
        return tuple(said)
    fits = len(given) == len(said) and all(
        not isinstance(n, int) or n == own for n, own in zip(said, given, strict=True)
    )
    if not fits:
        raise ConfigError(
            f"`latent_dim` {options.latent_dim} does not fit {path}: its input {latent.name} is "
            f"{latent.shape}"
        )
    return given


def _classes(session: Any) -> tuple[str, ...] | None:
    """Return the names of the labels that `inkgan export` wrote into the file, if any."""
    try:
        names = parse_json(session.get_modelmeta().custom_metadata_map["inkgan.classes"])
    except (KeyError, ValueError):
        return None
    return tuple(map(str, names)) if isinstance(names, list) and names else None


class _OnnxDraw:
    """Runs a model on one batch, in parts where its batch has a fixed size."""

    def __init__(
        self, session: Any, name: str, latent: Any, label: Any, shape: tuple[int, ...]
    ) -> None:
        self.session, self.name, self.shape = session, name, shape
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
                feed[self.label.name] = self._encoded(labels[rows])
            parts.append(self._run(feed)[: count - start])
        return np.concatenate(parts)

    def _encoded(self, labels: np.ndarray) -> np.ndarray:
        """Return labels as the model takes them: (n,), (n, 1), or one-hot (n, classes)."""
        rank = len(self.label.shape)
        if self.label.type in INTEGERS:
            numbers = labels.astype(INTEGERS[self.label.type])
            return numbers.reshape(-1, 1) if rank == 2 else numbers
        width = self.label.shape[-1]
        if rank != 2 or not isinstance(width, int):
            raise ArtifactError(
                f"{self.name}: the input {self.label.name} {self.label.shape} is no one-hot label; "
                "call the model from a Python function, `inkgan.evaluate(function)`"
            )
        if width == 1:
            return labels.reshape(-1, 1).astype(FLOATS[self.label.type])
        if labels.max() >= width:
            raise DataError(f"{self.name} has {width} classes, but {labels.max()} is requested")
        one_hot: np.ndarray = np.eye(width, dtype=FLOATS[self.label.type])[labels]
        return one_hot

    def _run(self, feed: dict[str, np.ndarray]) -> np.ndarray:
        try:
            images = np.asarray(self.session.run(None, feed)[0])
        except Exception as error:  # its own classes have no base of their own
            words = str(error).partition("\n")[0]
            raise DataError(f"{self.name} failed to draw: {words}") from error
        return images
