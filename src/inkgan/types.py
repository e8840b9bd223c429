"""Types that many modules share: the progress callback and the array aliases."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Progress = Callable[[str, int, int], None]
"""Called as `progress(what, done, total)`; `total` is 0 where it is not known."""

Bool = npt.NDArray[np.bool_]
UInt8 = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


def silent(what: str, done: int, total: int) -> None:
    """Report progress to nobody: the default of every `progress` parameter."""
