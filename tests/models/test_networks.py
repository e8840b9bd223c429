"""The networks: parameter counts, geometry, and the reference systems' values."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from inkgan.config import Augment, Kernel, Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.recipes.reference_systems import REFERENCE
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models import linear, torch_internals
from inkgan.models.build import build_discriminator, build_generator, count_parameters, init_weights
from inkgan.models.layers import (
    Dropout,
    SingleChannelConv2d,
    SingleChannelConvTranspose2d,
    Unflatten,
    channels_last,
    flatten_nhwc,
)
from inkgan.models.linear import Linear
from inkgan.models.same_padding import (
    DownsamplingStack,
    UpsamplingStack,
    conv_2d,
    conv_transpose_2d,
)

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
    assert images.abs().max() <= (1 if name != "r3gan-small" else 10)  # whose output is linear
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
        networks = (first, second, third)
        weights = [torch.cat([p.flatten() for p in n.parameters()]) for n in networks]
        assert torch.equal(weights[0], weights[1])
        assert not torch.equal(weights[0], weights[2])


def test_reference_values() -> None:
    """The hyperparameters that the five descriptions state."""

    def values(name: str) -> tuple[object, ...]:
        recipe = RECIPES[name]
        optim, schedule = recipe.optim, recipe.schedule
        return (
            optim.lr,
            optim.beta1,
            optim.beta2,
            schedule.batch_size,
            schedule.epochs,
            recipe.model.latent_dim,
        )

    assert values("mlp") == (2e-4, 0.5, 0.999, 64, 60, 100)
    assert values("vanilla") == (2e-4, 0.5, 0.999, 128, 50, 100)
    assert values("dcgan") == (2e-4, 0.5, 0.999, 128, 50, 100)
    assert values("dcgan-tutorial") == (1e-4, 0.9, 0.999, 256, 50, 100)
    assert values("dcgan-compact") == (2e-3, 0.5, 0.99, 128, 20, 64)
    assert RECIPES["dcgan-compact"].data.augment == Augment(rotate=20, interpolation="nearest")
    assert all(recipe.data.name == "mnist" for recipe in REFERENCE)
    assert all(recipe.notes for recipe in RECIPES.values())


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


def test_same_padding_of_an_even_kernel_needs_a_stride() -> None:
    with pytest.raises(ValueError, match="needs an odd kernel"):
        Kernel(kernel=4, stride=1, padding="same")


@pytest.mark.parametrize(
    ("kernel", "stride"), [(3, 1), (5, 1), (3, 2), (4, 2), (5, 2), (3, 3), (4, 3), (5, 3)]
)
@pytest.mark.parametrize("side", [7, 13, 14, 28])
def test_same_convolution_pads_like_tensorflow(kernel: int, stride: int, side: int) -> None:
    """Out = ceil(in / stride); the odd pixel of padding lies on the right and at the bottom."""
    config = Kernel(kernel=kernel, stride=stride, padding="same")
    layer = conv_2d(2, 3, config, (side, side), bias=True).double()
    stack = DownsamplingStack([layer], [config], (side, side))
    images = torch.randn(2, 2, side, side, dtype=torch.float64)
    outputs = -(-side // stride)
    total = max((outputs - 1) * stride + kernel - side, 0)
    padded = F.pad(images, (total // 2, total - total // 2) * 2)
    # a mirrored stack learns mirrored kernels and gives mirrored maps
    ends = (2, 3) if stack.mirrored else ()
    assert stack.mirrored == (total % 2 == 1)
    expected = F.conv2d(padded, layer.weight.flip(ends), layer.bias, stride)
    found = stack(images).flip(ends)
    assert found.shape[2] == outputs
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("kernel", "stride"), [(5, 1), (3, 2), (4, 2), (5, 2), (2, 3)])
def test_same_transposed_convolution_is_the_adjoint(
    kernel: int, stride: int, channels: int
) -> None:
    """<conv(x), y> = <x, conv_transpose(y)> for the same weights, as in TensorFlow."""
    config = Kernel(kernel=kernel, stride=stride, padding="same")
    small_side, side = 6, 6 * stride
    down = conv_2d(channels, 3, config, (side, side), bias=False).double()
    up = conv_transpose_2d(3, channels, config, (small_side,) * 2, bias=False).double()
    up.load_state_dict(down.state_dict())
    down_stack = DownsamplingStack([down], [config], (side, side))
    up_stack = UpsamplingStack([up], [config], (side, side))
    large, small = torch.randn(1, channels, side, side), torch.randn(1, 3, small_side, small_side)
    large, small = large.double(), small.double()
    left = (down_stack(large) * small).sum()
    right = (large * up_stack(small)).sum()
    torch.testing.assert_close(left, right)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "surplus"),
    [(4, 2, 1, 0), (4, 2, 0, 0), (5, 2, 2, 1), (3, 1, 1, 0)],
)
def test_one_channel_up_is_a_transposed_convolution(
    kernel: int, stride: int, padding: int, surplus: int
) -> None:
    layer = SingleChannelConvTranspose2d(3, 1, kernel, stride, padding, surplus).double()
    maps = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    expected = F.conv_transpose2d(maps, layer.weight, layer.bias, stride, padding, surplus)
    torch.testing.assert_close(layer(maps), expected)
    assert torch.autograd.gradcheck(layer, maps)
    assert torch.autograd.gradgradcheck(layer, maps)
    inputs = (maps, *layer.parameters())
    upstream = torch.randn_like(expected)
    found = torch.autograd.grad(layer(maps), inputs, upstream)
    for one, other in zip(found, torch.autograd.grad(expected, inputs, upstream), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(4, 2, 1), (5, 2, 2), (3, 2, 0), (3, 1, 1)]
)
def test_a_convolution_of_one_channel_is_torchs(kernel: int, stride: int, padding: int) -> None:
    layer = SingleChannelConv2d(1, 3, kernel, stride, padding).double()
    images = torch.randn(2, 1, 6, 7, dtype=torch.float64, requires_grad=True)
    expected = F.conv2d(images, layer.weight, layer.bias, stride, padding)
    torch.testing.assert_close(layer(images), expected)
    assert torch.autograd.gradcheck(layer, images)
    assert torch.autograd.gradgradcheck(layer, images)
    inputs = (images, *layer.parameters())
    upstream = torch.randn_like(expected)
    found = torch.autograd.grad(layer(images), inputs, upstream)
    for one, other in zip(found, torch.autograd.grad(expected, inputs, upstream), strict=True):
        torch.testing.assert_close(one, other)


def test_maps_of_gray_images_have_their_channels_last() -> None:
    """Else each gradient would lie otherwise than what it is multiplied with."""
    images = channels_last(torch.randn(4, 1, 8, 8))
    conv = nn.Conv2d(1, 3, 3)
    assert conv(images).is_contiguous(memory_format=torch.channels_last)
    assert not conv(images).is_contiguous()
    color = torch.randn(4, 3, 8, 8)
    assert torch.equal(channels_last(color), color)
    assert channels_last(color).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("intel", [True, False])
@pytest.mark.parametrize(
    ("count", "inputs", "outputs"), [(64, 784, 512), (64, 100, 2000), (3, 5, 7), (128, 512, 256)]
)
def test_linear_is_torchs_linear(
    count: int, inputs: int, outputs: int, intel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "is_intel", lambda: intel)
    torch.manual_seed(0)
    layer = Linear(inputs, outputs)
    vectors = torch.randn(count, inputs, requires_grad=True)
    arguments = (vectors, layer.weight, layer.bias)
    upstream = torch.randn(count, outputs)

    def gradients(result: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """First, and through a penalty on the first, second ones."""
        first = torch.autograd.grad(result, arguments, upstream, create_graph=True)
        penalty = first[0].square().sum()
        return (result, *first, *torch.autograd.grad(penalty, (layer.weight,)))

    found, expected = gradients(layer(vectors)), gradients(F.linear(*arguments))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(
            one, other, rtol=1e-4, atol=1e-3 * float(other.detach().abs().max())
        )


@pytest.mark.parametrize("intel", [True, False])
def test_onednns_product_is_for_other_processors_than_intels(
    intel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MKL, which torch calls, is the slower of the two on all others alone."""
    called: list[torch.Size] = []

    def product(inputs: torch.Tensor, *rest: torch.Tensor | None) -> torch.Tensor:
        called.append(inputs.shape)
        return F.linear(inputs, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(linear, "is_intel", lambda: intel)
    monkeypatch.setattr(torch_internals, "has_onednn_linear", lambda: True)
    monkeypatch.setattr(torch_internals, "linear", product)
    Linear(784, 512)(torch.randn(64, 784)).sum().backward()
    assert bool(called) is not intel


def test_linear_without_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_internals, "has_onednn_linear", lambda: False)
    layer = Linear(784, 512)
    vectors = torch.randn(64, 784)
    expected = F.linear(vectors, layer.weight, layer.bias)
    assert torch.equal(layer(vectors), expected)
    assert torch.equal(torch_internals.linear(vectors, layer.weight, layer.bias), expected)
    assert torch_internals.flop_formulas() == {}


