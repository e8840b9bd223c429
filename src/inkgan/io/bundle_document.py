"""What a bundle's document must hold, and how its weights must be."""

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import nn

from inkgan.documents import Count, Document, ShortText
from inkgan.errors import ArtifactError

MAX_SIDE = 4096  # pixels
ClassName = Annotated[str, Field(max_length=1000)]


class BundleDocument(Document):
    """The metadata of a bundle, beside its recipe, which has a schema of its own."""

    version: ShortText
    recipe: dict[str, Any]
    shape: Annotated[
        list[Annotated[int, Field(ge=1, le=MAX_SIDE)]], Field(min_length=3, max_length=3)
    ]
    classes: Annotated[list[ClassName], Field(max_length=10_000)]
    scores: dict[ShortText, list[float | None]]
    images_seen: Count
    data_sha256: Annotated[str, Field(pattern="^[0-9a-z]*$", max_length=64)]
    license: Annotated[str, Field(pattern="^([a-z0-9][a-z0-9.-]*)?$", max_length=100)]


def check_weights(weights: Mapping[str, torch.Tensor], network: nn.Module) -> None:
    """Refuse weights that are not those of a network, to the name, shape and type.

    Args:
        weights: by name.
        network: without storage (torch's meta device) or with it.

    Raises:
        ArtifactError: names the first tensor at fault.
    """
    expected = network.state_dict()
    for name in sorted(expected.keys() | weights.keys()):
        if name not in weights:
            raise ArtifactError(f"the weight {name} is missing")
        if name not in expected:
            raise ArtifactError(f"the weight {name} does not belong to its network")
        have, want = weights[name], expected[name]
        if have.shape != want.shape or have.dtype != want.dtype:
            raise ArtifactError(
                f"the weight {name} is {describe(have)}; its network needs {describe(want)}"
            )


def check_finite(weights: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights that are not a number or infinite: they would draw blank images.

    Raises:
        ArtifactError: names the first tensor at fault.
    """
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ArtifactError(f"the weight {name} is not finite everywhere")


def describe(tensor: torch.Tensor) -> str:
    """Write type and shape of a tensor, such as "float32 (64, 1, 3, 3)"."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
