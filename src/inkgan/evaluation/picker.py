"""Scores of a checkpoint on the way, by E3 alone: what picks a checkpoint must not judge it."""

import torch

from inkgan.evaluation.extractors import picker_features
from inkgan.evaluation.frechet import frechet_distance, moments
from inkgan.evaluation.manifold import manifold, radii

NEIGHBOURS = 5
DISTANCE = "e3_distance"


class Picker:
    """Scores sets of images against the same real ones, uint8 (n, C, H, W) both."""

    def __init__(self, real: torch.Tensor) -> None:
        self._features = picker_features(real)
        self._moments = moments(self._features)
        self._radii = radii(self._features, NEIGHBOURS) if len(real) > NEIGHBOURS else None

    def score(self, fakes: torch.Tensor) -> dict[str, float]:
        """Return e3_distance (Fréchet, lower is better), e3_precision and e3_recall."""
        features = picker_features(fakes)
        scores = {DISTANCE: frechet_distance(moments(features), self._moments)}
        if self._radii is not None:
            found = manifold(self._features, features, NEIGHBOURS, self._radii)
            scores |= {"e3_precision": found.precision, "e3_recall": found.recall}
        return scores
