"""The variety inside a batch, the quantity that tells a collapse first."""

import torch
import torch.nn.functional as F


def spread(images: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Measure how images (n, C, H, W) vary: the standard deviation of a pixel, over all pixels.

    With classes it is that around the mean of the image's own class: a generator that draws one
    image a class varies over the batch as real images do, and not at all within a class.
    """
    pixels = images.flatten(1)
    if not classes:
        # E[x^2] - E[x]^2, in two passes; pixels lie in [-1, 1], so nothing cancels badly
        variance = pixels.square().mean(dim=0) - pixels.mean(dim=0).square()
        return variance.clamp(min=0).mul(len(pixels) / (len(pixels) - 1)).sqrt().mean()
    belongs = F.one_hot(labels, classes).to(pixels.dtype)
    counts = belongs.sum(dim=0)
    means = belongs.t() @ pixels / counts.clamp(min=1)[:, None]
    present = (counts > 0).sum()
    squares = (pixels - means[labels]).square().sum(dim=0)
    return (squares / (len(pixels) - present).clamp(min=1)).sqrt().mean()
