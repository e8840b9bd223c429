"""A generator as a list of plain steps and one block of numbers, for runtimes that know no torch.

Vectors are (features,), maps lie as (height, width, channels). The steps:

concatenate   put the label, one-hot over `classes`, behind the vector
multiply      times the label's row of `table` (classes, features)
dense         `weight` (inputs, outputs), and `bias` (outputs,) if there is one
affine        times `scales`, plus `offsets` (rows, channels): the label's row, or the only one
rectify       leaky ReLU of `slope`
convolve      transposed convolution, `weight` (kernel, kernel, inputs, outputs), from (height,
              width) to (high, wide): row y adds to rows y * stride - top + 0 .. kernel - 1
enlarge       twice the height and width, bilinear, with half-pixel centres
add           add what `steps` make of the input to it
squash        tanh
bound         into [-1, 1]
turn          upside down and back to front
"""

import base64
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any

import torch
from torch import nn

from inkgan.errors import ConfigError
from inkgan.io.bundle import Bundle
from inkgan.models.conditioning import ConditionalBatchNorm, LatentLabelInput
from inkgan.models.dcgan import DcganGenerator
from inkgan.models.layers import Unflatten
from inkgan.models.mlp import MlpGenerator
from inkgan.models.residual import ResidualBlock, ResidualGenerator
from inkgan.models.same_padding import UpsamplingStack

Step = dict[str, Any]


@dataclass(frozen=True)
class Program:
    """A generator of grey images, without its framework.

    Attributes:
        steps: in their order, as values of JSON; a tensor is {at, size, half}: `size` numbers from
            byte `at` of the block, little-endian float16 or float32.
        block: the numbers.
    """

    steps: list[Step]
    block: bytes

    @property
    def base64(self) -> str:
        """The block as text."""
        return base64.b64encode(self.block).decode()


def program_of(bundle: Bundle, *, half: bool = False) -> Program:
    """Take a generator apart.

    Args:
        bundle: of a generator of grey images.
        half: store weights as float16, for a bundle that is `rounded`; norms and biases stay
            float32.

    Raises:
        ConfigError: it draws in colour.
    """
    if bundle.shape.channels != 1:
        raise ConfigError(
            f"{bundle.recipe.name} draws {bundle.shape} images; a page shows grey ones"
        )
    compiler = _Compiler(half)
    steps = compiler.steps(bundle.generator())
    return Program([*steps, {"kind": "bound"}], bytes(compiler.block))


