"""Networks trained on the images themselves: are they useful, can they be told from real ones?"""

import numpy as np
import torch
from torch import nn

from inkgan.images import to_float
from inkgan.metrics.features.extractors import CHUNK
from inkgan.metrics.features.fit import Fit, fit_classifier, seeded
from inkgan.metrics.features.networks import CLASSES, small_classifier
from inkgan.metrics.stats.ranks import Ranking, placements
from inkgan.rng import seed_for
from inkgan.types import Bool, UInt8

# Fixed in advance, the same for fakes and for real images.
CLASSIFIER = Fit(epochs=5)
DISCRIMINATOR = Fit(epochs=8, batch_size=64)


def classification_accuracy(
    pixels: UInt8, labels: np.ndarray, test: UInt8, test_labels: np.ndarray, seed: int
) -> float:
    """Train a small CNN on images, and return its accuracy on real test images.

    The classification accuracy score of Ravuri and Vinyals 2019 (CAS), with a small network for
    digits.

    Args:
        pixels: images to train on, uint8 (n, 28, 28).
        labels: their digits (n,), 0 to 9, or other classes from 0.
        test: real images, uint8 (m, 28, 28).
        test_labels: their digits (m,).
        seed: of weights and order.

    Returns:
        The share of test images classified right, in 0..1; higher is better.
    """
    return float(classified_right(pixels, labels, test, test_labels, seed).mean())


def classified_right(
    pixels: UInt8, labels: np.ndarray, test: UInt8, test_labels: np.ndarray, seed: int
) -> Bool:
    """Train as `classification_accuracy`, and return which test images it classifies right.

    Args:
        pixels: training images, uint8 (n, H, W).
        labels: their classes (n,).
        test: test images, uint8 (m, H, W).
        test_labels: their classes (m,).
        seed: of the initial weights and the order of the images.

    Returns:
        bool (m,).
    """
    classes = max(CLASSES, int(test_labels.max()) + 1, int(labels.max()) + 1)
    network = _trained(pixels, labels, classes, CLASSIFIER, seed)
    return np.asarray(_logits(network, test).argmax(axis=1) == test_labels)


def two_sample_auc(real: UInt8, fake: UInt8, seed: int) -> float:
    """Train a small CNN to tell real from generated on one half, return its AUC on the other.

    The classifier two-sample test of Lopez-Paz and Oquab 2017, by the area under the ROC curve
    instead of the accuracy.

    Args:
        real: uint8 (n, 28, 28).
        fake: generated images, uint8 (m, 28, 28).
        seed: of the halves, the weights and the order.

    Returns:
        A number in 0..1: 0.5 where the two cannot be told apart, 1 where they always can.
    """
    ranking = two_sample_ranking(real, fake, seed)
    return float(placements(ranking.generated, ranking.real).mean())


def two_sample_ranking(real: UInt8, fake: UInt8, seed: int) -> Ranking:
    """Train as `two_sample_auc`, and return the held-out scores with their rows of both sets.

    Args:
        real: uint8 (n, H, W).
        fake: uint8 (m, H, W).
        seed: of the halves, the initial weights and the order of the images.

    Returns:
        The scores of both held-out halves, and which rows of `real` and `fake` they are.
    """
    pixels = np.concatenate([real, fake])
    labels = np.repeat([0, 1], [len(real), len(fake)])
    random = np.random.default_rng(seed_for(seed, "two-sample halves"))
    first = np.zeros(len(pixels), bool)
    for part in (0, 1):
        rows = random.permutation(np.flatnonzero(labels == part))
        first[rows[: len(rows) // 2]] = True
    network = _trained(pixels[first], labels[first], 2, DISCRIMINATOR, seed)
    rows, is_fake = np.flatnonzero(~first), labels[~first] == 1
    logits = _logits(network, pixels[rows])
    scores = (logits[:, 1] - logits[:, 0]).astype(np.float64)
    return Ranking(scores[~is_fake], scores[is_fake], rows[~is_fake], rows[is_fake] - len(real))


def _trained(pixels: UInt8, labels: np.ndarray, classes: int, plan: Fit, seed: int) -> nn.Module:
    network = seeded(lambda: small_classifier(classes), seed)
    images = torch.from_numpy(np.ascontiguousarray(pixels))[:, None]
    targets = torch.from_numpy(labels.astype(np.int64))
    for _ in fit_classifier(network, images, targets, plan, seed):
        pass
    return network


@torch.no_grad()
def _logits(network: nn.Module, pixels: UInt8) -> np.ndarray:
    images = torch.from_numpy(np.ascontiguousarray(pixels))[:, None]
    logits: np.ndarray = torch.cat(
        [network(to_float(chunk)) for chunk in images.split(CHUNK)]
    ).numpy()
    return logits
