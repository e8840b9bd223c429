"""torch's operators that are not public, each behind one function with a public fallback.

Nothing else in inkgan calls an operator that torch's documentation does not list. A torch without
one of them computes the same by public functions, more slowly.
"""

import functools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


def linear(inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """Return inputs (n, i) times the transpose of weight (o, i), plus bias (o,), by oneDNN.

    `mkldnn::_linear_pointwise` is the operator behind torch's own compiler. The fallback is
    `torch.nn.functional.linear`.
    """
    if not has_onednn_linear():
        return F.linear(inputs, weight, bias)
    return _onednn_linear(inputs, weight, bias)


@functools.cache
def has_onednn_linear() -> bool:
    """Tell whether this torch has oneDNN's product and takes it as `linear` calls it."""
    a, b, bias = torch.arange(6.0).view(2, 3), torch.arange(12.0).view(4, 3), torch.arange(4.0)
    try:
        return torch.equal(_onednn_linear(a, b, bias), F.linear(a, b, bias))
    except (AttributeError, RuntimeError, TypeError):
        return False


def flop_formulas() -> dict[Any, Any]:
    """Return formulas of the operators here that torch's FlopCounterMode does not know."""
    return {torch.ops.mkldnn._linear_pointwise: _count_linear} if has_onednn_linear() else {}


def transposed_convolution_gradients(
    layer: nn.ConvTranspose2d,
    gradient: torch.Tensor,
    maps: torch.Tensor,
    weight: torch.Tensor,
    needed: tuple[bool, bool],
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return the gradients of a transposed convolution in its maps and in its weight.

    `aten::convolution_backward` computes both at once. The fallback derives torch's public
    function.

    Args:
        layer: gives the geometry.
        gradient: in the outputs.
        maps: the inputs.
        weight: of the layer.
        needed: which of the two gradients to compute.
    """
    operator = _operator("convolution_backward")
    if operator is not None:
        geometry = (layer.stride, layer.padding, layer.dilation, True, layer.output_padding)
        mask = [*needed, False]
        for_maps, for_weight, _ = operator(gradient, maps, weight, None, *geometry, 1, mask)
        return for_maps, for_weight
    create_graph = torch.is_grad_enabled()  # the gradients are to be derived again
    with torch.enable_grad():
        if not create_graph:
            maps, weight = maps.detach().requires_grad_(), weight.detach().requires_grad_()
        outputs = F.conv_transpose2d(
            maps,
            weight,
            None,
            layer.stride,
            layer.padding,  # type: ignore[arg-type]
            layer.output_padding,
            1,
            layer.dilation,
        )
        wanted = [t for t, need in zip((maps, weight), needed, strict=True) if need]
        found = iter(torch.autograd.grad(outputs, wanted, gradient, create_graph=create_graph))
    first, second = (next(found) if need else None for need in needed)
    return first, second


def leaky_relu_gradient(
    gradient: torch.Tensor, outputs: torch.Tensor, slope: float
) -> torch.Tensor:
    """Return a gradient (n, ...) times the slopes that a leaky ReLU with these outputs had.

    `aten::leaky_relu_backward` does so in one pass, the fallback in two.
    """
    operator = _operator("leaky_relu_backward")
    if operator is None:
        return torch.where(outputs > 0, gradient, gradient * slope)
    product: torch.Tensor = operator(gradient, outputs, slope, True)  # True: these are outputs
    return product


@torch.no_grad()
def lerp_all_(
    targets: Sequence[torch.Tensor], sources: Sequence[torch.Tensor], weight: float | torch.Tensor
) -> None:
    """Move each target a share `weight` of the way to its source, in place.

    `torch._foreach_lerp_` does so in one launch on GPUs, and three others in three where the weight
    is a tensor without axes. The fallback is a loop.
    """
    names = ("_foreach_lerp_", "_foreach_sub", "_foreach_mul_", "_foreach_add_")
    if not all(hasattr(torch, name) for name in names):
        for target, source in zip(targets, sources, strict=True):
            target.lerp_(source, weight)
    elif isinstance(weight, torch.Tensor):
        differences = torch._foreach_sub(list(sources), list(targets))
        torch._foreach_mul_(differences, weight)
        torch._foreach_add_(list(targets), differences)
    else:
        torch._foreach_lerp_(list(targets), list(sources), weight)


def _operator(name: str) -> Any:
    return getattr(torch.ops.aten, name, None)


def _onednn_linear(
    inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
) -> torch.Tensor:
    outputs: torch.Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
    return outputs


def _count_linear(a: tuple[int, ...], b: tuple[int, ...], *_: Any, **__: Any) -> int:
    return 2 * a[0] * a[1] * b[0]
