"""Measures how near a generator comes to digits that it has never seen: MNIST's test digits.

Run it with: python -m benchmarks.imitation flagship --write
"""

import argparse
import datetime
import time
from importlib.resources import files as resources
from pathlib import Path

import numpy as np

from inkgan import files
from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.generation.load import load
from inkgan.inversion.error_percentiles import (
    PERCENTS,
    SHIPPED,
    measure_errors,
    shipped_percentiles,
)
from inkgan.inversion.imitate import imitate_digits
from inkgan.inversion.recognize import RecognizedDigits
from inkgan.metrics.features.extractors import extract_features


def main() -> None:
    """Imitate the first test digits, each by itself; print the errors, and keep them if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", nargs="?", default="flagship")
    parser.add_argument("--digits", type=int, default=500)
    parser.add_argument("--write", action="store_true", help=f"into the package's {SHIPPED}")
    options = parser.parse_args()
    generator = load(options.source)
    test = load_dataset(Data(name="mnist", holdout=0), "test", None)
    images, labels = (part[: options.digits].numpy() for part in (test.images[:, 0], test.labels))
    started = time.perf_counter()
    errors = measure_errors(generator, images, labels.tolist())
    each = (time.perf_counter() - started) / len(images)
    low, median, high = np.percentile(errors, [5, 50, 95])
    print(f"error: median {median:.4f}, 5 % {low:.4f}, 95 % {high:.4f}; {each:.2f} s a digit")
    unknown = np.full(1, np.nan)
    started = time.perf_counter()
    read, alone = [], 50
    for image, label in zip(images[:alone], labels[:alone], strict=True):
        seen = RecognizedDigits(image[None], str(label), unknown, unknown)
        writer = imitate_digits(seen, generator).writer
        read.append(
            extract_features(generator.render(np.tile(writer.latent, (10, 1)), range(10))).predicted
        )
    print(f"one digit alone: {(time.perf_counter() - started) / alone:.2f} s, reading included")
    print(
        f"other digits in its hand are read right: {(np.stack(read) == np.arange(10)).mean():.1%}"
    )
    if options.write:
        entry = {
            "date": datetime.date.today().isoformat(),
            "digits": len(images),
            "percentiles": np.percentile(errors, PERCENTS).round(5).tolist(),
        }
        path = Path(str(resources("inkgan.inversion") / SHIPPED))
        files.write_json(path, shipped_percentiles() | {generator.bundle.digest[:16]: entry})
        print(path)


if __name__ == "__main__":
    main()
