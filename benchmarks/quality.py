"""The same recipe trained by Keras to its full length, and judged by the same evaluation.

    python -m benchmarks.quality mlp dcgan-compact

Keras gets the recipe's networks, optimizers, update scheme, average of the generator and training
images, and begins with the weights of the recipe's seed; batches, latents and dropout are its own.
Images are not distorted, so the run to compare with is trained with --set data.augment.rotate=0.
The averaged generator's images are evaluated by the quick protocol, as a run of ours is by
`inkgan evaluate RUN --quick`. TensorFlow is installed in an environment of its own.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import inkgan
from benchmarks.frameworks.foreign import Foreign
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.data.dataset import load_dataset
from inkgan.generation.sampling import latents_from_seeds
from inkgan.models.build import build_discriminator, build_generator
from inkgan.types import UInt8

IMAGES = 10_000
REPORTS = 20  # lines of progress


def train(recipe: Recipe, threads: int, compiled: bool, data_dir: Path | None = None) -> UInt8:
    """Train a recipe in Keras and draw from its averaged generator.

    Args:
        recipe: unconditional.
        threads: of each operation.
        compiled: by XLA.
        data_dir: with the data set's files.

    Returns:
        Images uint8 (10000, H, W, C).
    """
    dataset = load_dataset(recipe.data, data_dir=data_dir)
    model, shape = recipe.model, dataset.shape
    schedule = recipe.schedule
    steps = schedule.epochs * (len(dataset.images) // schedule.batch_size)
    keras = Foreign("tensorflow", recipe, dataset, threads, compiled)
    try:
        keras.start(
            *(build(model, shape, recipe.seed) for build in (build_generator, build_discriminator))
        )
        began, done = time.monotonic(), 0
        for part in range(1, REPORTS + 1):
            until = steps * part // REPORTS
            keras.timed(until - done)
            done = until
            seconds = time.monotonic() - began
            print(f"{recipe.name}: {done:,} of {steps:,} steps, {seconds:.0f} s", file=sys.stderr)
        drawn = keras.draw(latents_from_seeds(range(IMAGES), model.latent_dim))
    finally:
        keras.close()
    pixels: UInt8 = np.rint((drawn.clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    return pixels


def main() -> None:
    """Train and evaluate from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=["mlp", "dcgan-compact"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--xla", action="store_true", help="compile: faster for fully connected")
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/quality"))
    given = parser.parse_args()
    changes = {"seed": given.seed}
    if given.epochs:
        changes["schedule.epochs"] = given.epochs
    for name in given.recipes:
        recipe = override(get_recipe(name), changes)
        images = train(recipe, given.threads, given.xla, given.data_dir)
        out = given.out / f"{name}-{given.seed}"
        out.mkdir(parents=True, exist_ok=True)
        np.save(out / "images.npy", images)
        report = inkgan.evaluate(images, protocol="quick", data_dir=given.data_dir, out=out)
        print(f"{name}, seed {given.seed}\n{report}", flush=True)


if __name__ == "__main__":
    main()
