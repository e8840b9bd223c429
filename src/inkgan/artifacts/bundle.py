"""A bundle: one file with a generator's weights and all that is needed to use them."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inkgan import __version__, toml
from inkgan.artifacts import tensors as tensor_files
from inkgan.config import Recipe
from inkgan.errors import ArtifactError
from inkgan.images import Shape
from inkgan.models.build import empty_generator
from inkgan.models.layers import lay_channels_behind

KIND = "bundle"


@dataclass(frozen=True)
class Bundle:
    """A trained generator that explains itself.

    Attributes:
        recipe: how it was trained.
        shape: channels, height and width of its images.
        classes: names of the classes it saw, in the order of the labels.
        weights: the averaged generator's state.
        images_seen: real images that training had shown.
        data_sha256: digest of the training images and labels.
        scores: what was measured of it, by metric name.
    """

    recipe: Recipe
    shape: Shape
    classes: tuple[str, ...]
    weights: dict[str, torch.Tensor]
    images_seen: int
    data_sha256: str
    scores: dict[str, float] = field(default_factory=dict)
    version: str = __version__

    def save(self, path: Path) -> None:
        """Write the bundle, whole or not at all."""
        document = {
            "kind": KIND, "version": self.version, "recipe": self.recipe.model_dump(mode="json"),
            "shape": list(self.shape), "classes": list(self.classes), "scores": self.scores,
            "images_seen": self.images_seen, "data_sha256": self.data_sha256,
        }  # fmt: skip
        tensor_files.write(path, self.weights, document)

    def digest(self) -> str:
        """Return the SHA-256 of recipe and weights: of all that decides what is drawn."""
        hashed = hashlib.sha256(self.recipe.model_dump_json().encode())
        for key, tensor in sorted(self.weights.items()):
            hashed.update(key.encode() + tensor.cpu().numpy().tobytes())
        return hashed.hexdigest()

    def generator(self) -> nn.Module:
        """Build the generator, ready to draw.

        Raises:
            ArtifactError: the weights are not those of the recipe's network.
        """
        network = empty_generator(self.recipe.model, self.shape)
        try:
            network.load_state_dict(self.weights, assign=True)
        except RuntimeError as error:
            first = str(error).splitlines()[-1].strip()
            raise ArtifactError(f"the bundle's weights do not fit its recipe: {first}") from error
        lay_channels_behind(network)  # files hold weights in plain order
        return network.eval().requires_grad_(False)


def load_bundle(path: Path) -> Bundle:
    """Read a bundle.

    Raises:
        ArtifactError: missing, damaged, or not a bundle.
    """
    weights, document = tensor_files.read(path, KIND)
    try:
        return from_document(weights, document, str(path))
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is a damaged bundle: {error!r}") from error


def from_document(
    weights: dict[str, torch.Tensor], document: dict[str, Any], source: str
) -> Bundle:
    """Make a bundle from what its file holds."""
    channels, height, width = map(int, document["shape"])
    return Bundle(
        recipe=toml.parse_recipe(document["recipe"], source),
        shape=Shape(channels, height, width),
        classes=tuple(map(str, document["classes"])),
        weights=weights,
        images_seen=int(document["images_seen"]),
        data_sha256=str(document["data_sha256"]),
        scores={str(k): float(v) for k, v in document["scores"].items()},
        version=str(document["version"]),
    )
