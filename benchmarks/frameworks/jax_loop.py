"""JAX: the networks of a plan as pure functions, a whole step compiled by jax.jit.

Adam and batch normalization are written out, so that nothing beside JAX has to be installed.
JAX compiles by XLA always; --compiled changes nothing.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

sys.path.insert(0, str(Path(__file__).parent))
from serve import batches, serve

Tree = Any  # of arrays
CONVOLUTION = ("NHWC", "HWIO", "NHWC")


def initialize(key: jax.Array, layers: list[dict[str, Any]], shape: tuple[int, ...]) -> list[Tree]:
    """Draw the weights of each layer, N(0, 0.02) as of DCGAN; `shape` is that of one input."""
    found: list[Tree] = []
    for number, layer in enumerate(layers):
        kind, weights = layer["kind"], {}
        draw = partial(jax.random.normal, jax.random.fold_in(key, number))
        if kind == "dense":
            weights = {"w": 0.02 * draw((shape[-1], layer["units"]))}
        elif kind in ("conv", "conv_transpose"):
            ends = (shape[-1], layer["channels"])
            kernel = (layer["kernel"], layer["kernel"])
            weights = {"w": 0.02 * draw((*kernel, *(ends if kind == "conv" else ends[::-1])))}
        elif kind == "batch_norm":
            weights = {"scale": jnp.ones(shape[-1]), "b": jnp.zeros(shape[-1])}
        outputs = layer.get("units", layer.get("channels"))
        if layer.get("bias"):
            weights["b"] = jnp.zeros(outputs)
        found.append(weights)
        applied = partial(_apply, layer, weights, _statistics(weights), key, True)
        shape = jax.eval_shape(applied, jax.ShapeDtypeStruct((2, *shape), jnp.float32))[0].shape[1:]
    return found


def _statistics(weights: Tree) -> Tree:
    """Return the running statistics that a layer of these weights begins with."""
    if "scale" not in weights:
        return {}
    return {"mean": jnp.zeros_like(weights["b"]), "var": jnp.ones_like(weights["b"])}


def _apply(
    layer: dict[str, Any],
    weights: Tree,
    statistics: Tree,
    key: jax.Array,
    train: bool,
    x: jax.Array,
) -> tuple[jax.Array, Tree]:
    """Apply a layer; return its output and the running statistics after it."""
    if layer["kind"] == "batch_norm":
        return _normalize(layer, weights, statistics, train, x)
    if layer["kind"] == "dropout":
        kept = jax.random.bernoulli(key, 1 - layer["rate"], x.shape)
        return (jnp.where(kept, x / (1 - layer["rate"]), 0) if train else x), statistics
    x = WITHOUT_STATE[layer["kind"]](layer, weights, x)
    return (x + weights["b"] if "b" in weights else x), statistics


def _normalize(
    layer: dict[str, Any], weights: Tree, statistics: Tree, train: bool, x: jax.Array
) -> tuple[jax.Array, Tree]:
    """Apply batch normalization (Ioffe and Szegedy 2015, algorithms 1 and 2)."""
    mean, var = statistics["mean"], statistics["var"]
    if train:
        axes, share = tuple(range(x.ndim - 1)), 1 - layer["momentum"]
        mean, var = x.mean(axes), x.var(axes)
        statistics = {
            "mean": statistics["mean"] + share * (lax.stop_gradient(mean) - statistics["mean"]),
            "var": statistics["var"] + share * (lax.stop_gradient(var) - statistics["var"]),
        }
    x = (x - mean) * lax.rsqrt(var + layer["epsilon"]) * weights["scale"] + weights["b"]
    return x, statistics


def _convolve(layer: dict[str, Any], weights: Tree, x: jax.Array) -> jax.Array:
    strides, padding = (layer["stride"],) * 2, layer["padding"].upper()
    if layer["kind"] == "conv":
        return lax.conv_general_dilated(
            x, weights["w"], strides, padding, dimension_numbers=CONVOLUTION
        )
    return lax.conv_transpose(
        x, weights["w"], strides, padding, dimension_numbers=CONVOLUTION, transpose_kernel=True
    )


WITHOUT_STATE: dict[str, Callable[[dict[str, Any], Tree, jax.Array], jax.Array]] = {
    "conv": _convolve,
    "conv_transpose": _convolve,
    "dense": lambda layer, weights, x: x @ weights["w"],
    "leaky_relu": lambda layer, weights, x: jnp.where(x > 0, x, layer["slope"] * x),
    "tanh": lambda layer, weights, x: jnp.tanh(x),
    "flatten": lambda layer, weights, x: x.reshape(len(x), -1),
    "reshape": lambda layer, weights, x: x.reshape(len(x), *layer["shape"]),
}


def apply(
    layers: list[dict[str, Any]],
    weights: list[Tree],
    statistics: list[Tree],
    x: jax.Array,
    key: jax.Array,
    train: bool = True,
) -> tuple[jax.Array, list[Tree]]:
    """Apply a network; return its output and the running statistics after it."""
    after = []
    for number, layer in enumerate(layers):
        arguments = layer, weights[number], statistics[number], jax.random.fold_in(key, number)
        x, changed = _apply(*arguments, train, x)
        after.append(changed)
    return x, after


def adam(plan: dict[str, Any], weights: Tree, gradients: Tree, moments: Tree) -> tuple[Tree, Tree]:
    """Take a step of Adam (Kingma and Ba 2015, algorithm 1)."""
    first, second, count = moments
    b1, b2, count = plan["beta1"], plan["beta2"], count + 1
    first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, second, gradients)
    rate = plan["lr"] * jnp.sqrt(1 - b2**count) / (1 - b1**count)
    epsilon = plan["epsilon"] * jnp.sqrt(1 - b2**count)
    moved = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + epsilon), weights, first, second
    )
    return moved, (first, second, count)


def _entropy(logits: jax.Array, target: float) -> jax.Array:
    return jnp.mean(jax.nn.softplus(logits) - target * logits)


class JaxLoop:
    """Both networks with their optimizers, as one state of arrays."""

    def __init__(self, plan: dict[str, Any], images: np.ndarray, compiled: bool) -> None:
        self.plan, self.images = plan, images
        self.g, self.d = plan["generator"], plan["discriminator"]
        key = jax.random.key(plan["seed"] % 2**31)
        shapes = {"g": (plan["latent_dim"],), "d": tuple(plan["image"])}
        self.state: dict[str, Tree] = {}
        for name, layers in (("g", self.g), ("d", self.d)):
            weights = initialize(jax.random.fold_in(key, ord(name)), layers, shapes[name])
            first, second = (jax.tree.map(jnp.zeros_like, weights) for _ in range(2))
            statistics = [_statistics(of_layer) for of_layer in weights]
            self.state[name] = weights, statistics, (first, second, jnp.zeros(()))
        self.key = key
        self.step = jax.jit(self._step, donate_argnums=0)

    def counts(self) -> list[int]:
        """Return the numbers of trained parameters."""
        return [
            sum(leaf.size for leaf in jax.tree.leaves(self.state[name][0])) for name in ("g", "d")
        ]

    def updates(self) -> Iterator[object]:
        """Train for ever."""
        for count, real in enumerate(batches(self.images, self.plan["batch_size"], 0)):
            self.state, losses = self.step(self.state, real, jax.random.fold_in(self.key, count))
            yield [float(loss) for loss in losses]

    def _step(self, state: Tree, real: jax.Array, key: jax.Array) -> tuple[Tree, Tree]:
        """Update both players by the plan's update scheme."""
        plan, scheme = self.plan, self.plan["update_scheme"]
        keys = jax.random.split(key, 6)
        g, g_statistics, g_moments = state["g"]
        d, d_statistics, d_moments = state["d"]
        size = (plan["batch_size"], plan["latent_dim"])

        def draw(weights: Tree, key: jax.Array) -> tuple[jax.Array, Tree]:
            return apply(self.g, weights, g_statistics, jax.random.normal(key, size), keys[5])

        def read(weights: Tree, images: jax.Array, statistics: Tree, key: jax.Array) -> Any:
            return apply(self.d, weights, statistics, images, key)

        def d_loss_of(weights: Tree, fakes: jax.Array) -> tuple[jax.Array, Tree]:
            of_real, after = read(weights, real, d_statistics, keys[0])
            of_fakes, after = read(weights, fakes, after, keys[1])
            return _entropy(of_real, 1.0) + _entropy(of_fakes, 0.0), after

        def g_loss_of(fakes: jax.Array, weights: Tree, key: jax.Array) -> tuple[jax.Array, Tree]:
            logits, after = read(weights, fakes, d_statistics, key)
            return _entropy(logits, 1.0), after

        fakes, pull_back, g_statistics = jax.vjp(partial(draw, key=keys[2]), g, has_aux=True)
        (d_loss, after), d_gradients = jax.value_and_grad(d_loss_of, has_aux=True)(d, fakes)
        moved, d_moments = adam(plan, d, d_gradients, d_moments)
        if scheme == "simultaneous":  # the discriminator from before its update, the same dropout
            (g_loss, _), upstream = jax.value_and_grad(g_loss_of, has_aux=True)(fakes, d, keys[1])
        else:
            if scheme == "fresh":
                fakes, pull_back, g_statistics = jax.vjp(
                    partial(draw, key=keys[3]), g, has_aux=True
                )
            d_statistics = after
            (g_loss, after), upstream = jax.value_and_grad(g_loss_of, has_aux=True)(
                fakes, moved, keys[4]
            )
        (g_gradients,) = pull_back(upstream)
        g, g_moments = adam(plan, g, g_gradients, g_moments)
        new = {"g": (g, g_statistics, g_moments), "d": (moved, after, d_moments)}
        return new, (d_loss, g_loss)

    def outputs(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return images and logits with weights in the order of Keras' own."""
        x = jnp.asarray(arrays["z"])
        results = []
        for name, layers in (("g", self.g), ("d", self.d)):
            given = iter([arrays[f"{name}{i}"] for i in range(sum(k[0] == name for k in arrays))])
            weights, statistics = [], []
            for layer in layers:
                own: dict[str, np.ndarray] = {}
                kept: dict[str, np.ndarray] = {}
                if layer["kind"] == "batch_norm":
                    own = {"scale": next(given), "b": next(given)}
                    kept = {"mean": next(given), "var": next(given)}
                elif "bias" in layer:
                    own = {"w": next(given)} | ({"b": next(given)} if layer["bias"] else {})
                weights.append(own)
                statistics.append(kept)
            x, _ = apply(layers, weights, statistics, x, self.key, train=False)
            results.append(np.asarray(x))
        return {"images": results[0], "logits": results[1][:, 0]}


if __name__ == "__main__":
    serve(f"jax {jax.__version__}", JaxLoop)
