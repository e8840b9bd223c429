"""Measures how well a style that is asked for is met.

Run it with: python -m benchmarks.style flagship --draws 1000
"""

import argparse
import time

import numpy as np
import torch

from inkgan import rng
from inkgan.evaluation.arrays import Floats
from inkgan.evaluation.extractors import look
from inkgan.sampling.loading import load
from inkgan.styling.request import MEASURES, UNITS
from inkgan.styling.styled import Stylist

EDGE = 0.1  # of the range, at either end
TOLERANCES = np.array([2.0, 0.3, 0.5])


def main() -> None:
    """Ask for styles drawn evenly from each class' range, and print requested against measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", default="flagship")
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    stylist = Stylist(load(options.source))
    latents = stylist.sampler.latents(range(options.draws))
    classes = len(stylist.sampler.bundle.classes)
    labels = stylist.labels_of(latents, range(options.draws))
    if stylist.sampler.conditional:
        labels = (np.arange(options.draws) % classes).tolist()
    started = time.perf_counter()
    ranges = np.stack([calibration.ranges() for calibration in stylist.book.of(labels)])
    print(f"{time.perf_counter() - started:.1f} s for the calibration (0 where it was kept)")
    shares = torch.rand(len(labels), len(MEASURES), generator=rng.generator(0, "style benchmark"))
    places = shares.double().numpy()
    targets = ranges[..., 0] + places * (ranges[..., 1] - ranges[..., 0])
    started = time.perf_counter()
    settled = stylist.draw(latents, labels, targets)
    seconds = time.perf_counter() - started
    report(np.abs(settled.measured - targets), places)
    plain = stylist.render(latents, np.asarray(labels))
    right = [(look(images).read == labels).mean() for images in (settled.images, plain)]
    print(f"class kept: {right[0]:.1%} (without a style {right[1]:.1%}), by E1")
    print(f"{seconds:.1f} s for {options.draws} draws")


def report(gaps: Floats, places: Floats) -> None:
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


if __name__ == "__main__":
    main()
