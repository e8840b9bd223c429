"""FID by pytorch-fid's network, with its baseline."""

import numpy as np

from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.score import Baseline, Score
from inkgan.metrics.features.inception import Network, inception_features
from inkgan.metrics.frechet import frechet_distance, moments
from inkgan.metrics.stats.intervals import normal_interval
from inkgan.types import Progress, UInt8, silent

BASELINE_DRAWS = 2


def inception_score(
    pixels: UInt8, reference: ReferenceImages, network: Network, progress: Progress = silent
) -> Score:
    """Measure the FID of images (n, 28, 28) against the test images.

    The baseline is that of class-matched training images, in two draws: the network is slow.
    """
    real = moments(inception_features(reference.test, network, progress, "FID: real images"))
    values = []
    for draw in range(BASELINE_DRAWS):
        rows = reference.class_matched(len(pixels), draw)
        features = inception_features(reference.train[rows], network, progress, "FID: baseline")
        values.append(frechet_distance(moments(features), real))
    features = inception_features(pixels, network, progress, "FID: the images")
    value = frechet_distance(moments(features), real)
    baseline = Baseline(float(np.mean(values)), float(np.std(values, ddof=1)), BASELINE_DRAWS)
    return Score("fid", *normal_interval(value, baseline.sd), baseline, "baseline draws")
