"""Dense layers: oneDNN's matrix product where it is quicker than torch's choice on CPUs.

On x86 machines torch multiplies float32 matrices with MKL. On AMD's processors that runs at about
half the speed of oneDNN, so large plain products go to `torch_internals.linear` there. On Intel's
it is up to twice as fast as oneDNN for the thin products of these networks.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from inkgan.device import is_intel
from inkgan.models import torch_internals

SMALLEST_PRODUCT = 1 << 23  # multiplications below which the call costs more than it saves
WIDE = 16


class Linear(nn.Linear):
    """A dense layer, by the quickest product there is."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return inputs (n, i) times the weights, plus the bias: (n, o)."""
        weight = self.weight  # read once: a parametrised weight is computed at each reading
        if not _is_quicker(inputs, weight):
            return F.linear(inputs, weight, self.bias)
        product: torch.Tensor = _Product.apply(inputs, weight, self.bias)  # type: ignore[no-untyped-call]
        return product


class _Product(torch.autograd.Function):
    """a (n, k) times the transpose of b (m, k), plus a bias (m,).

    The backward pass is written in the same products, so that it can be differentiated again.
    """

    @staticmethod
    def forward(
        context: Any, a: torch.Tensor, b: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        context.save_for_backward(a, b)
        return torch_internals.linear(a, b, bias)

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        a, b = context.saved_tensors
        gradient = gradients[0]
        for_a = product(gradient, b.t()) if context.needs_input_grad[0] else None
        for_b = _weight_gradient(gradient, a) if context.needs_input_grad[1] else None
        return for_a, for_b, gradient.sum(dim=0) if context.needs_input_grad[2] else None


def product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return a (n, k) times the transpose of b (m, k)."""
    if not _is_quicker(a, b):
        return a @ b.t()
    multiplied: torch.Tensor = _Product.apply(a, b, None)  # type: ignore[no-untyped-call]
    return multiplied


def _weight_gradient(gradient: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Return the transpose of gradient (n, m) times inputs (n, k).

    Very many outputs of few inputs are quicker the other way round; else the result, which is to
    lie as the weights do, would be copied.
    """
    if gradient.shape[1] > WIDE * inputs.shape[1]:
        return product(inputs.t(), gradient.t()).t()
    return product(gradient.t(), inputs.t())


def _is_quicker(a: torch.Tensor, b: torch.Tensor) -> bool:
    # exported code must not know of it, neither of the operator nor of the question
    if torch.compiler.is_exporting() or is_intel():
        return False
    plain = a.ndim == 2 and a.dtype == b.dtype == torch.float32 and a.device.type == "cpu"
    large = a.numel() * b.shape[0] >= SMALLEST_PRODUCT
    return plain and large and torch_internals.has_onednn_linear()
