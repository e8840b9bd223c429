"""A run folder: everything that one training run writes and reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inkgan import files
from inkgan.config import Recipe, serialize
from inkgan.errors import ArtifactError
from inkgan.io import tensors as tensor_files
from inkgan.io.bundle_migration import migrate_checkpoint, migrate_metrics_row
from inkgan.types import GeneratorFactory

CHECKPOINT = "checkpoint"
RECIPE = "recipe.toml"
# What may change when a run is resumed: its length, and how often it is sampled and evaluated.
FLEXIBLE = {
    "schedule.epochs",
    "schedule.images",
    "schedule.sample_interval",
    "schedule.evaluation_interval",
    "notes",
}
Row = dict[str, Any]


class RunFolder:
    """Paths and records of a run folder.

    Attributes:
        path: the folder.
        recipe: what is trained in it.
        generator_class: of a generator of the user's own, where this process was given it; it is
            not stored.
    """

    def __init__(
        self, path: Path, recipe: Recipe, generator_class: GeneratorFactory | None = None
    ) -> None:
        self.path, self.recipe, self.generator_class = path, recipe, generator_class

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

    @classmethod
    def create_or_open(cls, path: Path, recipe: Recipe) -> "RunFolder":
        """Start a run in an empty folder, or resume the run of the same recipe in it.

        Args:
            path: an existing folder.
            recipe: may differ from the run's own in its length and intervals only.

        Raises:
            ArtifactError: the folder contains something else, or a run of another recipe.
        """
        if (path / "checkpoints").is_dir():
            _refuse_other_recipe(path, cls.open(path).recipe, recipe)
        elif not (path / RECIPE).is_file() and any(
            not p.name.startswith(".") for p in path.iterdir()
        ):
            raise ArtifactError(f"`out` {path} is not empty and no run folder; choose another")
        files.write_text(path / RECIPE, serialize.to_toml(recipe))
        return cls(path, recipe)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open an existing run.

        Raises:
            ArtifactError: it is no run folder.
        """
        recipe_path = path / RECIPE
        if not recipe_path.is_file():
            raise ArtifactError(f"{path} is no run folder: it has no recipe.toml")
        return cls(path, serialize.read_recipe(recipe_path, unregistered=True))

    # --- metrics.jsonl: one JSON object a line, in the order of the steps ---

    def rows(self) -> list[Row]:
        """Read all metrics; a last line that a kill cut short is left out."""
        if not self.metrics_path.is_file():
            return []
        lines = self.metrics_path.read_text(encoding="utf-8").split("\n")
        return [migrate_metrics_row(json.loads(line)) for line in lines[:-1] if line]

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one line of metrics.

        Raises:
            ArtifactError: the file cannot be written.
        """
        try:
            with self.metrics_path.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(json.dumps(row, allow_nan=True) + "\n")
        except OSError as error:
            raise ArtifactError(f"cannot write {self.metrics_path}: {error.strerror}") from error

    def rewind(self, step: int) -> None:
        """Remove what was recorded after a step; resuming from there records it again."""
        kept = [json.dumps(row) + "\n" for row in self.rows() if row["step"] <= step]
        if self.metrics_path.is_file():
            files.write_text(self.metrics_path, "".join(kept))
        for picture in self.frames():
            if self.step_of(picture) > step:
                picture.unlink()

    # --- sample grids, one each for a number of steps ---

    def frame_path(self, step: int) -> Path:
        """Name the sample grid of a step."""
        return Path(self.samples_path / f"step-{step:08d}.png")

    def frames(self) -> list[Path]:
        """List the sample grids, oldest first."""
        return sorted(self.samples_path.glob("step-*.png"))

    @staticmethod
    def step_of(frame: Path) -> int:
        """Return the step whose sample grid this is."""
        return int(frame.stem.removeprefix("step-"))

    # --- checkpoints ---

    def checkpoint_path(self, name: str) -> Path:
        """Name a checkpoint: last or best."""
        return self.path / "checkpoints" / f"{name}.safetensors"

    def save_checkpoint(
        self, name: str, tensors: Mapping[str, torch.Tensor], counters: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint, whole or not at all."""
        document = {"kind": CHECKPOINT, "counters": dict(counters)}
        tensor_files.write(self.checkpoint_path(name), tensors, document)

    def load_checkpoint(self, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """Read a checkpoint, or None where there is none yet."""
        path = self.checkpoint_path(name)
        if not path.exists():
            return None
        tensors, document = tensor_files.read(path, CHECKPOINT)
        return migrate_checkpoint(tensors, document["counters"])


def _refuse_other_recipe(path: Path, existing: Recipe, requested: Recipe) -> None:
    changes = [d for d in serialize.differences(existing, requested) if d[0] not in FLEXIBLE]
    if changes:
        shown = ", ".join(f"`{key}` = {old!r} (now {new!r})" for key, old, new in changes[:3])
        more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
        raise ArtifactError(
            f"`out` {path} has a run of another recipe: {shown}{more}; choose another folder"
        )
