"""Distances between two sets of images or features."""

import torch

from inkgan import rng

DIRECTIONS = 128


def sliced_wasserstein(one: torch.Tensor, other: torch.Tensor, directions: torch.Tensor) -> float:
    """Measure the sliced Wasserstein-1 distance of two sets of points (n, d) and (m, d).

    `directions` (k, d) are the lines projected on; the k one-dimensional distances, each the mean
    gap between the sorted projections, are averaged (Rabin et al. 2011, section 2.3). Sets of
    different size are compared at min(n, m) quantiles. In the points' own unit.

    Raises:
        ValueError: a set is empty or the dimensions differ.
    """
    if not len(one) or not len(other) or one.shape[1] != other.shape[1]:
        raise ValueError(f"cannot compare point sets {tuple(one.shape)} and {tuple(other.shape)}")
    unit = torch.nn.functional.normalize(directions.double(), dim=1)
    quantiles = (torch.arange(min(len(one), len(other))) + 0.5) / min(len(one), len(other))
    projected = [
        _quantiles(points.flatten(1).double() @ unit.T, quantiles) for points in (one, other)
    ]
    return float((projected[0] - projected[1]).abs().mean())


def _quantiles(projections: torch.Tensor, quantiles: torch.Tensor) -> torch.Tensor:
    ordered = projections.sort(dim=0).values
    places = (quantiles.to(ordered.device) * len(ordered)).long().clamp(max=len(ordered) - 1)
    return ordered[places]


def checkpoint_score(fakes: torch.Tensor, real: torch.Tensor) -> float:
    """Score a checkpoint by its images' distance to real ones, both uint8 (n, C, H, W).

    The sliced Wasserstein distance of pixels in [0, 1] along fixed random directions: cheap, the
    same for every data set, and blind to much. Lower is better.
    """
    points = [images.flatten(1).cpu().float() / 255 for images in (fakes, real)]
    dimension = points[0].shape[1]
    directions = torch.randn(DIRECTIONS, dimension, generator=rng.generator(0, "score"))
    return sliced_wasserstein(points[0], points[1], directions)
