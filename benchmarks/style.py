"""Measures how well a style that is asked for is met, and whether odd styles still vary.

Run it with: python -m benchmarks.style flagship --draws 1000 --edges
"""

import argparse
import time

import numpy as np
import torch

from inkgan import rng
from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.generation.load import load
from inkgan.generation.style_control.controller import StyleController
from inkgan.generation.style_control.style import MEASURES, TOLERANCES, UNITS, style_of
from inkgan.metrics.features.extractors import extract_features
from inkgan.metrics.prdc import prdc
from inkgan.types import Float64, UInt8

EDGE = 0.1  # of the range, at either end
TRAINING = 20_000  # images that the edges' floors are chosen from


def main() -> None:
    """Ask for styles drawn evenly from each class' range, and print requested against measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", default="flagship")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--edges", action="store_true", help="coverage of real digits there, too")
    options = parser.parse_args()
    controller = StyleController(load(options.source))
    latents = controller.generator.latents(range(options.draws))
    classes = len(controller.generator.bundle.classes)
    labels = controller.predict_labels(latents, range(options.draws))
    if controller.generator.conditional:
        labels = (np.arange(options.draws) % classes).tolist()
    started = time.perf_counter()
    ranges = np.stack([calibration.ranges() for calibration in controller.calibrations.of(labels)])
    print(f"{time.perf_counter() - started:.1f} s for the calibration (0 where it was kept)")
    shares = torch.rand(len(labels), len(MEASURES), generator=rng.generator(0, "style benchmark"))
    places = shares.double().numpy()
    targets = ranges[..., 0] + places * (ranges[..., 1] - ranges[..., 0])
    started = time.perf_counter()
    drawn = controller.draw(latents, labels, targets)
    seconds = time.perf_counter() - started
    report(np.abs(drawn.measured - targets), places)
    plain = controller.render(latents, np.asarray(labels))
    right = [
        (extract_features(images).predicted == labels).mean() for images in (drawn.images, plain)
    ]
    print(f"class kept: {right[0]:.1%} (without a style {right[1]:.1%}), by E1")
    print(f"{seconds:.1f} s for {options.draws} draws")
    if options.edges:
        report_edges(controller)


def report(gaps: Float64, places: Float64) -> None:
    """Print the errors (n, 3), in all and where what was asked for lay at an edge of its range."""
    print("measure     mean  median  95 %  within tolerance  mean at the edges")
    at_edge = (places < EDGE) | (places > 1 - EDGE)
    for column, (name, within) in enumerate(zip(MEASURES, TOLERANCES, strict=True)):
        gap = gaps[:, column]
        median, most = np.nanpercentile(gap, [50, 95])
        edge = np.nanmean(gap[at_edge[:, column]])
        print(
            f"{name:10} {np.nanmean(gap):5.2f}  {median:6.2f}  {most:4.2f}  "
            f"{(gap <= within).mean():16.1%}  {edge:.2f} {UNITS[name]}"
        )
    print(f"all three within {TOLERANCES.tolist()}: {(gaps <= TOLERANCES).all(axis=1).mean():.1%}")


def report_edges(controller: StyleController) -> None:
    """Print the share of real test digits in the outer tenths of each range that are covered.

    Digits of the same classes and the same measure are drawn, one for each; the floor takes
    training images from the same tenth of the same class' range.
    """
    real = {name: _measured(name) for name in ("test", "train")}
    ranges = np.stack(
        [book.ranges() for book in controller.calibrations.of(range(10))]
    )  # (10, 3, 2)
    print("measure    edge       test images  coverage  by training images")
    for column, name in enumerate(MEASURES):
        for edge, (least, most) in (("lowest", (0.0, EDGE)), ("highest", (1 - EDGE, 1.0))):
            inside = {}
            for split, (_, labels, measured) in real.items():
                low, high = ranges[labels, column].T
                place = (measured[:, column] - low) / (high - low)
                inside[split] = np.flatnonzero((place >= least) & (place <= most))
            shown, floor = _coverage(controller, real, inside, column)
            print(f"{name:10} {edge:8} {len(inside['test']):13}  {shown:8.1%}  {floor:.1%}")


def _measured(split: str) -> tuple[UInt8, np.ndarray, Float64]:
    dataset = load_dataset(Data(holdout=0), "test" if split == "test" else "train")
    images = dataset.images[:TRAINING, 0].numpy()
    return images, dataset.labels[:TRAINING].numpy(), style_of(images)


def _coverage(
    controller: StyleController,
    real: dict[str, tuple[UInt8, np.ndarray, Float64]],
    inside: dict[str, np.ndarray],
    column: int,
) -> tuple[float, float]:
    """Cover test images of an edge by drawn ones, and by as many training images a class."""
    images, labels, measured = (part[inside["test"]] for part in real["test"])
    targets = np.full(measured.shape, np.nan)
    targets[:, column] = measured[:, column]
    latents = controller.generator.latents(range(len(labels)))
    drawn = controller.draw(latents, labels.tolist(), targets).images
    chosen = []
    for label in range(10):
        rows = inside["train"][real["train"][1][inside["train"]] == label]
        chosen += rows[: (labels == label).sum()].tolist()
    seen = extract_features(images).e1
    return (
        prdc(seen, extract_features(drawn).e1).coverage,
        prdc(seen, extract_features(real["train"][0][chosen]).e1).coverage,
    )


if __name__ == "__main__":
    main()
