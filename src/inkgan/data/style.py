"""How each image is written, for training: slant, stroke thickness and width as ranks in its class.

Cheap, batched stand-ins for the measures of `inkgan.evaluation.strokes`, in the same order within a
class (docs/log.md has the rank correlations) at some hundred times the speed.
"""

import torch
import torch.nn.functional as F

STYLES = ("slant", "thickness", "width")
CHUNK = 4096  # images at once: 26 MB in float64 at 28 x 28


def style_ranks(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Rank images uint8 (n, C, H, W) by each of STYLES within their class, as normal scores (n, 3).

    A score is float32 and standard normal over each class: the normal quantile of
    (rank - 1/2) / (images of the class), where equal images share the mean of their ranks
    (Blom 1958, with alpha = 1/2). Labels are int64 (n,).

    Raises:
        ValueError: not uint8 images with one label each.
    """
    if len(labels) != len(images):
        raise ValueError(f"{len(images)} images need as many labels, got {len(labels)}")
    styles = measure_styles(images)
    scores = torch.empty(styles.shape, device=styles.device)
    for label in labels.unique():
        members = labels == label
        scores[members] = torch.stack(
            [normal_scores(column) for column in styles[members].unbind(1)], dim=1
        ).float()
    return scores


def normal_scores(values: torch.Tensor) -> torch.Tensor:
    """Turn values (n,) into the standard-normal quantiles, float64, of their average ranks."""
    _, place, counts = values.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    rank = last - (counts - 1) / 2
    return torch.special.ndtri((rank - 0.5) / len(values))[place]


def measure_styles(images: torch.Tensor) -> torch.Tensor:
    """Measure slant, thickness and width of images uint8 (n, C, H, W), float64 (n, 3).

    Slant is the tangent of the angle from the vertical, positive where a digit leans to the right;
    thickness and width are in pixels. A blank image has 0 in all three.

    Raises:
        ValueError: not uint8 images (n, C, H, W).
    """
    if images.ndim != 4 or images.dtype != torch.uint8:
        raise ValueError(f"needs uint8 images (n, C, H, W), got {images.dtype} {images.shape}")
    if not len(images):
        return torch.empty(0, len(STYLES), dtype=torch.float64, device=images.device)
    return torch.cat([_measure(chunk) for chunk in images.split(CHUNK)])


def _measure(images: torch.Tensor) -> torch.Tensor:
    ink = images.double().mean(1) / 255
    mass = ink.sum((1, 2))
    x_variance, covariance, y_variance = _second_moments(ink, mass)
    shear = torch.where(y_variance > 0, -covariance / y_variance, 0.0)
    # A shear takes the part of x that goes with y out of its variance: the residual of a regression.
    upright = (x_variance + shear * covariance).clamp(min=0).sqrt()
    # A stroke of thickness t and length l has ink l t and boundary 2 l.
    boundary = _total_variation(ink)
    thickness = torch.where(boundary > 0, 2 * mass / boundary, 0.0)
    return torch.stack([shear, thickness, upright], dim=1)


def _second_moments(ink: torch.Tensor, mass: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the central moments mu20, mu11, mu02 (n,) over the mass; 0 where there is none."""
    height, width = ink.shape[1:]
    x = torch.arange(width, dtype=ink.dtype, device=ink.device) - (width - 1) / 2
    y = torch.arange(height, dtype=ink.dtype, device=ink.device) - (height - 1) / 2
    mass = mass.clamp(min=1e-12)
    columns, rows = ink.sum(1), ink.sum(2)
    mean_x, mean_y = columns @ x / mass, rows @ y / mass
    return (
        columns @ x**2 / mass - mean_x**2,
        (ink @ x) @ y / mass - mean_x * mean_y,
        rows @ y**2 / mass - mean_y**2,
    )


def _total_variation(ink: torch.Tensor) -> torch.Tensor:
    """Sum the length of the gradient over each image (n,): the boundary's length in pixels.

    The gradient stands between four pixels (Roberts 1963), so that no direction is favoured.
    """
    padded = F.pad(ink, (1, 1, 1, 1))
    falling = padded[:, 1:, 1:] - padded[:, :-1, :-1]
    rising = padded[:, 1:, :-1] - padded[:, :-1, 1:]
    return (falling**2 + rising**2).div(2).sqrt().sum((1, 2))
