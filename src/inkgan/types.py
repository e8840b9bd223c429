"""Types that many modules share: progress callback, array aliases, network factories."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import nn

Progress = Callable[[str, int, int], None]
"""Called as `progress(what, done, total)`; `total` is 0 where it is not known."""

Clock = Literal["wall", "processor"]
"""What seconds of training are: the time that passes, or that of this process's threads."""

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

ImageShape = tuple[int, int, int]  # channels, height, width
GeneratorFactory = Callable[[int, ImageShape, int], "nn.Module"]
"""Called as `factory(latent_dim, image_shape, num_classes)`; see `inkgan.models.custom`."""
DiscriminatorFactory = Callable[[ImageShape, int], "nn.Module"]
"""Called as `factory(image_shape, num_classes)`; see `inkgan.models.custom`."""


def silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody: the default of every `progress` parameter."""
