"""Curves and grids for TensorBoard, where it is installed."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from inkgan.types import UInt8


class Log(Protocol):
    """Somewhere else to show a run's numbers and pictures."""

    def scalars(self, images: int, values: Mapping[str, Any]) -> None:
        """Record numbers at a count of images seen."""

    def picture(self, images: int, grid: UInt8) -> None:
        """Record a grid at a count of images seen."""

    def close(self) -> None:
        """Write out what is left."""


class NoLog:
    """Records nothing."""

    def scalars(self, images: int, values: Mapping[str, Any]) -> None:
        """Record nothing."""

    def picture(self, images: int, grid: UInt8) -> None:
        """Record nothing."""

    def close(self) -> None:
        """Write nothing."""


class TensorBoard:
    """Records for TensorBoard; what a killed run wrote beyond `images` is hidden."""

    def __init__(self, folder: Path, images: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=images)

    def scalars(self, images: int, values: Mapping[str, Any]) -> None:
        """Record numbers at a count of images seen."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, images)

    def picture(self, images: int, grid: UInt8) -> None:
        """Record a grid at a count of images seen."""
        layout = "HW" if grid.ndim == 2 else "HWC"
        self._writer.add_image("samples", grid, images, dataformats=layout)

    def close(self) -> None:
        """Write out what is left."""
        self._writer.close()


def open_log(folder: Path, images: int) -> Log:
    """Return TensorBoard's log if that is installed, otherwise one that records nothing."""
    if importlib.util.find_spec("tensorboard") is None:
        return NoLog()
    return TensorBoard(folder, images)
