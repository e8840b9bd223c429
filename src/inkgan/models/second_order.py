"""Layers whose gradients are cheap to differentiate again, as penalties on gradients do.

A penalty such as R1 differentiates |grad_x D(x)|^2 in the weights. With torch's own layers zeros,
the derivatives of slopes and of means, go backward through the whole network, and gradients in
the weights of a convolution are convolutions with kernels as large as the maps. With those of this
module, within `second_order()`, a penalty takes four times the products of a forward pass instead
of 4.5 to 6, and each is a usual one. Outside of it they are torch's own.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.grad import conv2d_input, conv2d_weight

from inkgan.models.torch_internals import leaky_relu_gradient


class _Scope:
    """A `second_order()` block: open while its statements run."""

    def __init__(self) -> None:
        self.open = True


_current = threading.local()  # .scope; each thread trains networks of its own


@contextmanager
def second_order() -> Iterator[None]:
    """Prepare layers for a gradient in their inputs that is differentiated again.

    Forward pass and first gradient belong into the block, the second gradient behind it. The first
    one must be in the inputs alone: convolutions give none for their weights.

    Example:
        >>> with second_order():
        ...     (gradient,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
        >>> torch.autograd.grad(gradient.square().sum(), network.parameters())
    """
    before, scope = getattr(_current, "scope", None), _Scope()
    _current.scope = scope
    try:
        yield
    finally:
        scope.open = False
        _current.scope = before


def is_second_order() -> bool:
    """Tell whether a `second_order()` block is open in this thread."""
    return _scope() is not None


def _scope() -> _Scope | None:
    scope: _Scope | None = getattr(_current, "scope", None)
    return scope


class Conv2d(nn.Conv2d):
    """A convolution; on CPUs, within `second_order()`, by functions of this module."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return maps (n, C, h, w)."""
        scope = _scope()
        if scope is None or inputs.device.type != "cpu" or not self._is_plain():
            return super().forward(inputs)
        weight, bias = self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):
            inputs, weight = _autocast(inputs), _autocast(weight)
            bias = None if bias is None else _autocast(bias)
        geometry = (self.stride, self.padding)
        outputs: torch.Tensor = _Convolve.apply(inputs, weight, bias, geometry, scope)  # type: ignore[no-untyped-call]
        return outputs

    def _is_plain(self) -> bool:
        padded = self.padding_mode == "zeros" and not isinstance(self.padding, str)
        return padded and self.groups == 1 and self.dilation == (1, 1)


class LeakyReLU(nn.LeakyReLU):
    """A leaky ReLU; within `second_order()` its slopes have no derivative, instead of zeros."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return values of the same shape."""
        if not is_second_order():
            return super().forward(inputs)
        outputs: torch.Tensor = _Bend.apply(inputs, self.negative_slope, self.inplace)  # type: ignore[no-untyped-call]
        return outputs


