"""FID by the Inception network of pytorch-fid: for comparison with papers, not with digits in mind.

An extra (inkgan[inception]): the network's weights are not ours, and come over the network.
"""

import importlib
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from inkgan.errors import ConfigError
from inkgan.optional_imports import missing_extra
from inkgan.types import Float64, Progress, UInt8, silent

CHUNK = 50  # images, as pytorch-fid's own default
Network = Callable[[torch.Tensor], list[torch.Tensor]]


def load_inception() -> nn.Module:
    """Load pytorch-fid's Inception with its 2,048 pooled features; it downloads its weights.

    Raises:
        ConfigError: the extra is not installed, or the weights cannot be had.
    """
    try:
        module = importlib.import_module("pytorch_fid.inception")
    except Exception as error:  # torchvision without a matching torch fails in many ways
        raise missing_extra("pytorch_fid", "inception", "`inception`", error) from error
    try:
        network: nn.Module = module.InceptionV3([module.InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    except Exception as error:  # the download, whatever library does it
        raise ConfigError(
            f"`inception`: the network's weights cannot be had: {error}; they need a connection "
            "once, or use `inception=False`"
        ) from error
    return network.eval().requires_grad_(False)


@torch.no_grad()
def inception_features(
    pixels: UInt8, network: Network, progress: Progress = silent, what: str = "Inception"
) -> Float64:
    """Return the features (n, d) of uint8 images (n, H, W) or (n, H, W, 3).

    `network` takes RGB in [0, 1], enlarges it itself, and returns a list whose first entry is
    (n, d, h, w); where h and w are not 1 they are averaged, as pytorch-fid does.
    """
    parts = []
    for start in range(0, len(pixels), CHUNK):
        chunk = torch.from_numpy(np.ascontiguousarray(pixels[start : start + CHUNK]))
        images = chunk[:, None].expand(-1, 3, -1, -1) if chunk.ndim == 3 else chunk.movedim(3, 1)
        features = network(images.float() / 255)[0]
        parts.append(F.adaptive_avg_pool2d(features, 1).flatten(1).double())
        progress(what, min(start + CHUNK, len(pixels)), len(pixels))
    found: Float64 = torch.cat(parts).cpu().numpy()
    return found
