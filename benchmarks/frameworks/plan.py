"""What another framework is to train, as plain JSON: layers, optimizer, scheme and data.

The other side runs in an environment without torch and inkgan, so it is told everything here.
Layers are those that every framework has; maps have their channels last.
"""

from typing import Any

from inkgan.config import Recipe
from inkgan.config.model_config import (
    Convolution,
    DcganDiscriminatorConfig,
    DcganGeneratorConfig,
    Kernel,
    MlpDiscriminatorConfig,
    MlpGeneratorConfig,
    Normalization,
)
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.training.factors import RAMP

Layer = dict[str, Any]


def plan_of(recipe: Recipe, shape: Shape) -> dict[str, Any]:
    """Describe a recipe's networks and updates for another framework.

    Raises:
        ConfigError: a family, a padding or a label that the other sides do not know.
    """
    model, optim = recipe.model, recipe.optim
    if model.classes or model.style_measures:
        raise ConfigError(f"{recipe.name} is conditional; other frameworks train it without labels")
    return {
        "name": recipe.name,
        "generator": _generator(model.generator, shape),
        "discriminator": _discriminator(model.discriminator),
        "latent_dim": model.latent_dim,
        "image": [shape.height, shape.width, shape.channels],
        "batch_size": recipe.schedule.batch_size,
        "update_scheme": optim.update_scheme,
        "lr": optim.lr,
        "beta1": optim.beta1,
        "beta2": optim.beta2,
        "epsilon": optim.epsilon,
        "ema_half_life": recipe.schedule.ema_half_life,
        "ramp": RAMP,
        "seed": recipe.seed,
    }


def _generator(config: object, shape: Shape) -> list[Layer]:
    if isinstance(config, MlpGeneratorConfig):
        layers: list[Layer] = []
        for width in config.widths:
            layers += [_dense(width), *_norm(config.norm), _activation(config.negative_slope)]
        pixels = shape.height * shape.width * shape.channels
        return [*layers, _dense(pixels), {"kind": "tanh"}, _reshape(*shape[1:], shape[0])]
    if not isinstance(config, DcganGeneratorConfig):
        raise ConfigError(f"other frameworks do not know model.generator {type(config).__name__}")
    growth = config.output.stride
    for layer in config.layers:
        growth *= layer.stride
    side, activation = (shape.height // growth, shape.width // growth), config.negative_slope
    if config.stem is None:
        layers = [_reshape(1, 1, -1)]
    else:
        stem = config.stem
        dense = _dense(stem.channels * side[0] * side[1], stem.bias)
        parts = [*_norm(config.norm), _activation(activation)]
        reshape = _reshape(*side, stem.channels)
        layers = (
            [dense, *parts, reshape] if stem.norm_axis == "features" else [dense, reshape, *parts]
        )
    for layer in config.layers:
        layers += [
            _convolution(layer, layer.channels, config.bias, transposed=True),
            *_norm(config.norm),
            _activation(activation),
        ]
    last = _convolution(config.output, shape.channels, config.bias, transposed=True)
    return [*layers, last, {"kind": "tanh"}]


def _discriminator(config: object) -> list[Layer]:
    dense, layers = [_dense(1)], list[Layer]()
    if isinstance(config, MlpDiscriminatorConfig):
        for width in config.widths:
            layers += [_dense(width), *_after(config)]
        return [{"kind": "flatten"}, *layers, *dense]
    if isinstance(config, DcganDiscriminatorConfig):
        for layer in config.layers:
            layers += [_convolution(layer, layer.channels, config.bias), *_after(config)]
        return [*layers, {"kind": "flatten"}, *dense]
    raise ConfigError(f"other frameworks do not know model.discriminator {type(config).__name__}")


def _after(config: MlpDiscriminatorConfig | DcganDiscriminatorConfig) -> list[Layer]:
    dropout = [{"kind": "dropout", "rate": config.dropout}] if config.dropout else []
    return [*_norm(config.norm), _activation(config.negative_slope), *dropout]


def _dense(units: int, bias: bool = True) -> Layer:
    return {"kind": "dense", "units": units, "bias": bias}


def _reshape(*shape: int) -> Layer:
    return {"kind": "reshape", "shape": list(shape)}


def _activation(slope: float) -> Layer:
    return {"kind": "leaky_relu", "slope": slope}


def _norm(norm: Normalization | None) -> list[Layer]:
    if norm is None:
        return []
    return [{"kind": "batch_norm", "momentum": 1 - norm.momentum, "epsilon": norm.epsilon}]


def _convolution(
    kernel: Kernel | Convolution, channels: int, bias: bool, transposed: bool = False
) -> Layer:
    """Describe a convolution, with the padding that TensorFlow calls "same" or "valid"."""
    padding = {0: "valid", "same": "same"}.get(kernel.padding)
    if kernel.padding != "same" and 2 * kernel.padding == kernel.kernel - kernel.stride:
        padding = "valid" if kernel.padding == 0 else "same"  # for sides that strides divide
    if padding is None:
        raise ConfigError(f"other frameworks do not know padding={kernel.padding} of {kernel}")
    return {
        "kind": "conv_transpose" if transposed else "conv",
        "channels": channels,
        "kernel": kernel.kernel,
        "stride": kernel.stride,
        "padding": padding,
        "bias": bias,
    }
