"""What an evaluation says of images of which one knows the truth: real, spoiled, copied, generated.

    python -m benchmarks.verdicts --bundles flagship mlp

Every set has 10,000 images, drawn with fixed seeds, and is evaluated by the quick protocol; the
copy test reads 1,000 of them. The table is Markdown; docs/evaluation.md has one.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

import inkgan
from inkgan.evaluation.baselines import BaselineCache
from inkgan.evaluation.own_extractors import load_reference
from inkgan.evaluation.protocol import ProtocolRunner
from inkgan.evaluation.reference import ReferenceImages, ReferenceSet
from inkgan.evaluation.results import QUICK, EvaluationResult, GeneratedImages
from inkgan.evaluation.train_distances import compare_train_distances
from inkgan.evaluation.verdict import statements

COPY_TESTED = 1_000
FIRST_SEED = 1_000_000
DRAW = 500  # apart from the draws of the baselines
DROPPED = 4


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundles", nargs="*", default=["flagship", "mlp", "vanilla", "dcgan"])
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--images", type=int, default=QUICK.images)
    given = parser.parse_args()
    reference = ReferenceSet(load_reference("mnist", given.data_dir))
    runner = ProtocolRunner(reference, BaselineCache(reference), QUICK)
    print("| images | verdict |\n|---|---|", flush=True)
    for name, images in examples(reference.images, given.images, given.bundles):
        lines = [statement.text for statement in statements(evaluate(runner, images))]
        print(f"| {name} | **{lines[0]}** {' '.join(lines[1:])} |", flush=True)


def evaluate(runner: ProtocolRunner, images: GeneratedImages) -> EvaluationResult:
    """Run the protocol, and test some of the images for copies."""
    result, reference = runner.run(images), runner.reference
    few = slice(0, COPY_TESTED)
    near = reference.train_distances(images.pixels[few], result.features.at(few))
    _, copy_tests = compare_train_distances(near, reference.test_distances)
    return replace(result, copy_tests=copy_tests)


def examples(
    reference: ReferenceImages, count: int, bundles: list[str]
) -> Iterator[tuple[str, GeneratedImages]]:
    """Yield names and images whose truth is known.

    Args:
        reference: the real images.
        count: images of each set.
        bundles: names of generators; copies are planted among the images of the first.
    """
    rows = reference.class_matched(count, DRAW)
    real, labels = reference.train[rows], reference.train_labels[rows]
    yield "real, unseen by the extractors", GeneratedImages(real, labels)
    kept = labels != DROPPED
    yield f"the same without {DROPPED}s", GeneratedImages(real[kept], labels[kept])
    copies = reference.class_matched(count, DRAW, all_images=True)
    copied, copied_labels = reference.train[copies], reference.train_labels[copies]
    for name in bundles:
        drawn = generated(name, reference, count)
        yield name, drawn
        if name == bundles[0]:
            half = np.arange(len(copies)) % 2 == 0
            yield f"half {name}, half real", mixed(drawn, real, labels, half)
            few = np.arange(len(copies)) % 100 == 0
            yield f"{name} with 1 % copies", mixed(drawn, copied, copied_labels, few)
            yield "100 % copies", GeneratedImages(copied, copied_labels)


def generated(name: str, reference: ReferenceImages, count: int) -> GeneratedImages:
    """Draw images with the class shares of the test split, where the generator has classes."""
    generator = inkgan.load(name)
    seeds = range(FIRST_SEED, FIRST_SEED + count)
    if not generator.conditional:
        return GeneratedImages(generator.sample(seeds=seeds))
    labels = reference.labels_to_request(count, count)
    return GeneratedImages(generator.sample(labels=labels.tolist(), seeds=seeds), labels)


def mixed(
    drawn: GeneratedImages, real: np.ndarray, labels: np.ndarray, where: np.ndarray
) -> GeneratedImages:
    """Replace some of the generated images by real ones."""
    chosen = where[: len(drawn.pixels)]
    pixels = drawn.pixels.copy()
    pixels[chosen] = real[: len(pixels)][chosen]
    if drawn.requested is None:
        return GeneratedImages(pixels)
    requested = np.where(chosen, labels[: len(pixels)], drawn.requested)
    return GeneratedImages(pixels, requested)


if __name__ == "__main__":
    main()
