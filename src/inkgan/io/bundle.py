"""A bundle: one file with a generator's weights and all that is needed to use them."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from inkgan import __version__
from inkgan.config import Recipe
from inkgan.config import serialize as toml
from inkgan.config.recipe_migration import model_json_0_1
from inkgan.documents import check_document
from inkgan.errors import ArtifactError, ConfigError
from inkgan.images import Shape
from inkgan.io import tensors as tensor_files
from inkgan.io.bundle_document import BundleDocument, check_finite, check_weights
from inkgan.io.bundle_migration import migrate_bundle
from inkgan.models.build import build_generator, empty_generator
from inkgan.models.cost import require_affordable
from inkgan.models.layers import to_channels_last_
from inkgan.printable import brief
from inkgan.types import GeneratorFactory

KIND = "bundle"
LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]*")


class MeasuredScore(NamedTuple):
    """A score of the generator's images.

    Attributes:
        value: of the generated images.
        baseline: of real images, by the same code; None where it was not measured.
    """

    value: float
    baseline: float | None = None


@dataclass(frozen=True)
class Bundle:
    """A trained generator that explains itself.

    Attributes:
        recipe: how it was trained.
        shape: channels, height and width of its images.
        classes: names of the classes in the data, in the order of the labels.
        weights: the averaged generator's state.
        images_seen: real images that training had shown.
        data_sha256: digest of the training images and labels.
        scores: measured scores by metric name.
        generator_class: of a generator of one's own (`inkgan.models.custom`); never in the file.
        license: an identifier such as mit or cc0-1.0; empty where none was given.
        version: of inkgan that made it.
        source: its file, for messages; empty for a bundle that was not read from one.
    """

    recipe: Recipe
    shape: Shape
    classes: tuple[str, ...]
    weights: dict[str, torch.Tensor]
    images_seen: int
    data_sha256: str
    scores: dict[str, MeasuredScore] = field(default_factory=dict)
    license: str = ""
    version: str = __version__
    generator_class: GeneratorFactory | None = field(default=None, compare=False, repr=False)
    source: str = field(default="", compare=False, repr=False)

    def document(self) -> dict[str, Any]:
        """Return all but the weights as plain values."""
        return {
            "kind": KIND,
            "version": self.version,
            "recipe": self.recipe.model_dump(mode="json"),
            "shape": list(self.shape),
            "classes": list(self.classes),
            "scores": {key: list(score) for key, score in self.scores.items()},
            "images_seen": self.images_seen,
            "data_sha256": self.data_sha256,
            "license": self.license,
        }

    def save(self, path: Path, *, half: bool = False) -> None:
        """Write the bundle, whole or not at all.

        Args:
            path: the file.
            half: store matrices and kernels in float16; biases, norms and statistics are few and
                stay as they are.

        Raises:
            ArtifactError: the file cannot be written, a weight is not finite or too large for
                float16, or another part could not be read again.
        """
        self.check()
        if self.recipe.model.generator.family != "custom":
            check_weights(self.weights, empty_generator(self.recipe.model, self.shape))
        document = self.document()
        written = {key: value for key, value in document.items() if key != "kind"}
        check_document(BundleDocument, written, path, problem="cannot be written")
        weights = self.weights
        if half:
            rounded = self.rounded().weights
            weights = {key: t.half() if _is_halved(t) else t for key, t in rounded.items()}
        tensor_files.write(path, weights, document)

    def check(self) -> None:
        """Refuse what no network has to be built to see; `generator` refuses the rest.

        Raises:
            ArtifactError: a weight is not finite (of a generator of one's own, it may be), or the
                classes are not those of the recipe.
            ConfigError: the generator needs too much memory or work.
        """
        model = self.recipe.model
        require_affordable(model, self.shape)
        if model.classes not in (0, len(self.classes)):
            raise ArtifactError(
                f"its network has {model.classes} classes, and {len(self.classes)} have a name"
            )
        if model.generator.family != "custom":
            check_finite(self.weights)

    def rounded(self) -> "Bundle":
        """Return the bundle with its numbers rounded to float16, as `save(half=True)` stores them.

        Raises:
            ArtifactError: a weight is too large for float16.
        """
        return replace(self, weights={key: _rounded(key, t) for key, t in self.weights.items()})

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the network and its weights: all that decides which images it draws."""
        described = self.recipe.model.model_dump_json(exclude_defaults=True)
        hashed = hashlib.sha256(model_json_0_1(described).encode())
        for key, tensor in sorted(self.weights.items()):
            hashed.update(key.encode() + tensor.cpu().numpy().tobytes())
        return hashed.hexdigest()

    def generator(self) -> nn.Module:
        """Build the generator, ready to draw.

        Raises:
            ConfigError: the generator is a class of the user's own, which was not given.
            ArtifactError: the weights are not those of the recipe's network.
        """
        custom = self.recipe.model.generator.family == "custom"
        if custom:  # what its constructor computes may not survive torch's meta device
            network = build_generator(self.recipe.model, self.shape, 0, self.generator_class)
        else:
            network = empty_generator(self.recipe.model, self.shape)
        begin = self.source or "the bundle"
        try:
            if not custom:
                check_weights(self.weights, network)
            network.load_state_dict(self.weights, assign=not custom)
        except (ArtifactError, RuntimeError) as error:
            first = str(error).splitlines()[-1].strip()
            raise ArtifactError(f"{begin}: the weights do not fit the recipe: {first}") from error
        if not custom:
            to_channels_last_(network)  # files hold weights in plain order
        return network.eval().requires_grad_(False)


def check_license(license: str) -> None:
    """Refuse a license that is no identifier such as mit or cc0-1.0.

    Raises:
        ConfigError: names the parameter `license`.
    """
    if not LICENSE.fullmatch(license):
        raise ConfigError(
            f"`license` {license!r} is no identifier; use one such as cc0-1.0 or unknown"
        )


def load_bundle(path: Path, generator: GeneratorFactory | None = None) -> Bundle:
    """Read a bundle, and check it against its checksum and its recipe.

    Args:
        path: the file.
        generator: the class of a generator of one's own.

    Raises:
        ArtifactError: missing, damaged, not a bundle, or its generator needs too much memory or
            work.
        ConfigError: the recipe is impossible.
    """
    weights, document = tensor_files.read(path, KIND)
    return replace(from_document(weights, document, str(path)), generator_class=generator)


def from_document(
    weights: dict[str, torch.Tensor], document: dict[str, Any], source: str
) -> Bundle:
    """Make a bundle from the tensors and the document of its file.

    Raises:
        ArtifactError: the document or a weight is damaged; the message begins with `source`.
        ConfigError: the recipe is impossible.
    """
    values = check_document(BundleDocument, migrate_bundle(document), source)
    bundle = Bundle(
        recipe=toml.parse_recipe(values.recipe, source, unregistered=True),
        shape=Shape(*values.shape),
        classes=tuple(values.classes),
        weights={key: t.float() if t.dtype == torch.float16 else t for key, t in weights.items()},
        images_seen=values.images_seen,
        data_sha256=values.data_sha256,
        scores={key: _read_score(key, pair, source) for key, pair in values.scores.items()},
        license=values.license,
        version=values.version,
        source=source,
    )
    try:
        bundle.check()
    except (ArtifactError, ConfigError) as error:
        raise ArtifactError(f"{source} cannot be used: {error}") from error
    return bundle


def _read_score(key: str, pair: list[float | None], source: str) -> MeasuredScore:
    match pair:
        case [float() | int() as value, float() | int() | None as baseline]:
            return MeasuredScore(float(value), None if baseline is None else float(baseline))
    raise ArtifactError(f"{source} is damaged: scores.{key} = {brief(pair)}: should be two numbers")


def _is_halved(tensor: torch.Tensor) -> bool:
    return tensor.ndim > 1 and tensor.dtype == torch.float32


def _rounded(key: str, tensor: torch.Tensor) -> torch.Tensor:
    if not _is_halved(tensor):
        return tensor
    rounded = tensor.half().float()
    if not rounded.isfinite().all():
        raise ArtifactError(f"{key} has numbers beyond float16; use `half=False`")
    return rounded
