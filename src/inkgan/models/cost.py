"""What a generator needs in memory and work, from its recipe alone, before anything is built.

A bundle of a stranger names the widths of its layers; without a bound it could ask for any amount
of memory or time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from inkgan.config import (
    DcganGeneratorConfig,
    Kernel,
    MlpGeneratorConfig,
    Model,
    ResidualGeneratorConfig,
)
from inkgan.errors import ConfigError
from inkgan.images import Shape

BATCH = 64  # images that are always drawn together
MAX_PARAMETERS = 250_000_000  # 1 GB
MAX_ACTIVATION_BYTES = 2_000_000_000  # inputs and outputs of one layer, for a batch
MAX_OPERATIONS = 10_000_000_000  # of one image: a batch takes about 20 seconds of one CPU core


@dataclass(frozen=True)
class _Layer:
    """One product or convolution, for one image.

    Attributes:
        inputs: numbers that it reads.
        outputs: numbers that it writes.
        weights: its parameters.
        uses: how often each weight is multiplied.
    """

    inputs: int
    outputs: int
    weights: int
    uses: int = 1


@dataclass(frozen=True)
class GeneratorCost:
    """What a generator needs.

    Attributes:
        parameters: weights of its products, convolutions and class tables.
        activation_bytes: inputs and outputs of its largest layer, for a batch of 64 images.
        operations: of one image; 2 for each multiplication with its addition.
    """

    parameters: int
    activation_bytes: int
    operations: int


def generator_cost(model: Model, shape: Shape) -> GeneratorCost:
    """Compute what a generator needs; a generator of one's own counts as nothing.

    Example:
        >>> generator_cost(RECIPES["flagship"].model, Shape(1, 28, 28)).operations
        46170112
    """
    layers = list(_layers(model, shape))
    return GeneratorCost(
        sum(layer.weights for layer in layers),
        4 * BATCH * max((layer.inputs + layer.outputs for layer in layers), default=0),
        sum(2 * layer.weights * layer.uses for layer in layers),
    )


def require_affordable(model: Model, shape: Shape) -> None:
    """Refuse a generator that needs more memory or work than any use of this package.

    Raises:
        ConfigError: states what it needs, and the limit.
    """
    cost = generator_cost(model, shape)
    begin = f"model.generator for {shape} images needs "
    if cost.parameters > MAX_PARAMETERS:
        raise ConfigError(
            f"{begin}{_amount(cost.parameters)} parameters; the limit is {MAX_PARAMETERS:,}"
        )
    if cost.activation_bytes > MAX_ACTIVATION_BYTES:
        raise ConfigError(
            f"{begin}{_amount(cost.activation_bytes)} bytes for one layer of {BATCH} images; the "
            f"limit is {MAX_ACTIVATION_BYTES:,}"
        )
    if cost.operations > MAX_OPERATIONS:
        raise ConfigError(
            f"{begin}{_amount(cost.operations)} operations for an image; the limit is "
            f"{MAX_OPERATIONS:,}"
        )


def _amount(number: int) -> str:
    return f"{number:,}" if number < 10**15 else "more than 10^15"


def _layers(model: Model, shape: Shape) -> Iterator[_Layer]:
    config = model.generator
    if config.family == "custom":
        return
    joined = model.classes if config.conditioning == "concat" else 0
    features = model.latent_dim + joined
    if config.conditioning == "multiply":
        yield _Layer(features, features, model.classes * model.latent_dim, 0)
    tables = model.classes if config.conditioning == "conditional-bn" else 0
    if isinstance(config, MlpGeneratorConfig):
        yield from _mlp_layers(config, features, tables, shape)
    elif isinstance(config, DcganGeneratorConfig):
        yield from _dcgan_layers(config, features, tables, shape)
    elif isinstance(config, ResidualGeneratorConfig):
        yield from _residual_layers(config, features, tables, shape)


def _dense(inputs: int, outputs: int) -> _Layer:
    return _Layer(inputs, outputs, inputs * outputs)


def _class_table(channels: int, classes: int, pixels: int = 1) -> _Layer:
    """Return a conditional batch norm: a scale and an offset for each class and channel."""
    return _Layer(channels * pixels, channels * pixels, 2 * channels * classes, 0)


def _mlp_layers(
    config: MlpGeneratorConfig, features: int, tables: int, shape: Shape
) -> Iterator[_Layer]:
    for width in config.widths:
        yield _dense(features, width)
        yield _class_table(width, tables)
        features = width
    yield _dense(features, shape.channels * shape.height * shape.width)


def _dcgan_layers(
    config: DcganGeneratorConfig, features: int, tables: int, shape: Shape
) -> Iterator[_Layer]:
    channels, height, width = features, 1, 1
    if config.stem is not None:
        growth = config.output.stride
        for layer in config.layers:
            growth *= layer.stride
        channels, height, width = (
            config.stem.channels,
            shape.height // growth,
            shape.width // growth,
        )
        yield _dense(features, channels * height * width)
        by_feature = config.stem.norm_axis == "features"
        normalized = channels * height * width if by_feature else channels
        yield _class_table(normalized, tables)
    ends = [*((layer, layer.channels) for layer in config.layers), (config.output, None)]
    for kernel, normed in ends:
        outputs = normed or shape.channels
        pixels = height * width
        height, width = _upsampled(height, kernel), _upsampled(width, kernel)
        weights = channels * outputs * kernel.kernel**2
        yield _Layer(channels * pixels, outputs * height * width, weights, pixels)
        if normed:
            yield _class_table(outputs, tables, height * width)
        channels = outputs


def _upsampled(side: int, kernel: Kernel) -> int:
    """Return the side after a transposed convolution."""
    if kernel.padding == "same":
        return side * kernel.stride
    return max((side - 1) * kernel.stride - 2 * kernel.padding + kernel.kernel, 0)


def _residual_layers(
    config: ResidualGeneratorConfig, features: int, tables: int, shape: Shape
) -> Iterator[_Layer]:
    halvings = len(config.widths) - 1
    pixels = (shape.height >> halvings) * (shape.width >> halvings)
    channels = config.widths[0]
    yield _dense(features, channels * pixels)
    for place, width in enumerate(config.widths):
        pixels *= 4 if place else 1
        if width != channels:
            yield _Layer(channels * pixels, width * pixels, channels * width, pixels)
        channels = width
        for _ in range(2 * config.blocks):
            yield _class_table(channels, tables, pixels)
            yield _Layer(channels * pixels, channels * pixels, 9 * channels**2, pixels)
    yield _class_table(channels, tables, pixels)
    yield _Layer(channels * pixels, shape.channels * pixels, 9 * channels * shape.channels, pixels)
