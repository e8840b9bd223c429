"""Whether saved tensors are exactly those of the training state that is to take them over."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import torch
from torch import nn

from inkgan.errors import ArtifactError

Tensors = Mapping[str, torch.Tensor]


class ExpectedTensors(NamedTuple):
    """The tensors that a saved state must have; their shapes and types count, not their numbers.

    Attributes:
        fixed: all but Adam's moments.
        moments: step and moments of each parameter; none before the first update.
        finite: names of weights and running statistics.
        unused_parameters: whether all moments of a parameter may be missing.
    """

    fixed: Tensors
    moments: Tensors
    finite: Collection[str]
    unused_parameters: bool


def check_tensors(tensors: Tensors, expected: ExpectedTensors) -> None:
    """Refuse saved tensors that are not those of a state.

    Raises:
        ArtifactError: names the first one that is missing, too many, of another shape or type, or
            has impossible numbers.
    """
    needed = {**expected.fixed, **expected.moments}
    for name in sorted(needed.keys() | tensors.keys()):
        if name not in needed:
            raise ArtifactError(f"its tensor {name} does not belong to this recipe")
        if name not in tensors:
            if expected.unused_parameters and _has_no_moments(name, expected.moments, tensors):
                continue
            raise ArtifactError(f"its tensor {name} is missing")
        have, want = tensors[name], needed[name]
        if have.shape != want.shape or have.dtype != want.dtype:
            raise ArtifactError(
                f"its tensor {name} is {_describe(have)}, and this recipe needs {_describe(want)}"
            )
        if name in expected.finite and not have.isfinite().all():
            raise ArtifactError(f"its tensor {name} is not finite everywhere")
        if name in expected.moments and not _is_moment(name, have):
            raise ArtifactError(f"its tensor {name} has impossible numbers")


def expected_moments(part: str, optimizer: torch.optim.Adam) -> dict[str, torch.Tensor]:
    """Return tensors like those that Adam keeps of each parameter after a step."""
    like: dict[str, torch.Tensor] = {}
    for index, parameter in enumerate(optimizer.param_groups[0]["params"]):
        like[f"{part}.{index}.step"] = torch.zeros((), dtype=torch.float32)
        like |= {f"{part}.{index}.{name}": parameter for name in ("exp_avg", "exp_avg_sq")}
    return like


def bounded_tensors(part: str, network: nn.Module) -> dict[str, torch.Tensor]:
    """Return a network's weights and running statistics, which must be finite.

    Other buffers, of a network of one's own, may be infinite on purpose, as a mask is.
    """
    named = {f"{part}.{name}": tensor.detach() for name, tensor in network.named_parameters()}
    for name, buffer in network.named_buffers():
        if "running_" in name and buffer.is_floating_point():
            named[f"{part}.{name}"] = buffer
    return named


def _has_no_moments(name: str, moments: Tensors, tensors: Tensors) -> bool:
    parameter = name.rpartition(".")[0]
    return name in moments and not any(key.startswith(f"{parameter}.") for key in tensors)


def _is_moment(name: str, tensor: torch.Tensor) -> bool:
    """Return whether these can be Adam's numbers: steps and means of squares are positive."""
    is_sound = tensor.isfinite() if name.endswith(".exp_avg") else (tensor >= 0) & tensor.isfinite()
    return bool(is_sound.all())


def _describe(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
