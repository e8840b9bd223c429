"""Names of the files in a run folder. This module does not import torch."""

import re
from pathlib import Path

from inkgan.errors import ArtifactError
from inkgan.printable import is_utf8, path_line

RECIPE = "recipe.toml"
FRAME = re.compile(r"step-([0-9]{8,18})\.png")


def require_utf8(folder: Path) -> None:
    """Refuse a folder whose name is no UTF-8: safetensors cannot open files in it.

    Raises:
        ArtifactError: names the parameter `out`.
    """
    if not is_utf8(str(folder)):
        raise ArtifactError(f"`out` {path_line(folder)} is not UTF-8 text; choose another name")


class RunPaths:
    """The files of one run folder by name; none of them has to exist.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def recipe_path(self) -> Path:
        """What is trained."""
        return self.path / RECIPE

    @property
    def bundle_path(self) -> Path:
        """The trained generator, a bundle."""
        return self.path / "generator.safetensors"

    @property
    def metrics_path(self) -> Path:
        """Metrics, one JSON object a line."""
        return self.path / "metrics.jsonl"

    @property
    def environment_path(self) -> Path:
        """Versions, machine, number of threads and digest of the data."""
        return self.path / "environment.json"

    @property
    def samples_path(self) -> Path:
        """The folder of the sample grids."""
        return self.path / "samples"

    @property
    def timeline_path(self) -> Path:
        """The sample grids as an animation."""
        return self.path / "timeline.gif"

    @property
    def curves_path(self) -> Path:
        """The training curves."""
        return self.path / "curves.png"

    @property
    def grid_path(self) -> Path:
        """A grid of the trained generator's samples."""
        return self.path / "grid.png"

    def checkpoint_path(self, name: str) -> Path:
        """Name a checkpoint: last or best."""
        return self.path / "checkpoints" / f"{name}.safetensors"

    # --- sample grids, one each for a number of steps ---

    def frame_path(self, step: int) -> Path:
        """Name the sample grid of a step."""
        return Path(self.samples_path / f"step-{step:08d}.png")

    def frames(self) -> list[Path]:
        """List the sample grids, oldest first; other files beside them are not touched."""
        found = {path: FRAME.fullmatch(path.name) for path in self.samples_path.glob("step-*.png")}
        steps = {path: int(match[1]) for path, match in found.items() if match}
        return sorted(steps, key=lambda path: steps[path])

    @staticmethod
    def step_of(frame: Path) -> int:
        """Return the step whose sample grid this is."""
        return int(frame.stem.removeprefix("step-"))
