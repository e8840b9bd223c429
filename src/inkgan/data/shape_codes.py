"""Codes of the shapes of training images: principal components, made standard normal.

Images with nearly the same codes look alike, and codes drawn from a standard normal distribution
are distributed as those of real images. So a generator whose images have the codes that it was
asked for draws shapes as varied as the real ones.
"""

from collections.abc import Iterator, Sequence

import torch

from inkgan.data.coupling_flow import Context, fit_flow
from inkgan.data.stroke_ranks import normal_scores
from inkgan.errors import ConfigError

RIDGE = 1e-3  # added to the sums of squares, where a class has fewer images than there are terms
CHUNK = 4096  # images at once: 26 MB in float64 at 28 x 28


def shape_codes(
    images: torch.Tensor, labels: torch.Tensor, styles: torch.Tensor, count: int
) -> torch.Tensor:
    """Give each image codes that are standard normal, whatever its class and style.

    In each class the pixels are regressed on the styles, their squares and products. What is left
    is projected on its first principal components, which are the same for all classes, and made
    normal by a flow that knows class and style (`inkgan.data.coupling_flow`).

    Args:
        images: uint8 (n, C, H, W).
        labels: int64 (n,).
        styles: scores (n, s) that the codes shall not repeat; s may be 0.
        count: number of codes, at most the number of pixels.

    Returns:
        Codes float32 (n, count).

    Raises:
        ConfigError: more codes than pixels.

    Examples:
        >>> images = torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8)
        >>> shape_codes(images, torch.zeros(50, dtype=torch.int64), torch.zeros(50, 0), 3).shape
        torch.Size([50, 3])
    """
    pixels = images[0].numel()
    if count > pixels:
        raise ConfigError(f"`model.shape_codes={count}` is more than the {pixels} pixels there are")
    classes = [torch.nonzero(labels == label)[:, 0] for label in labels.unique()]
    weights = [_regression(images, styles, members) for members in classes]
    covariance = torch.zeros(pixels, pixels, dtype=torch.float64, device=images.device)
    for members, of_class in zip(classes, weights, strict=True):
        for rest in _residuals(images, styles, members, of_class):
            covariance += rest.T @ rest
    components = _components(covariance, count)
    scores = torch.zeros(len(images), count, dtype=torch.float64, device=images.device)
    for members, of_class in zip(classes, weights, strict=True):
        parts = [rest @ components for rest in _residuals(images, styles, members, of_class)]
        scores[members] = torch.cat(parts)
    return _gaussianized(scores, styles, labels, classes).to(images.device)


def _gaussianized(
    scores: torch.Tensor,
    styles: torch.Tensor,
    labels: torch.Tensor,
    classes: Sequence[torch.Tensor],
) -> torch.Tensor:
    """Make scores standard normal, given the style and in each class; float32, on the CPU."""
    found, scores = scores.cpu().float(), scores.cpu()
    for members in classes:
        found[members.cpu()] = _normal_columns(scores[members.cpu()])
    context = Context(styles.cpu(), labels.unique(return_inverse=True)[1].cpu())
    codes: torch.Tensor = fit_flow(found, context)(found, context)[0]
    for members in classes:
        codes[members.cpu()] = _normal_columns(codes[members.cpu()])
    return codes


def _normal_columns(scores: torch.Tensor) -> torch.Tensor:
    return torch.stack([normal_scores(column) for column in scores.unbind(1)], dim=1).float()


def _regression(images: torch.Tensor, styles: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
    """Return the weights (terms, pixels) of a class's pixels on its styles."""
    products, targets = torch.zeros(()), torch.zeros(())
    for chunk in members.split(CHUNK):
        terms = _terms(styles[chunk])
        products = products.to(terms) + terms.T @ terms
        targets = targets.to(terms) + terms.T @ _pixels(images[chunk])
    ridge = RIDGE * torch.eye(len(products), dtype=products.dtype, device=products.device)
    weights: torch.Tensor = torch.linalg.solve(products + ridge, targets)
    return weights


def _residuals(
    images: torch.Tensor, styles: torch.Tensor, members: torch.Tensor, weights: torch.Tensor
) -> Iterator[torch.Tensor]:
    """Yield what the styles do not explain of a class's pixels, some images at a time."""
    for chunk in members.split(CHUNK):
        yield _pixels(images[chunk]) - _terms(styles[chunk]) @ weights


def _pixels(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1).double() / 255


def _terms(styles: torch.Tensor) -> torch.Tensor:
    """Return 1, the styles, their squares and products, float64 (n, terms)."""
    factors = torch.cat([styles.new_ones(len(styles), 1), styles], dim=1).double()
    first, second = torch.triu_indices(factors.shape[1], factors.shape[1]).unbind()
    return factors[:, first] * factors[:, second]


def _components(covariance: torch.Tensor, count: int) -> torch.Tensor:
    """Return the first principal axes (pixels, count); the largest weight of each is positive."""
    axes = torch.linalg.eigh(covariance)[1].flip(1)[:, :count]
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    oriented: torch.Tensor = axes * largest.sign()
    return oriented
