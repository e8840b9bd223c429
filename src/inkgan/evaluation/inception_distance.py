"""FID by pytorch-fid's network, with its baseline."""

import numpy as np

from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.score import Baseline, Score
from inkgan.metrics.features.inception import Network, inception_features
from inkgan.metrics.frechet import frechet_distance, moments
from inkgan.metrics.frechet_expansion import frechet_expansion
from inkgan.metrics.stats.expansion import expansion_interval
from inkgan.types import Progress, UInt8, silent

BASELINE_DRAWS = 2


def inception_score(
    pixels: UInt8, reference: ReferenceImages, network: Network, progress: Progress = silent
) -> Score:
    """Measure the FID of images (n, 28, 28) against the test images.

    The baseline is that of class-matched training images, in two draws: the network is slow.
    """
    real_features = inception_features(reference.test, network, progress, "FID: real images")
    real = moments(real_features)
    values = []
    for draw in range(BASELINE_DRAWS):
        rows = reference.class_matched(len(pixels), draw)
        features = inception_features(reference.train[rows], network, progress, "FID: baseline")
        values.append(frechet_distance(moments(features), real))
    features = inception_features(pixels, network, progress, "FID: the images")
    baseline = Baseline(float(np.mean(values)), float(np.std(values, ddof=1)), BASELINE_DRAWS)
    bounds = expansion_interval(frechet_expansion(features, real_features))
    return Score.of(
        "fid",
        bounds.interval,
        baseline,
        "images",
        standard_error=bounds.error,
        images=len(pixels),
    )