class HalvingPool2d(nn.AvgPool2d):
    """Means of 2x2 pixels, of maps with an even height and width; otherwise as `LeakyReLU`."""

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return maps of half the height and width."""
        if not is_second_order():
            return super().forward(inputs)
        outputs: torch.Tensor = _Halve.apply(inputs)  # type: ignore[no-untyped-call]
        return outputs


def _autocast(tensor: torch.Tensor) -> torch.Tensor:
    narrow = tensor.dtype == torch.float32
    return tensor.to(torch.get_autocast_dtype("cpu")) if narrow else tensor


# A convolution c(x, w), and its gradients in x and in w for a gradient g in its outputs, are linear
# in both arguments. So each of the three has the other two as its gradients, to any order.


class _Convolve(torch.autograd.Function):
    """c(x, w) + b."""

    @staticmethod
    def forward(
        context: Any,
        inputs: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        geometry: Any,
        scope: _Scope | None,
    ) -> torch.Tensor:
        context.save_for_backward(inputs, weight)
        context.geometry, context.scope = geometry, scope
        context.set_materialize_grads(False)
        return F.conv2d(inputs, weight, bias, *geometry)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        (inputs, weight), gradient = context.saved_tensors, gradients[0]
        if gradient is None:
            return (None,) * 5
        for_inputs, for_weight, for_bias = context.needs_input_grad[:3]
        if context.scope is not None and context.scope.open:
            for_weight = for_bias = False
        return (
            _transposed(gradient, weight, inputs, context.geometry) if for_inputs else None,
            _correlated(gradient, inputs, weight, context.geometry) if for_weight else None,
            gradient.sum(dim=(0, 2, 3)) if for_bias else None,
            None,
            None,
        )


class _Transpose(torch.autograd.Function):
    """The gradient of c(x, w) in x."""

    @staticmethod
    def forward(
        context: Any, gradient: torch.Tensor, weight: torch.Tensor, size: Any, geometry: Any
    ) -> torch.Tensor:
        context.save_for_backward(gradient, weight)
        context.geometry = geometry
        for_inputs: torch.Tensor = conv2d_input(size, weight, gradient, *geometry)
        return for_inputs

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient, weight), second = context.saved_tensors, gradients[0]
        for_gradient, for_weight = context.needs_input_grad[:2]
        return (
            _convolved(second, weight, context.geometry) if for_gradient else None,
            _correlated(gradient, second, weight, context.geometry) if for_weight else None,
            None,
            None,
        )


class _Correlate(torch.autograd.Function):
    """The gradient of c(x, w) in w."""

    @staticmethod
    def forward(
        context: Any, gradient: torch.Tensor, inputs: torch.Tensor, size: Any, geometry: Any
    ) -> torch.Tensor:
        context.save_for_backward(gradient, inputs)
        context.geometry = geometry
        for_weight: torch.Tensor = conv2d_weight(inputs, size, gradient, *geometry)
        return for_weight

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient, inputs), second = context.saved_tensors, gradients[0]
        for_gradient, for_inputs = context.needs_input_grad[:2]
        return (
            _convolved(inputs, second, context.geometry) if for_gradient else None,
            _transposed(gradient, second, inputs, context.geometry) if for_inputs else None,
            None,
            None,
        )


def _convolved(inputs: torch.Tensor, weight: torch.Tensor, geometry: Any) -> torch.Tensor:
    outputs: torch.Tensor = _Convolve.apply(inputs, weight, None, geometry, None)  # type: ignore[no-untyped-call]
    return outputs


def _transposed(
    gradient: torch.Tensor, weight: torch.Tensor, like: torch.Tensor, geometry: Any
) -> torch.Tensor:
    outputs: torch.Tensor = _Transpose.apply(gradient, weight, like.shape, geometry)  # type: ignore[no-untyped-call]
    return outputs


def _correlated(
    gradient: torch.Tensor, inputs: torch.Tensor, like: torch.Tensor, geometry: Any
) -> torch.Tensor:
    outputs: torch.Tensor = _Correlate.apply(gradient, inputs, like.shape, geometry)  # type: ignore[no-untyped-call]
    return outputs


class _Bend(torch.autograd.Function):
    """A leaky ReLU."""

    @staticmethod
    def forward(context: Any, inputs: torch.Tensor, slope: float, inplace: bool) -> torch.Tensor:
        outputs = F.leaky_relu(inputs, slope, inplace)
        if inplace:
            context.mark_dirty(inputs)
        context.save_for_backward(outputs)
        context.slope = slope
        context.set_materialize_grads(False)
        return outputs

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        if gradients[0] is None:
            return None, None, None
        return _Slope.apply(gradients[0], *context.saved_tensors, context.slope), None, None  # type: ignore[no-untyped-call]


class _Slope(torch.autograd.Function):
    """A gradient times the slopes of a leaky ReLU, which are constants."""

    @staticmethod
    def forward(
        context: Any, gradient: torch.Tensor, outputs: torch.Tensor, slope: float
    ) -> torch.Tensor:
        context.save_for_backward(outputs)
        context.slope = slope
        return leaky_relu_gradient(gradient, outputs, slope)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return _Slope.apply(gradients[0], *context.saved_tensors, context.slope), None, None  # type: ignore[no-untyped-call]


class _Halve(torch.autograd.Function):
    """Means of 2x2 pixels; the gradient is torch's, but knows no inputs."""

    @staticmethod
    def forward(context: Any, inputs: torch.Tensor) -> torch.Tensor:
        context.set_materialize_grads(False)
        return F.avg_pool2d(inputs, 2)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor | None) -> torch.Tensor | None:
        if gradients[0] is None:
            return None
        return F.interpolate(gradients[0] / 4, scale_factor=2, mode="nearest")