class _Compiler:
    """Turns modules into steps, and collects their numbers."""

    def __init__(self, half: bool) -> None:
        self.half, self.block = half, bytearray()
        self.side = (1, 1)  # of the maps at this point

    def tensor(self, values: torch.Tensor) -> Step:
        """Append numbers to the block and say where they are."""
        half = self.half and values.ndim > 1
        self.block += bytes(-len(self.block) % 4)
        place = {"at": len(self.block), "size": values.numel(), "half": half}
        array = values.detach().contiguous().numpy().astype("<f2" if half else "<f4")
        self.block += array.tobytes()
        return place

    @singledispatchmethod
    def steps(self, module: nn.Module) -> list[Step]:
        """Return the steps of a module."""
        raise TypeError(f"no step does what {type(module).__name__} does")

    @steps.register(nn.Sequential)
    def _(self, module: nn.Sequential) -> list[Step]:
        return [step for layer in module for step in self.steps(layer)]

    @steps.register(MlpGenerator)
    def _(self, module: MlpGenerator) -> list[Step]:
        return self.steps(module.entrance) + self.steps(module.layers)

    @steps.register(DcganGenerator)
    def _(self, module: DcganGenerator) -> list[Step]:
        parts = (module.entrance, module.stem, module.layers)
        return [step for part in parts for step in self.steps(part)]

    @steps.register(UpsamplingStack)
    def _(self, module: UpsamplingStack) -> list[Step]:
        turned: list[Step] = [{"kind": "turn"}] if module.mirrored else []
        return [step for layer in module for step in self.steps(layer)] + turned

    @steps.register(ResidualGenerator)
    def _(self, module: ResidualGenerator) -> list[Step]:
        ends = (module.norm, module.activation, module.output, module.output_activation)
        parts = (module.entrance, module.stem, *module.stages, *ends)
        return [step for part in parts for step in self.steps(part)]

    @steps.register(ResidualBlock)
    def _(self, module: ResidualBlock) -> list[Step]:
        return [{"kind": "add", "steps": self.steps(module.branch)}]

    @steps.register(LatentLabelInput)
    def _(self, module: LatentLabelInput) -> list[Step]:
        if not module.classes or module.conditioning == "conditional-bn":
            return []
        if module.conditioning == "multiply":
            return [{"kind": "multiply", "table": self.tensor(module.factors)}]
        return [{"kind": "concatenate", "classes": module.classes}]

    @steps.register(nn.Linear)
    def _(self, module: nn.Linear) -> list[Step]:
        weight = self.tensor(module.weight.t())
        return [
            {"kind": "dense", "weight": weight, "outputs": module.out_features, **self.bias(module)}
        ]

    def bias(self, module: nn.Module) -> Step:
        """Return a layer's bias, if it has one."""
        return {} if module.bias is None else {"bias": self.tensor(module.bias)}  # type: ignore[arg-type]

    @steps.register(nn.ConvTranspose2d)
    def _(self, module: nn.ConvTranspose2d) -> list[Step]:
        geometry = (module.stride[0], *_padding(module))
        return self.convolve(module, module.weight, geometry, module.output_padding)

    @steps.register(nn.Conv2d)
    def _(self, module: nn.Conv2d) -> list[Step]:
        """A convolution of stride 1 is the transposed one of the turned kernel."""
        assert module.stride == (1, 1)  # as all that generators have
        top, left = (k - 1 - p for k, p in zip(module.kernel_size, _padding(module), strict=True))
        turned = module.weight.flip(2, 3).transpose(0, 1)
        return self.convolve(module, turned, (1, top, left), (0, 0))

    def convolve(
        self,
        module: nn.Module,
        weight: torch.Tensor,
        geometry: tuple[int, int, int],
        surplus: tuple[int, ...],
    ) -> list[Step]:
        """Return the step of a weight (inputs, outputs, kernel, kernel)."""
        (stride, top, left), (height, width) = geometry, self.side
        kernel = weight.shape[2]
        self.side = (
            (height - 1) * stride - 2 * top + kernel + surplus[0],
            (width - 1) * stride - 2 * left + kernel + surplus[1],
        )
        return [
            {
                "kind": "convolve",
                "weight": self.tensor(weight.permute(2, 3, 0, 1)),
                **self.bias(module),
                "inputs": weight.shape[0],
                "outputs": weight.shape[1],
                "kernel": kernel,
                "stride": stride,
                "top": top,
                "left": left,
                "height": height,
                "width": width,
                "high": self.side[0],
                "wide": self.side[1],
            }
        ]

    @steps.register(nn.BatchNorm1d)
    @steps.register(nn.BatchNorm2d)
    def _(self, module: nn.BatchNorm1d | nn.BatchNorm2d) -> list[Step]:
        return self.affine(module, module.weight[None], module.bias[None])

    @steps.register(ConditionalBatchNorm)
    def _(self, module: ConditionalBatchNorm) -> list[Step]:
        return self.affine(module.norm, module.scales, module.offsets)

    def affine(self, norm: nn.Module, scales: torch.Tensor, offsets: torch.Tensor) -> list[Step]:
        """Fold running statistics into scales and offsets (rows, channels)."""
        assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        factors = scales.double() / (norm.running_var.double() + norm.eps).sqrt()
        shifts = offsets.double() - norm.running_mean.double() * factors
        rows, channels = scales.shape
        return [
            {
                "kind": "affine",
                "rows": rows,
                "channels": channels,
                "scales": self.tensor(factors.flatten()),
                "offsets": self.tensor(shifts.flatten()),
            }
        ]

    @steps.register(nn.ReLU)
    def _(self, module: nn.ReLU) -> list[Step]:
        return [{"kind": "rectify", "slope": 0.0}]

    @steps.register(nn.LeakyReLU)
    def _(self, module: nn.LeakyReLU) -> list[Step]:
        return [{"kind": "rectify", "slope": module.negative_slope}]

    @steps.register(nn.Upsample)
    def _(self, module: nn.Upsample) -> list[Step]:
        (height, width), self.side = self.side, (2 * self.side[0], 2 * self.side[1])
        return [{"kind": "enlarge", "height": height, "width": width}]

    @steps.register(Unflatten)
    def _(self, module: Unflatten) -> list[Step]:
        self.side = module.side  # the numbers lie as they should
        return []

    @steps.register(nn.Unflatten)
    @steps.register(nn.Identity)
    def _(self, module: nn.Module) -> list[Step]:
        return []

    @steps.register(nn.Tanh)
    def _(self, module: nn.Tanh) -> list[Step]:
        return [{"kind": "squash"}]


def _padding(module: nn.Conv2d | nn.ConvTranspose2d) -> tuple[int, int]:
    assert not isinstance(module.padding, str)  # "same" is worked out when a network is built
    return module.padding[0], module.padding[1]
