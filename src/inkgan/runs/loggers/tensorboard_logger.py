"""Curves and grids for TensorBoard."""

from collections.abc import Mapping

from inkgan.runs.loggers.run_logger import LoggedRun
from inkgan.types import UInt8

FOLDER = "tensorboard"  # in the run folder


class TensorBoardLogger:
    """Records for TensorBoard; what a killed run wrote beyond its checkpoint is hidden."""

    def __init__(self, run: LoggedRun) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(run.folder / FOLDER), purge_step=run.images)

    def scalars(self, images: int, values: Mapping[str, float]) -> None:
        """Record numbers at a count of images seen."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, images)

    def picture(self, images: int, grid: UInt8) -> None:
        """Record a grid at a count of images seen."""
        layout = "HW" if grid.ndim == 2 else "HWC"
        self._writer.add_image("samples", grid, images, dataformats=layout)

    def close(self, complete: bool) -> None:
        """Write out what is left."""
        self._writer.close()
