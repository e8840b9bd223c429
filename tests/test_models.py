"""The networks: parameter counts, geometry, and the reference systems' values."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from inkgan.config import Recipe
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.build import build_discriminator, build_generator, count_parameters
from inkgan.models.layers import SameConv2d, SameConvTranspose2d
from inkgan.recipes import RECIPES
from inkgan.toml import override

MNIST, CIFAR = Shape(1, 28, 28), Shape(3, 32, 32)


def build(recipe: Recipe, shape: Shape = MNIST) -> tuple[nn.Module, nn.Module]:
    model, seed = recipe.model, recipe.seed
    return build_generator(model, shape, seed), build_discriminator(model, shape, seed)


@pytest.mark.parametrize(
    ("name", "generator", "discriminator", "with_buffers"),
    [
        ("dcgan-compact", 747_841, 64_545, False),
        ("dcgan-tutorial", 2_330_944, 212_865, True),
        # 100*256+256 + 256*512+512 + 512*1024+1024 + 1024*784+784; 784*512+512 + 512*256+256 + 257
        ("mlp", 1_486_352, 533_505, False),
        ("vanilla", 1_486_352 + 2 * (256 + 512 + 1024), 533_505, False),
        # 100*6272+6272 + 2*128 + 128*64*16+64 + 2*64 + 64*16+1; 1*64*16+64 + 64*128*16+128 + 6273
        ("dcgan", 766_017, 138_561, False),
    ],
)
def test_parameter_counts(
    name: str, generator: int, discriminator: int, with_buffers: bool
) -> None:
    networks = build(RECIPES[name])
    counts = [count_parameters(network, with_buffers) for network in networks]
    assert counts == [generator, discriminator]


def test_layer_counts_of_the_compact_dcgan() -> None:
    """Each row of the reference system's table."""
    generator, discriminator = build(RECIPES["dcgan-compact"])

    def counts(network: nn.Module) -> list[int]:
        leaves = [m for m in network.modules() if not list(m.children())]
        return [n for n in map(count_parameters, leaves) if n]

    assert counts(discriminator) == [160, 32, 12_832, 64, 51_264, 128, 65]
    assert counts(generator) == [147_712, 512, 524_416, 256, 73_792, 128, 1_025]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("shape", [MNIST, CIFAR], ids=str)
def test_contract(name: str, shape: Shape) -> None:
    if name == "dcgan-compact" and shape == CIFAR:
        with pytest.raises(ConfigError, match=r"draws 28x28 RGB images.*data\.size=28"):
            build(RECIPES[name], shape)
        return
    generator, discriminator = build(RECIPES[name], shape)
    z, labels = torch.randn(5, RECIPES[name].model.latent_dim), torch.zeros(5, dtype=torch.long)
    images = generator(z, labels)
    assert images.shape == (5, *shape)
    assert images.abs().max() <= 1
    logits = discriminator(images, labels)
    assert logits.shape == (5,)


@pytest.mark.parametrize("name", RECIPES)
def test_no_network_ends_in_a_sigmoid(name: str) -> None:
    for network in build(RECIPES[name]):
        assert not any(isinstance(module, nn.Sigmoid) for module in network.modules())


@pytest.mark.parametrize("name", RECIPES)
def test_weights_belong_to_the_seed(name: str) -> None:
    torch.manual_seed(1)
    one = build(RECIPES[name])
    before = torch.get_rng_state()
    other = build(RECIPES[name])
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator was moved"
    another = build(override(RECIPES[name], ["seed=1"]))
    for first, second, third in zip(one, other, another, strict=True):
        weights = [next(iter(network.parameters())) for network in (first, second, third)]
        assert torch.equal(weights[0], weights[1])
        assert not torch.equal(weights[0], weights[2])


def test_reference_values() -> None:
    """The hyperparameters that the five descriptions state."""

    def values(name: str) -> tuple[object, ...]:
        recipe = RECIPES[name]
        optim, schedule = recipe.optim, recipe.schedule
        return (optim.lr, optim.beta1, optim.beta2, schedule.batch_size, schedule.epochs,
                recipe.model.latent_dim)  # fmt: skip

    assert values("mlp") == (2e-4, 0.5, 0.999, 64, 60, 100)
    assert values("vanilla") == (2e-4, 0.5, 0.999, 128, 50, 100)
    assert values("dcgan") == (2e-4, 0.5, 0.999, 128, 50, 100)
    assert values("dcgan-tutorial") == (1e-4, 0.9, 0.999, 256, 50, 100)
    assert values("dcgan-compact") == (2e-3, 0.5, 0.99, 128, 20, 64)
    assert RECIPES["dcgan-compact"].data.augment.rotate == 20
    assert all(recipe.data.name == "mnist" and recipe.notes for recipe in RECIPES.values())


def test_initial_weights_of_the_compact_dcgan() -> None:
    generator, _ = build(RECIPES["dcgan-compact"])
    for module in generator.modules():
        if isinstance(module, nn.ConvTranspose2d):
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)
        elif isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1.0, abs=0.01)
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.3)


def test_glorot_bounds_of_the_tutorial() -> None:
    generator, _ = build(RECIPES["dcgan-tutorial"])
    dense = next(m for m in generator.modules() if isinstance(m, nn.Linear))
    limit = (6 / (100 + 7 * 7 * 256)) ** 0.5  # Glorot and Bengio 2010, equation 16
    assert limit * 0.99 < dense.weight.abs().max().item() <= limit


@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("side", [14, 28])
def test_same_convolution_pads_like_tensorflow(kernel: int, stride: int, side: int) -> None:
    """Out = in / stride; the odd pixel of padding lies on the right and at the bottom."""
    if side % stride:
        return
    layer = SameConv2d(2, 3, kernel, stride, bias=True).double()
    images = torch.randn(2, 2, side, side, dtype=torch.float64)
    total = max((side // stride - 1) * stride + kernel - side, 0)
    padded = F.pad(images, (total // 2, total - total // 2) * 2)
    expected = F.conv2d(padded, layer.weight, layer.bias, stride)
    assert layer(images).shape[2] == side // stride
    torch.testing.assert_close(layer(images), expected)


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_same_transposed_convolution_is_the_adjoint(kernel: int, stride: int) -> None:
    """<conv(x), y> = <x, conv_transpose(y)> for the same weights, as in TensorFlow."""
    down = SameConv2d(2, 3, kernel, stride, bias=False).double()
    up = SameConvTranspose2d(3, 2, kernel, stride, bias=False).double()
    up.weight.data = down.weight.data
    large, small = torch.randn(1, 2, 14, 14).double(), torch.randn(1, 3, 14 // stride, 14 // stride)
    left = (down(large) * small).sum()
    right = (large * up(small.double())).sum()
    torch.testing.assert_close(left, right)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("model.generator.output.stride=3", "grows 6 times"),
        ("model.generator.output.kernel=6", "draws 30x30 grey images"),
        ("model.discriminator.layers=[{channels=4, kernel=31, padding=0}]", "shrink"),
    ],
)
def test_impossible_geometry_is_refused(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(override(RECIPES["dcgan"], [assignment]))