@pytest.mark.parametrize("private", [True, False])
def test_transposed_convolutions_gradients_with_and_without_the_private_operator(
    private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both equal torch's own gradients, and can be derived again."""
    if not private:
        monkeypatch.setattr(torch_internals, "_operator", lambda name: None)
    layer = SingleChannelConvTranspose2d(3, 1, 4, 2, 1).double()
    maps = torch.randn(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, maps)
    assert torch.autograd.gradgradcheck(layer, maps)
    upstream = torch.randn(2, 1, 10, 12, dtype=torch.float64)
    expected = F.conv_transpose2d(maps, layer.weight, layer.bias, 2, 1)
    inputs = (maps, layer.weight)
    for found, own in zip(
        torch.autograd.grad(layer(maps), inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
        strict=True,
    ):
        torch.testing.assert_close(found, own)


@pytest.mark.parametrize("weight", [0.3, torch.tensor(0.3)])
@pytest.mark.parametrize("private", [True, False])
def test_lerp_with_and_without_the_private_operators(
    private: bool, weight: float | torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not private:
        monkeypatch.delattr(torch, "_foreach_lerp_")
    targets, sources = [torch.randn(3, 4), torch.randn(5)], [torch.randn(3, 4), torch.randn(5)]
    expected = [torch.lerp(a, b, 0.3) for a, b in zip(targets, sources, strict=True)]
    torch_internals.lerp_all_(targets, sources, weight)
    torch.testing.assert_close(targets, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5])
def test_dropout_keeps_the_right_share_and_the_mean(probability: float) -> None:
    torch.manual_seed(0)
    layer, ones = Dropout(probability), torch.ones(401, 997, requires_grad=True)
    thinned = layer(ones)
    kept = float((thinned > 0).double().mean())
    assert abs(kept - (1 - probability)) < 5 * (probability * (1 - probability) / 4e5) ** 0.5
    assert thinned.detach().max().item() == pytest.approx(1 / (1 - probability), rel=1e-4)
    assert torch.equal(torch.autograd.grad(thinned.sum(), ones)[0], thinned)
    assert not torch.equal(layer(ones), thinned)
    assert torch.equal(layer.eval()(ones), ones)


def test_dropout_follows_the_global_generator_and_the_layout() -> None:
    layer = Dropout(0.3)
    maps = torch.ones(3, 5, 4, 4).contiguous(memory_format=torch.channels_last)
    drawn = []
    for _ in range(2):
        torch.manual_seed(7)
        drawn.append(layer(maps))
    assert torch.equal(drawn[0], drawn[1])
    assert drawn[0].is_contiguous(memory_format=torch.channels_last)
    assert layer(torch.ones(1, 3)).shape == (1, 3)


def test_maps_and_vectors_are_inverse_and_free() -> None:
    vectors = torch.randn(2, 3 * 4 * 5)
    maps = Unflatten(5, (3, 4))(vectors)
    assert maps.shape == (2, 5, 3, 4)
    assert maps.is_contiguous(memory_format=torch.channels_last)
    assert flatten_nhwc(maps).data_ptr() == vectors.data_ptr()
    assert torch.equal(flatten_nhwc(maps), vectors)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("model.generator.output.stride=3", "grows 6 times"),
        ("model.generator.output.kernel=6", "draws 30x30 gray images"),
        ("model.discriminator.layers=[{channels=4, kernel=31, padding=0}]", "shrink"),
    ],
)
def test_impossible_geometry_is_refused(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(override(RECIPES["dcgan"], [assignment]))


def test_he_weights_keep_the_variance() -> None:
    """Each layer's weights have the standard deviation of He et al., the last one gain 1."""
    recipe = override(RECIPES["mlp"], ["model.init=he"])
    for network, slope in (
        (build_generator(recipe.model, Shape(1, 28, 28), 0), 0.0),
        (build_discriminator(recipe.model, Shape(1, 28, 28), 0), 0.2),
    ):
        layers = [m for m in network.modules() if isinstance(m, nn.Linear)]
        for layer in layers:
            gain = 1.0 if layer is layers[-1] else 2 / (1 + slope**2)
            expected = (gain / layer.in_features) ** 0.5
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.15)
            assert not layer.bias.any()


def test_he_counts_the_inputs_of_a_transposed_convolution() -> None:
    """White noise through one layer keeps its variance on average, at any stride."""
    torch.manual_seed(0)
    layer = nn.Sequential(nn.ConvTranspose2d(64, 64, 4, stride=2))
    init_weights(layer, "he")
    drawn = layer(torch.randn(8, 64, 16, 16))[..., 4:-4, 4:-4]
    assert drawn.var().item() == pytest.approx(1.0, rel=0.1)
