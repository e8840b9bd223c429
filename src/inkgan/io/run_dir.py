"""A run folder: everything that one training run leaves, and the lock that guards it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inkgan import files
from inkgan.config import Recipe
from inkgan.config import serialize as toml
from inkgan.errors import ArtifactError
from inkgan.io import tensors as tensor_files
from inkgan.io.migrate import migrate_checkpoint, migrate_metrics_row

CHECKPOINT = "checkpoint"
# What may change when a run goes on: for how long, and how often it is looked at.
FLEXIBLE = {
    "schedule.epochs",
    "schedule.images",
    "schedule.sample_interval",
    "schedule.evaluation_interval",
    "notes",
}
Row = dict[str, Any]


class Run:
    """Paths and records of a run folder.

    Attributes:
        path: the folder.
        recipe: what is trained in it.
    """

    def __init__(self, path: Path, recipe: Recipe) -> None:
        self.path, self.recipe = path, recipe

    bundle_path = property(lambda self: self.path / "generator.safetensors")
    metrics_path = property(lambda self: self.path / "metrics.jsonl")
    environment_path = property(lambda self: self.path / "environment.json")
    samples_path = property(lambda self: self.path / "samples")
    timeline_path = property(lambda self: self.path / "timeline.gif")
    curves_path = property(lambda self: self.path / "curves.png")
    grid_path = property(lambda self: self.path / "grid.png")

    @classmethod
    def create_or_open(cls, path: Path, recipe: Recipe) -> "Run":
        """Begin a run in an empty folder, or go on with the run of the same recipe in it.

        Raises:
            ArtifactError: the folder holds something else, or a run of another recipe.
        """
        if (path / "checkpoints").is_dir():
            _refuse_other_recipe(path, cls.open(path).recipe, recipe)
        elif not (path / "recipe.toml").is_file() and any(
            not p.name.startswith(".") for p in path.iterdir()
        ):
            raise ArtifactError(f"--out {path} is not empty and no run folder; name another one")
        files.write_text(path / "recipe.toml", toml.to_toml(recipe))
        return cls(path, recipe)

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Open an existing run.

        Raises:
            ArtifactError: it is no run folder.
        """
        recipe_path = path / "recipe.toml"
        if not recipe_path.is_file():
            raise ArtifactError(f"{path} is no run folder: it has no recipe.toml")
        text = recipe_path.read_text(encoding="utf-8")
        return cls(path, toml.from_toml(text, str(recipe_path), unregistered=True))

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
        """Forget what was recorded after a step: resuming from there will record it again."""
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


def _refuse_other_recipe(path: Path, held: Recipe, asked: Recipe) -> None:
    changed = [d for d in toml.differences(held, asked) if d[0] not in FLEXIBLE]
    if changed:
        shown = ", ".join(f"{key} = {old!r} (asked: {new!r})" for key, old, new in changed[:3])
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise ArtifactError(
            f"--out {path} holds a run of another recipe: {shown}{more}; use another --out"
        )
