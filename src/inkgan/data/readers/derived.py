"""Data sets made from others: three MNISTs as colors, and scikit-learn's small digits enlarged."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from inkgan import rng
from inkgan.data.dataset_spec import Reader, ReadRequest
from inkgan.images import to_levels
from inkgan.types import UInt8


def read_stacked(
    read_mnist: Reader, request: ReadRequest
) -> tuple[UInt8, Sequence[int] | np.ndarray]:
    """Stack three shuffled MNISTs as RGB: 1000 classes (Metz et al. 2017, section 3.3.1).

    Each digit occurs once in each channel; the shuffles have fixed addresses (see `inkgan.rng`).

    Args:
        read_mnist: the reader of MNIST.
        request: the split, and where to look.

    Returns:
        Images (n, 28, 28, 3) and labels (n,), the digits of red, green and blue in this order.
    """
    images, labels = read_mnist(request)
    count = len(images)
    shuffles = [rng.generator(0, "stacked-mnist", request.split, channel) for channel in range(3)]
    orders = [torch.randperm(count, generator=shuffle).numpy() for shuffle in shuffles]
    stacked = np.concatenate([images[order] for order in orders], axis=3)
    digits = np.asarray(labels)
    return stacked, 100 * digits[orders[0]] + 10 * digits[orders[1]] + digits[orders[2]]


def read_uci_digits(request: ReadRequest) -> tuple[UInt8, np.ndarray]:
    """Read the 1,797 real 8x8 digits that scikit-learn carries, enlarged to MNIST's frame.

    Values 0 to 16 become 0 to 255; 8x8 becomes 20x20 in the middle of 28x28, as in MNIST. The last
    297 are the test split. (Alpaydin and Kaynak 1998, UCI repository.)
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    small = torch.from_numpy(bunch.images).float().mul(255 / 16)[:, None]
    large = F.interpolate(small, size=(20, 20), mode="bicubic", align_corners=False)
    framed = F.pad(to_levels(large), (4, 4, 4, 4))
    part = slice(0, 1500) if request.split == "train" else slice(1500, None)
    return framed[part].permute(0, 2, 3, 1).numpy(), bunch.target[part]
