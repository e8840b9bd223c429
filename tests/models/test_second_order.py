"""Layers for penalties: their derivatives of every order, and how little they compute."""

import threading
from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from inkgan.config.recipes import RECIPES
from inkgan.images import Shape
from inkgan.models.build import build_discriminator
from inkgan.models.conditioning import Discriminator
from inkgan.models.layers import SingleChannelConv2d
from inkgan.models.second_order import (
    Conv2d,
    HalvingPool2d,
    LeakyReLU,
    is_second_order,
    second_order,
)
from inkgan.training import penalties

PENALIZED = [name for name, recipe in RECIPES.items() if recipe.objective.penalties.any]
SHAPE = Shape(1, 28, 28)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator).requires_grad_()


@pytest.mark.parametrize("kind", [Conv2d, SingleChannelConv2d])
@pytest.mark.parametrize(
    "geometry", [(3, 1, 1), (4, 2, 1), (3, 2, 0), ((2, 3), (1, 2), (0, 1))], ids=str
)
@pytest.mark.parametrize("bias", [True, False])
def test_a_convolution_and_its_derivatives(
    kind: type[Conv2d], geometry: tuple[Any, Any, Any], bias: bool
) -> None:
    channels = 1 if kind is SingleChannelConv2d else 2
    size, stride, padding = geometry
    layer = kind(channels, 3, size, stride, padding, bias=bias).double()
    weights = dict(layer.named_parameters())

    def convolution(inputs: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        with second_order():
            held = dict(zip(weights, values, strict=True))
            outputs: torch.Tensor = torch.func.functional_call(layer, held, (inputs,))
            return outputs

    arguments = (numbers(2, channels, 7, 6), *weights.values())
    torch.testing.assert_close(convolution(*arguments), layer(arguments[0]), rtol=0, atol=1e-12)
    assert torch.autograd.gradcheck(convolution, arguments)
    assert torch.autograd.gradgradcheck(convolution, arguments)


@pytest.mark.parametrize("layer", [LeakyReLU(0.2, True), LeakyReLU(0.2), HalvingPool2d()], ids=str)
def test_the_other_layers_and_their_derivatives(layer: nn.Module) -> None:
    def function(inputs: torch.Tensor) -> torch.Tensor:
        with second_order():
            outputs: torch.Tensor = layer(inputs * 1.5)
            return outputs

    inputs = numbers(2, 3, 4, 6)
    assert torch.equal(function(inputs), layer(inputs * 1.5))
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


def test_a_penalty_can_itself_be_differentiated_twice() -> None:
    network = nn.Sequential(
        Conv2d(1, 2, 3, 2, 1), LeakyReLU(0.2), Conv2d(2, 1, 3, 1, 1), nn.Flatten()
    ).double()
    weights = dict(network.named_parameters())
    images = numbers(2, 1, 5, 5)

    def penalty(*values: torch.Tensor) -> torch.Tensor:
        def d(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            held = dict(zip(weights, values, strict=True))
            logits: torch.Tensor = torch.func.functional_call(network, held, (images,))
            return logits.square().sum(dim=1)

        return penalties.squared_gradients(d, images, torch.zeros(2)).sum()

    assert torch.autograd.gradcheck(penalty, tuple(weights.values()))
    assert torch.autograd.gradgradcheck(penalty, tuple(weights.values()))


def discriminator(name: str) -> tuple[Discriminator, torch.Tensor, torch.Tensor]:
    model = RECIPES[name].model
    shape = Shape(3, 32, 32) if RECIPES[name].data.name == "cifar10" else SHAPE
    if RECIPES[name].data.name == "stacked-mnist":
        shape = Shape(3, 28, 28)
    images = numbers(4, shape.channels, shape.height, shape.width).detach()
    return build_discriminator(model, shape, 0), images, torch.arange(4) % 10


def penalty_gradients(
    network: Discriminator, images: torch.Tensor, labels: torch.Tensor
) -> list[torch.Tensor]:
    network.zero_grad()
    penalties.squared_gradients(network, images, labels).mean().backward()
    found = (p.grad if p.grad is not None else torch.zeros_like(p) for p in network.parameters())
    return [gradient.clone() for gradient in found]


@pytest.mark.parametrize("name", PENALIZED)
def test_the_gradients_of_a_penalty_are_those_of_torchs_layers(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, images, labels = discriminator(name)
    network = network.double()
    ours = penalty_gradients(network, images, labels)
    assert any(gradient.abs().max() > 1e-6 for gradient in ours)
    monkeypatch.setattr(penalties, "second_order", nullcontext)
    torch.testing.assert_close(
        ours, penalty_gradients(network, images, labels), rtol=1e-9, atol=1e-12
    )


def test_in_bfloat16_they_agree_to_its_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images, labels = discriminator("flagship")
    both = []
    for context in (second_order, nullcontext):
        monkeypatch.setattr(penalties, "second_order", context)
        with torch.autocast("cpu", torch.bfloat16):
            both.append(penalty_gradients(network, images.float(), labels))
    for ours, plain in zip(*both, strict=True):
        torch.testing.assert_close(ours, plain, rtol=0.02, atol=0.02 * float(plain.abs().max()))


class Products(TorchDispatchMode):
    """Counts products: one for a convolution, one for each gradient of it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, arguments: Any = (), keywords: Any = None
    ) -> Any:
        if function is torch.ops.aten.convolution.default:
            self.count += 1
        elif function is torch.ops.aten.convolution_backward.default:
            self.count += sum(arguments[-1][:2])
        return function(*arguments, **(keywords or {}))


@pytest.mark.parametrize("name", ["flagship", "wgan-gp", "r3gan-small"])
def test_a_penalty_takes_four_times_the_products_of_a_forward_pass(name: str) -> None:
    network, images, labels = discriminator(name)
    images = images.float()
    with Products() as forward:
        network(images, labels)
    with Products() as penalty:
        penalty_gradients(network, images, labels)
    assert forward.count > 0
    assert penalty.count == 4 * forward.count


def test_a_block_is_of_its_own_thread_and_ends() -> None:
    seen = []
    with second_order():
        thread = threading.Thread(target=lambda: seen.append(is_second_order()))
        thread.start()
        thread.join()
        with pytest.raises(ValueError, match="inside"), second_order():
            raise ValueError("inside")
        assert is_second_order()
    assert seen == [False]
    assert not is_second_order()
