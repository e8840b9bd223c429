"""Data sets made from others: three MNISTs as colors, and scikit-learn's small digits enlarged."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from inkgan import rng
from inkgan.data.dataset_spec import Reader, ReadRequest
from inkgan.images import to_levels
from inkgan.types import Float64, UInt8


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
    table = _uci_table()
    small = torch.from_numpy(table[:, :64]).view(-1, 1, 8, 8).float().mul(255 / 16)
    large = F.interpolate(small, size=(20, 20), mode="bicubic", align_corners=False)
    framed = F.pad(to_levels(large), (4, 4, 4, 4))
    part = slice(0, 1500) if request.split == "train" else slice(1500, None)
    return framed[part].permute(0, 2, 3, 1).numpy(), table[part, 64].astype(np.int64)


def _uci_table() -> Float64:
    """Return pixels and label of each digit, float64 (1797, 65).

    To import scikit-learn takes a second and a half, so its file is read without it.
    """
    found = importlib.util.find_spec("sklearn")
    folder = Path(found.origin).parent if found and found.origin else Path()
    path = folder / "datasets" / "data" / "digits.csv.gz"
    if path.is_file():
        return np.loadtxt(path, delimiter=",")
    from sklearn.datasets import load_digits  # which knows where it is now

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target])
