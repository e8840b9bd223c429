"""Metrics of the user's own (`register_metric`): their values, and what real images score."""

import math
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.evaluation.reference import ReferenceSet
from inkgan.evaluation.results import GeneratedImages
from inkgan.evaluation.score import Baseline, Score
from inkgan.metrics.features.extractors import Features
from inkgan.metrics.metric_registry import MetricFunction, registered_metrics
from inkgan.metrics.stats.intervals import Interval
from inkgan.types import UInt8

BASELINE_DRAWS = 5
NO_INTERVAL = "the function of the metric returns a number alone"


@dataclass(frozen=True)
class ImageSet:
    """What a registered metric is given, of generated and of real images.

    Attributes:
        images: uint8 (n, 28, 28).
        features: `e1` (n, 128), `e2` (n, 64) and the `probabilities` of ten digits (n, 10).
        labels: the digits requested, or of real images their own, int64 (n,); where none were
            requested those that E1 predicts.
    """

    images: UInt8
    features: Features
    labels: np.ndarray


def custom_scores(
    generated: GeneratedImages, features: Features, reference: ReferenceSet
) -> dict[str, Score]:
    """Compute every registered metric of one set of images.

    The baseline is the metric of class-matched training images against the test images, in five
    draws. A function that returns a number alone has no interval.

    Raises:
        ConfigError: a function does not return a number or three.
    """
    functions = registered_metrics()
    if not functions:
        return {}
    labels = features.predicted if generated.requested is None else generated.requested
    drawn = ImageSet(generated.pixels, features, labels)
    real = ImageSet(reference.images.test, reference.features, reference.labels)
    # first of all the generated images: a function that fails does so before real ones are drawn
    found = {key: _value(key, function, drawn, real) for key, function in functions.items()}
    draws = [_real_draw(reference, len(labels), draw) for draw in range(BASELINE_DRAWS)]
    scores = {}
    for key, (value, interval) in found.items():
        values = [_value(key, functions[key], draw, real)[0] for draw in draws]
        baseline = Baseline(float(np.mean(values)), float(np.std(values, ddof=1)), len(values))
        count = len(labels)
        if interval is None:
            scores[key] = Score.without_interval(key, value, baseline, NO_INTERVAL, count)
        else:
            scores[key] = Score.of(key, interval, baseline, "its own function", images=count)
    return scores


def _real_draw(reference: ReferenceSet, count: int, draw: int) -> ImageSet:
    rows = reference.images.class_matched(count, draw)
    images, labels = reference.images.train[rows], reference.images.train_labels[rows]
    return ImageSet(images, reference.train_features.at(rows), labels)


def _value(
    key: str, function: MetricFunction, generated: ImageSet, reference: ImageSet
) -> tuple[float, Interval | None]:
    """Call a function, and return its value and the interval that it may have given."""
    result = function(generated, reference)
    try:
        numbers = [float(number) for number in np.atleast_1d(np.asarray(result, np.float64))]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) not in (1, 3) or not all(map(math.isfinite, numbers)):
        raise ConfigError(
            f"the metric {key!r} must return a finite number, or (value, low, high), not {result!r}"
        )
    if len(numbers) == 1:
        return numbers[0], None
    if not numbers[1] <= numbers[0] <= numbers[2]:
        raise ConfigError(f"the metric {key!r} returns {result!r}: not (value, low, high)")
    return numbers[0], Interval(*numbers)
