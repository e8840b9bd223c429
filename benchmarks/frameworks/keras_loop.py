"""TensorFlow and Keras: the networks of a plan in a train step of the kind that its tutorials show.

The step is a tf.function, as in the DCGAN tutorial; --compiled adds XLA. Input is a tf.data
pipeline that shuffles and prefetches.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow import keras

sys.path.insert(0, str(Path(__file__).parent))
from serve import serve

LAYERS = keras.layers


def make_layer(layer: dict[str, Any]) -> keras.layers.Layer:
    """Build the Keras layer of a plan's entry."""
    kind = layer["kind"]
    if kind in ("conv", "conv_transpose"):
        build = LAYERS.Conv2D if kind == "conv" else LAYERS.Conv2DTranspose
        return build(
            layer["channels"],
            layer["kernel"],
            strides=layer["stride"],
            padding=layer["padding"],
            use_bias=layer["bias"],
        )
    if kind == "dense":
        return LAYERS.Dense(layer["units"], use_bias=layer["bias"])
    if kind == "batch_norm":
        return LAYERS.BatchNormalization(momentum=layer["momentum"], epsilon=layer["epsilon"])
    if kind == "leaky_relu":
        return LAYERS.LeakyReLU(layer["slope"]) if layer["slope"] else LAYERS.ReLU()
    if kind == "dropout":
        return LAYERS.Dropout(layer["rate"])
    if kind == "reshape":
        return LAYERS.Reshape(layer["shape"])
    return {"flatten": LAYERS.Flatten, "tanh": lambda: LAYERS.Activation("tanh")}[kind]()


class KerasLoop:
    """Both networks with their optimizers."""

    def __init__(self, plan: dict[str, Any], images: np.ndarray, compiled: bool) -> None:
        keras.utils.set_random_seed(plan["seed"] % 2**31)
        self.plan, self.images = plan, images
        inputs = keras.Input((plan["latent_dim"],)), keras.Input(plan["image"])
        self.generator, self.discriminator = (
            keras.Sequential([given, *map(make_layer, plan[name])])
            for given, name in zip(inputs, ("generator", "discriminator"), strict=True)
        )
        self.optimizers = [
            keras.optimizers.Adam(plan["lr"], plan["beta1"], plan["beta2"], plan["epsilon"])
            for _ in range(2)
        ]
        for optimizer, network in zip(self.optimizers, self._networks(), strict=True):
            optimizer.build(network.trainable_variables)
        self.step = tf.function(self._step, jit_compile=compiled)
        self.average: list[tf.Variable] = []

    def _networks(self) -> tuple[keras.Model, keras.Model]:
        return self.generator, self.discriminator

    def counts(self) -> list[int]:
        """Return the numbers of trained parameters."""
        return [
            sum(int(np.prod(v.shape)) for v in network.trainable_variables)
            for network in self._networks()
        ]

    def updates(self) -> Iterator[object]:
        """Train for ever."""
        size = self.plan["batch_size"]
        data = tf.data.Dataset.from_tensor_slices(self.images).shuffle(len(self.images))
        data = data.repeat().batch(size, drop_remainder=True)
        data = data.map(lambda batch: tf.cast(batch, tf.float32) / 127.5 - 1)
        for number, real in enumerate(data.prefetch(tf.data.AUTOTUNE)):
            losses = self.step(real)
            if self.average:
                effective = min(self.plan["ema_half_life"], (number + 1) * size * self.plan["ramp"])
                self._update_average(tf.constant(0.5 ** (size / effective)))
            yield [loss.numpy() for loss in losses]

    def _step(self, real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        scheme = self.plan["update_scheme"]
        generator, discriminator = self._networks()
        g_optimizer, d_optimizer = self.optimizers
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fakes = generator(self._latents(), training=True)
            of_fakes = discriminator(fakes, training=True)
            d_loss = _entropy(discriminator(real, training=True), 1.0) + _entropy(of_fakes, 0.0)
            g_loss = _entropy(of_fakes, 1.0)
        d_gradients = d_tape.gradient(d_loss, discriminator.trainable_variables)
        if scheme == "simultaneous":
            g_gradients = g_tape.gradient(g_loss, generator.trainable_variables)
            d_optimizer.apply(d_gradients, discriminator.trainable_variables)
            g_optimizer.apply(g_gradients, generator.trainable_variables)
            return d_loss, g_loss
        d_optimizer.apply(d_gradients, discriminator.trainable_variables)
        with tf.GradientTape() as tape:
            if scheme == "fresh":
                fakes = generator(self._latents(), training=True)
            else:  # the tape of the first pass gives the gradient of the same fakes
                tape.watch(fakes)
            g_loss = _entropy(discriminator(fakes, training=True), 1.0)
        if scheme == "fresh":
            g_gradients = tape.gradient(g_loss, generator.trainable_variables)
        else:
            upstream = tape.gradient(g_loss, fakes)
            g_gradients = g_tape.gradient(fakes, generator.trainable_variables, upstream)
        g_optimizer.apply(g_gradients, generator.trainable_variables)
        return d_loss, g_loss

    @tf.function
    def _update_average(self, decay: tf.Tensor) -> None:
        """Move the average towards the generator: weights and BatchNorm's statistics alike."""
        for average, weight in zip(self.average, self.generator.weights, strict=True):
            average.assign(decay * average + (1 - decay) * weight)

    def _latents(self) -> tf.Tensor:
        return tf.random.normal((self.plan["batch_size"], self.plan["latent_dim"]))

    def outputs(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return images and logits with weights in the order of Keras' own."""
        self._set_weights(arrays)
        images = self.generator(arrays["z"], training=False)
        logits = self.discriminator(images, training=False)
        return {"images": np.asarray(images), "logits": np.asarray(logits)[:, 0]}

    def start(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Begin with weights in the order of Keras' own, and keep an average of the generator."""
        self._set_weights(arrays)
        self.average = [tf.Variable(weight, trainable=False) for weight in self.generator.weights]
        return {}

    def draw(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Draw the images of latents z (n, latent_dim) by the averaged generator."""
        trained = self.generator.get_weights()
        self.generator.set_weights([weight.numpy() for weight in self.average])
        images = [
            np.asarray(self.generator(z, training=False)) for z in np.array_split(arrays["z"], 100)
        ]
        self.generator.set_weights(trained)
        return {"images": np.concatenate(images)}

    def _set_weights(self, arrays: dict[str, np.ndarray]) -> None:
        for name, network in zip(("g", "d"), self._networks(), strict=True):
            network.set_weights([arrays[f"{name}{i}"] for i in range(len(network.weights))])


def _entropy(logits: tf.Tensor, target: float) -> tf.Tensor:
    targets = tf.fill(tf.shape(logits), target)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits))


if __name__ == "__main__":
    serve(f"tensorflow {tf.__version__}", KerasLoop)
