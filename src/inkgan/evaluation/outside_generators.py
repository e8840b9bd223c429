"""Generators that are none of this package: functions, torch modules and ONNX files."""

import inspect
import math
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from inkgan import rng
from inkgan.data.readers.array_files import ArrayImages
from inkgan.data.readers.convert import as_array, as_labels, as_uint8_images
from inkgan.errors import ConfigError, DataError, DataFormatError
from inkgan.types import Progress

BATCH = 500  # images that are drawn at once
MOST_BYTES = 16 << 30  # of all images that one generator draws
LatentShape = int | tuple[int, ...]


@dataclass(frozen=True)
class LatentOptions:
    """What a generator from outside is given.

    Attributes:
        latent_dim: the size of its latents, or their shape without the batch; None where it takes
            none, or says itself.
        conditional: it takes a label for each latent; None finds out.
    """

    latent_dim: LatentShape | None = None
    conditional: bool | None = None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of a latent.

        Raises:
            ConfigError: it has sizes below 1.
        """
        given = self.latent_dim
        if given is None:
            return None
        shape = given if isinstance(given, tuple) else (given,)
        if not shape or any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in shape):
            raise ConfigError(
                "`latent_dim` must be a whole number from 1, or a shape such as (100, 1, 1), not "
                f"{given!r}"
            )
        return shape


class DrawBatch(Protocol):
    """Draws one batch."""

    def __call__(self, count: int, labels: np.ndarray | None, place: int, /) -> Any:
        """Return `count` images under labels (n,), or a pair of images and labels.

        `place` is the number of the batch.
        """


@dataclass(frozen=True)
class OutsideGenerator:
    """A generator that is not one of this package.

    Attributes:
        name: for the report.
        draw_batch: draws a part of the images.
        conditional: whether it is to be given labels.
        digest: of all that decides its images; None where only these tell.
        facts: name and value of what is known of it.
        classes: names of its labels, where it says them.
    """

    name: str
    draw_batch: DrawBatch
    conditional: bool = False
    digest: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None

    def draw(self, count: int, requested: np.ndarray | None, progress: Progress) -> ArrayImages:
        """Draw images and convert them together: one batch alone may not show its range.

        Raises:
            DataError: it draws no images, other numbers of them, or the same ones again.
        """
        parts: list[np.ndarray] = []
        found: list[Any] = []
        for place, start in enumerate(range(0, count, BATCH)):
            size = min(BATCH, count - start)
            labels = None if requested is None else requested[start : start + size]
            drawn = self.draw_batch(size, labels, place)
            if isinstance(drawn, tuple) and len(drawn) == 2:
                drawn, labels = drawn
                found.append(as_labels(labels, size, f"{self.name}: labels")[0])
            parts.append(self._checked(drawn, size, parts))
            if parts[0].nbytes / len(parts[0]) * count > MOST_BYTES:
                raise DataError(
                    f"{count:,} images of {parts[0].shape[1:]} as {parts[0].dtype} do not fit into "
                    f"memory; {self.name} must return smaller ones, or uint8"
                )
            progress("drawing images", start + size, count)
        if found and len(found) != len(parts):
            raise DataError(f"{self.name} returned labels only at times")
        pixels, notes = as_uint8_images(np.concatenate(parts), f"{self.name}: images")
        return ArrayImages(pixels, np.concatenate(found) if found else requested, notes)

    def _checked(self, drawn: Any, size: int, before: list[np.ndarray]) -> np.ndarray:
        batch = as_array(drawn, f"{self.name}: images")
        if batch.dtype.kind == "f" and batch.dtype != np.float32:
            batch = batch.astype(np.float32)
        if batch.ndim < 2 or len(batch) != size:
            raise DataError(
                f"{self.name} returned {batch.dtype} {batch.shape} where {size} images were "
                "requested; return an array (n, 28, 28), (n, 1, 28, 28), (n, 28, 28, 1) or (n, 784)"
            )
        if before and batch.shape[1:] != before[0].shape[1:]:
            raise DataError(
                f"{self.name} returned images of {before[0].shape[1:]}, then of {batch.shape[1:]}"
            )
        if before and size > 1 and np.array_equal(batch, before[-1][:size]):
            raise DataError(
                f"{self.name} drew the same {size} images twice; other latents, or another seed, "
                "must give other images"
            )
        return batch


def latents(count: int, shape: tuple[int, ...], place: int) -> torch.Tensor:
    """Draw latents (count, *shape) from N(0, 1) for one batch, float32."""
    drawn = rng.normal([0], math.prod((count, *shape)), "outside latents", counter=place)
    return drawn.view(count, *shape)


def open_function(source: Callable[..., Any], options: LatentOptions) -> OutsideGenerator:
    """Take a function or a torch module as a generator.

    Args:
        source: a torch module, or a function of latents, where `options.latent_dim` is given;
            without it a function of (n, seed), which returns n images, or a pair of images and
            labels.
        options: what it is given.

    Raises:
        ConfigError: it cannot be called so; the message names the way out.
    """
    if isinstance(source, type):
        raise ConfigError(f"`source` is the class {source.__name__}; give an instance of it")
    shape, name = options.shape, _name(source)
    if isinstance(source, nn.Module):
        own = getattr(source, "latent_dim", None)
        shape = LatentOptions(own).shape if shape is None and isinstance(own, int) else shape
        if shape is None:
            raise ConfigError(
                f"`latent_dim` is needed to draw with the torch module {name}: the size of its "
                "latents, such as 100, or their shape, such as (100, 1, 1)"
            )
    if shape is None:
        if options.conditional:
            raise ConfigError(
                "`conditional` needs `latent_dim`; a function of (n, seed) returns its labels "
                "beside the images"
            )
        return OutsideGenerator(
            name, _seeded(source, name), facts={"generator": f"{name}(n, seed)"}
        )
    required = _count_required(source)
    conditional = options.conditional
    if conditional is None:
        conditional = required == 2
    draw = _from_latents(source, name, shape, conditional)
    call = f"{name}(z, y)" if conditional else f"{name}(z)"
    size = "x".join(map(str, shape))
    return OutsideGenerator(name, draw, conditional, facts={"generator": f"{call}, {size} latents"})


def _name(source: Callable[..., Any]) -> str:
    return str(getattr(source, "__name__", type(source).__name__)).strip("<>")


def _count_required(source: Callable[..., Any]) -> int | None:
    """Return how many arguments a function must be given by place; None where it does not say."""
    try:
        parameters = inspect.signature(
            source.forward if isinstance(source, nn.Module) else source
        ).parameters.values()
    except (TypeError, ValueError):
        return None
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in by_place and p.default is p.empty for p in parameters)


def _seeded(source: Callable[..., Any], name: str) -> DrawBatch:
    """Draw by a function of the number of images and a seed."""
    try:
        inspect.signature(source).bind(1, 0)
    except TypeError as error:
        raise ConfigError(
            f"`source`: the function {name} must take (n, seed) and return n images; to call it "
            "with latents give `latent_dim`, the size of a latent, such as 100"
        ) from error
    except ValueError:  # written in C: it does not say
        pass

    def draw(count: int, labels: np.ndarray | None, place: int) -> Any:
        return _called(f"{name}(n={count}, seed={place})", lambda: source(count, place))

    return draw


def _from_latents(
    source: Callable[..., Any], name: str, shape: tuple[int, ...], conditional: bool
) -> DrawBatch:
    """Draw by a function of latents, and of labels where it is conditional."""
    module = source if isinstance(source, nn.Module) else None
    tensors = [] if module is None else [*module.parameters(), *module.buffers()]
    device = tensors[0].device if tensors else torch.device("cpu")

    def draw(count: int, labels: np.ndarray | None, place: int) -> Any:
        z = latents(count, shape, place).to(device)
        given = [z]
        words = f"z of float32 {tuple(z.shape)}"
        if conditional and labels is not None:
            given.append(torch.from_numpy(labels).to(device))
            words += f", y of int64 ({count},)"
        with torch.no_grad(), _evaluating(module):
            return _called(f"{name}({words})", lambda: source(*given))

    return draw


@contextmanager
def _evaluating(module: nn.Module | None) -> Any:
    """Let batch normalization and dropout draw as in use, and restore what they were."""
    if module is None or not module.training:
        yield
        return
    before = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in before.items():
            part.training = training


def _called(call: str, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except (DataError, DataFormatError):
        raise
    except Exception as error:  # of foreign code
        words = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise DataError(
            f"`source` failed at {call}: {words}; latents and labels are tensors of torch, on the "
            "device of a module and else on the CPU"
        ) from error
