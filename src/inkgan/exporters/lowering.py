"""Lower a generator to a list of plain steps and one block of numbers, for runtimes without torch.

Vectors have the shape (features,), feature maps (height, width, channels). The steps:

concat_label    append the label, one-hot over `classes`, to the vector
scale_by_label  multiply by the label's row of `table` (classes, features)
dense           `weight` (inputs, outputs), and `bias` (outputs,) if there is one
affine          multiply by `scales`, add `offsets` (rows, channels): the label's row, or the only
                one; batch norm with its statistics folded in
leaky_relu      with `slope` below 0
conv_transpose  `weight` (kernel, kernel, inputs, outputs), from (height, width) to (out_height,
                out_width): row y adds to rows y * stride - top + 0 .. kernel - 1
upsample        twice the height and width, bilinear, with half-pixel centers
residual        add what `steps` make of the input to it
tanh
clamp           to [-1, 1]
rotate          by 180 degrees: a stack with "same" padding draws its images mirrored
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
class LoweredNetwork:
    """A generator of gray images, without its framework.

    Attributes:
        steps: in order, as values of JSON; a tensor is {at, size, half}: `size` numbers from byte
            `at` of the block, little-endian float16 or float32.
        block: the numbers.
    """

    steps: list[Step]
    block: bytes

    @property
    def base64(self) -> str:
        """The block as text."""
        return base64.b64encode(self.block).decode()


def lower(bundle: Bundle, *, half: bool = False) -> LoweredNetwork:
    """Lower the generator of a bundle.

    Args:
        bundle: of a generator of gray images.
        half: store weights as float16, for a bundle that is `rounded`; norms and biases stay
            float32.

    Raises:
        ConfigError: the generator draws in color, or is a class of the user's own.
    """
    name = bundle.recipe.name
    if bundle.shape.channels != 1:
        raise ConfigError(
            f"{name} draws {bundle.shape} images, but a page shows only gray ones; use "
            "`kind='onnx'` or `kind='bundle'`"
        )
    generator = bundle.recipe.model.generator
    if generator.family == "custom":
        raise ConfigError(
            f"the generator of {name} is a class of its own, {generator.class_name}, which a page "
            "cannot run; use `kind='onnx'` or `kind='bundle'`"
        )
    lowering = _Lowering(half)
    steps = lowering.steps(bundle.generator())
    return LoweredNetwork([*steps, {"kind": "clamp"}], bytes(lowering.block))


class _Lowering:
    """Turns modules into steps, and collects their numbers."""

    def __init__(self, half: bool) -> None:
        self.half, self.block = half, bytearray()
        self.side = (1, 1)  # height and width of the maps after the last step

    def tensor(self, values: torch.Tensor) -> Step:
        """Append numbers to the block and return where they are."""
        half = self.half and values.ndim > 1
        self.block += bytes(-len(self.block) % 4)
        place = {"at": len(self.block), "size": values.numel(), "half": half}
        array = values.detach().contiguous().numpy().astype("<f2" if half else "<f4")
        self.block += array.tobytes()
        return place

    @singledispatchmethod
    def steps(self, module: nn.Module) -> list[Step]:
        """Return the steps of a module."""
        raise TypeError(f"there is no step for {type(module).__name__}")

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
        rotate: list[Step] = [{"kind": "rotate"}] if module.mirrored else []
        return [step for layer in module for step in self.steps(layer)] + rotate

    @steps.register(ResidualGenerator)
    def _(self, module: ResidualGenerator) -> list[Step]:
        ends = (module.norm, module.activation, module.output, module.output_activation)
        parts = (module.entrance, module.stem, *module.stages, *ends)
        return [step for part in parts for step in self.steps(part)]

    @steps.register(ResidualBlock)
    def _(self, module: ResidualBlock) -> list[Step]:
        return [{"kind": "residual", "steps": self.steps(module.branch)}]

    @steps.register(LatentLabelInput)
    def _(self, module: LatentLabelInput) -> list[Step]:
        if not module.classes or module.conditioning == "conditional-bn":
            return []
        if module.conditioning == "multiply":
            return [{"kind": "scale_by_label", "table": self.tensor(module.factors)}]
        return [{"kind": "concat_label", "classes": module.classes}]

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
        return self.conv_transpose(module, module.weight, geometry, module.output_padding)

    @steps.register(nn.Conv2d)
    def _(self, module: nn.Conv2d) -> list[Step]:
        """A convolution of stride 1 is the transposed one with the kernel rotated by 180°."""
        assert module.stride == (1, 1)  # the only one in generators
        top, left = (k - 1 - p for k, p in zip(module.kernel_size, _padding(module), strict=True))
        rotated = module.weight.flip(2, 3).transpose(0, 1)
        return self.conv_transpose(module, rotated, (1, top, left), (0, 0))

    def conv_transpose(
        self,
        module: nn.Module,
        weight: torch.Tensor,
        geometry: tuple[int, int, int],
        output_padding: tuple[int, ...],
    ) -> list[Step]:
        """Return the step of a weight (inputs, outputs, kernel, kernel)."""
        (stride, top, left), (height, width) = geometry, self.side
        kernel = weight.shape[2]
        self.side = (
            (height - 1) * stride - 2 * top + kernel + output_padding[0],
            (width - 1) * stride - 2 * left + kernel + output_padding[1],
        )
        return [
            {
                "kind": "conv_transpose",
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
                "out_height": self.side[0],
                "out_width": self.side[1],
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
        return [{"kind": "leaky_relu", "slope": 0.0}]

    @steps.register(nn.LeakyReLU)
    def _(self, module: nn.LeakyReLU) -> list[Step]:
        return [{"kind": "leaky_relu", "slope": module.negative_slope}]

    @steps.register(nn.Upsample)
    def _(self, module: nn.Upsample) -> list[Step]:
        (height, width), self.side = self.side, (2 * self.side[0], 2 * self.side[1])
        return [{"kind": "upsample", "height": height, "width": width}]

    @steps.register(Unflatten)
    def _(self, module: Unflatten) -> list[Step]:
        self.side = module.side  # the numbers are in the right order already
        return []

    @steps.register(nn.Unflatten)
    @steps.register(nn.Identity)
    def _(self, module: nn.Module) -> list[Step]:
        return []

    @steps.register(nn.Tanh)
    def _(self, module: nn.Tanh) -> list[Step]:
        return [{"kind": "tanh"}]


def _padding(module: nn.Conv2d | nn.ConvTranspose2d) -> tuple[int, int]:
    assert not isinstance(module.padding, str)  # "same" is resolved when a network is built
    return module.padding[0], module.padding[1]
