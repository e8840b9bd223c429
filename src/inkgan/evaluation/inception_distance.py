"""FID by pytorch-fid's network, with its real baseline."""

import numpy as np

from inkgan.evaluation.reference import Target
from inkgan.evaluation.score import Floor, Score
from inkgan.metrics.features.inception import Network, inception_features
from inkgan.metrics.frechet import frechet_distance, moments
from inkgan.metrics.stats.intervals import normal_interval
from inkgan.types import Progress, UInt8, silent

FLOOR_DRAWS = 2


def inception_score(
    pixels: UInt8, target: Target, network: Network, progress: Progress = silent
) -> Score:
    """Measure the FID of images against the test images, over its floor.

    The floor is that of class-matched training images, in two draws: the network is slow.
    """
    real = moments(inception_features(target.reference.test, network, progress, "FID: real images"))
    floor = []
    for draw in range(FLOOR_DRAWS):
        rows = target.reference.class_matched(len(pixels), draw)
        features = inception_features(
            target.reference.train[rows], network, progress, "FID: the floor"
        )
        floor.append(frechet_distance(moments(features), real))
    features = inception_features(pixels, network, progress, "FID: the images")
    value = frechet_distance(moments(features), real)
    under = Floor(float(np.mean(floor)), float(np.std(floor, ddof=1)), FLOOR_DRAWS)
    return Score("fid", *normal_interval(value, under.sd), under, "draws of the floor")
