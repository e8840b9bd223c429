"""Balanced consistency regularisation (bCR): a small shift is not to change a logit.

Zhao et al. 2021, "Improved Consistency Regularization for GANs", algorithm 1, with one weight for
real images and fakes. The generator's step is left alone. What that costs: a discriminator that is
blind to shifts lets the generator draw its digits a little off their place (Karras et al. 2020,
"Training Generative Adversarial Networks with Limited Data", section 2.1).
"""

import torch

from inkgan.objective.diffaug import shifted
from inkgan.objective.penalties import Critic

PIXELS = 2  # the largest shift along each axis


def inconsistency(
    discriminator: Critic, images: torch.Tensor, labels: torch.Tensor, logits: torch.Tensor
) -> torch.Tensor:
    """Return (D(T(x)) - D(x))^2 of each image, (n,); `logits` is D(x) with its graph."""
    return (discriminator(shifted(images, PIXELS, PIXELS), labels) - logits).square()
