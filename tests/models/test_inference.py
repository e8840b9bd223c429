"""Generators for drawing alone: equal to the networks that they are made of."""

from itertools import product

import pytest
import torch
from torch import nn

from inkgan.config import Kernel, Normalization
from inkgan.config.recipes import get_recipe
from inkgan.generation.load import load_source
from inkgan.images import Shape
from inkgan.models.build import build_generator
from inkgan.models.conditioning import ConditionalBatchNorm
from inkgan.models.inference import NormalizedUpsampling, bfloat16_inference, is_replaceable
from inkgan.models.same_padding import conv_transpose_2d

CLASSES, DIGITS = 3, Shape(1, 28, 28)
GEOMETRIES = [  # kernel, stride, padding: outputs are as many times the inputs
    (kernel, stride, padding)
    for kernel, stride, padding in product((1, 2, 3, 4, 6), (1, 2, 3), (0, 1, 2))
    if kernel % stride == 0 and kernel == stride + 2 * padding
]


def norm_of(channels: int) -> ConditionalBatchNorm:
    """Build a norm that has seen something."""
    norm = ConditionalBatchNorm(channels, CLASSES, Normalization(), maps=True)
    for tensor in (norm.scales.data, norm.offsets.data, norm.norm.running_mean):
        assert tensor is not None
        tensor.normal_()
    assert norm.norm.running_var is not None
    norm.norm.running_var.uniform_(0.5, 2)
    return norm.eval()


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_it_is_the_convolution_and_the_norm(geometry: tuple[int, int, int], bias: bool) -> None:
    kernel, stride, padding = geometry
    convolution = nn.ConvTranspose2d(4, 5, kernel, stride, padding, bias=bias).double()
    norm = norm_of(5).double()
    assert is_replaceable(convolution)
    quick = NormalizedUpsampling(convolution, norm, torch.float64)
    maps, weights = torch.randn(6, 4, 3, 7).double(), torch.rand(6, CLASSES).double()
    for labels in (torch.tensor([0, 1, 2, 2, 1, 0]), weights):
        expected = norm(convolution(maps), labels)
        torch.testing.assert_close(quick(maps, labels), expected, rtol=0, atol=1e-12)


def test_geometries_are_several() -> None:
    assert {(3, 1, 1), (4, 2, 1), (2, 2, 0), (1, 1, 0)} <= set(GEOMETRIES)


@pytest.mark.parametrize(
    "layer",
    [
        nn.ConvTranspose2d(4, 4, 5, 2, 2, 1),  # a kernel that the stride does not divide
        nn.ConvTranspose2d(4, 4, 4, 2, 0),  # outputs of another size
        nn.ConvTranspose2d(4, 4, 3, 3, 1, 2),  # outputs beyond the inputs
        nn.ConvTranspose2d(4, 4, 4, 2, 1, groups=2),
        nn.ConvTranspose2d(4, 4, (4, 2), 2, (1, 0)),
        conv_transpose_2d(4, 1, Kernel(kernel=3, stride=1), (7, 7), bias=False),
        nn.Conv2d(4, 4, 3, padding=1),
    ],
    ids=str,
)
def test_others_stay(layer: nn.Module) -> None:
    assert not is_replaceable(layer)


@torch.no_grad()
def test_the_flagship_draws_the_same_in_bfloat16() -> None:
    network = load_source("flagship").generator()
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    quick = bfloat16_inference(network)
    assert sum(isinstance(layer, NormalizedUpsampling) for layer in quick.modules()) == 4
    z, y = torch.randn(64, 64), torch.arange(64) % 10
    exact = network(z, y)
    with torch.autocast("cpu", torch.bfloat16):
        rounded, others = network(z, y), network(z, y.flip(0))
        drawn = quick(z, y)
    error = (rounded - exact).abs().mean()
    assert (drawn - rounded).abs().mean() < 0.05 * error  # beside what bfloat16 rounds away
    assert (drawn - exact).abs().mean() < 1.05 * error
    assert (others - rounded).abs().mean() > 100 * error
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, weights[name])


def test_networks_without_such_layers_stay() -> None:
    network = build_generator(get_recipe("dcgan").model, DIGITS, 0).eval()
    assert bfloat16_inference(network) is network
