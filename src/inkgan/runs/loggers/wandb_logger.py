"""Weights & Biases, offline unless WANDB_MODE says otherwise."""

import os
import uuid
from collections.abc import Mapping

from inkgan import files
from inkgan.optional_imports import import_extra
from inkgan.runs.loggers.run_logger import LoggedRun, environment
from inkgan.types import UInt8

KEY, PROJECT = "wandb", "inkgan"
QUIET = {"WANDB_ERROR_REPORTING": "false", "WANDB_SILENT": "true"}


class WandbLogger:
    """Records in the folder `wandb` of the run folder; `wandb sync` uploads it.

    WANDB_MODE=online sends everything at once instead, except under INKGAN_OFFLINE. The other
    variables of Weights & Biases hold too. The horizontal axis is the number of images seen.
    """

    def __init__(self, run: LoggedRun) -> None:
        mode = "offline" if files.is_offline() else os.environ.get("WANDB_MODE", "offline")
        identity = run.known_id(KEY) or uuid.uuid4().hex[:12]
        with environment(QUIET if mode == "offline" else {}):
            self._wandb = import_extra("wandb", "wandb", "`logger='wandb'`")
            self._run = self._wandb.init(
                mode=mode,
                dir=str(run.folder),
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                id=identity,
                name=run.name,
                resume="allow",
                config=dict(run.recipe),
                settings=self._wandb.Settings(
                    silent=True, console="off", disable_git=True, save_code=False
                ),
            )
        run.keep_id(KEY, identity)
        self._run.define_metric("images")
        self._run.define_metric("*", step_metric="images")

    def scalars(self, images: int, values: Mapping[str, float]) -> None:
        """Record numbers at a count of images seen."""
        self._run.log({"images": images, **values})

    def picture(self, images: int, grid: UInt8) -> None:
        """Record a grid at a count of images seen."""
        self._run.log({"images": images, "samples": self._wandb.Image(grid)})

    def close(self, complete: bool) -> None:
        """Write out what is left."""
        self._run.finish(exit_code=0 if complete else 1)
