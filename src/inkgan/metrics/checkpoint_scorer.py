"""Scores of checkpoints during training, by E3 alone: E1 and E2 evaluate, and choose nothing."""

import numpy as np
import torch

from inkgan.metrics.features.extractors import checkpoint_features
from inkgan.metrics.frechet import frechet_distance, moments
from inkgan.metrics.prdc import prdc, radii

NEIGHBORS = 5
LEAST_OF_A_CLASS = 10
DISTANCE, VARIETY = "e3_distance", "class_variety"


class CheckpointScorer:
    """Scores sets of images against the same real ones, uint8 (n, C, H, W) both.

    With labels (n,) of the real images it watches the variety inside each class too.
    """

    def __init__(self, real: torch.Tensor, labels: torch.Tensor | None = None) -> None:
        self._features = checkpoint_features(real)
        self._moments = moments(self._features)
        self._radii = radii(self._features, NEIGHBORS) if len(real) > NEIGHBORS else None
        self._varieties = None if labels is None else _varieties(self._features, labels)

    def score(
        self, generated: torch.Tensor, labels: torch.Tensor | None = None
    ) -> dict[str, float]:
        """Return e3_distance (Fréchet, lower is better), e3_precision and e3_recall.

        With the labels that were requested, class_variety is the least spread of the features
        inside a class, as a share of the real one, and least_varied that class.
        """
        features = checkpoint_features(generated)
        scores = {DISTANCE: frechet_distance(moments(features), self._moments)}
        if self._radii is not None:
            found = prdc(self._features, features, NEIGHBORS, self._radii)
            scores |= {"e3_precision": found.precision, "e3_recall": found.recall}
        if self._varieties and labels is not None:
            drawn = _varieties(features, labels)
            shares = {c: drawn[c] / real for c, real in self._varieties.items() if c in drawn}
            if shares:
                least = min(shares, key=lambda c: shares[c])
                scores |= {VARIETY: shares[least], "least_varied": float(least)}
        return scores


def _varieties(features: np.ndarray, labels: torch.Tensor) -> dict[int, float]:
    """Return the mean standard deviation of the features inside each class."""
    classes, counts = np.unique(labels.cpu().numpy(), return_counts=True)
    return {
        int(c): float(features[labels.cpu().numpy() == c].std(axis=0).mean())
        for c, count in zip(classes, counts, strict=True)
        if count >= LEAST_OF_A_CLASS
    }
