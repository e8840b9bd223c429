"""A run folder: everything that one training run writes and reads."""

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inkgan import files, images
from inkgan.config import Recipe, serialize
from inkgan.documents import check_document
from inkgan.errors import ArtifactError, ConfigError
from inkgan.io import tensors as tensor_files
from inkgan.io.bundle import load_bundle
from inkgan.io.bundle_migration import migrate_checkpoint
from inkgan.io.checkpoint_document import CheckpointDocument
from inkgan.io.metrics_file import Row, read_rows, to_line
from inkgan.io.run_paths import RECIPE, RunPaths
from inkgan.types import GeneratorFactory, UInt8

CHECKPOINT = "checkpoint"
# What may change when a run is resumed: its length, and how often it is sampled and evaluated.
FLEXIBLE = {
    "schedule.epochs",
    "schedule.images",
    "schedule.sample_interval",
    "schedule.evaluation_interval",
    "notes",
}


class RunFolder(RunPaths):
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
        super().__init__(path)
        self.recipe, self.generator_class = recipe, generator_class

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
            cls.open(path).check_recipe(recipe)
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

    def check_recipe(self, recipe: Recipe) -> None:
        """Refuse a recipe that differs from the run's own in more than its length and intervals.

        Raises:
            ArtifactError: names what differs.
        """
        if changes := _changes(self.recipe, recipe):
            raise ArtifactError(
                f"`out` {self.path} has a run of another recipe: {changes}; choose another folder"
            )

    def is_complete(self, recipe: Recipe) -> bool:
        """Tell whether the run has reached the end of a recipe and left its generator.

        It says so without checkpoints, which a copy from another machine may lack. A run that was
        made longer may still have the generator of its former end.

        Args:
            recipe: may be longer than the one that was trained here.

        Raises:
            ArtifactError: the generator's file is damaged.
        """
        schedule, rows = recipe.schedule, self.rows()
        if not rows or not self.bundle_path.is_file():
            return False
        images, epoch = rows[-1]["images"], rows[-1].get("epoch", 0.0)
        if not (epoch >= schedule.epochs or images >= (schedule.images or math.inf)):
            return False
        return bool(load_bundle(self.bundle_path).images_seen == images)

    # --- metrics.jsonl: one JSON object a line, in the order of the steps ---

    def rows(self) -> list[Row]:
        """Read all metrics, without damaged lines (`inkgan.io.metrics_file`)."""
        return read_rows(self.metrics_path)

    def append(self, row: Mapping[str, Any]) -> None:
        """Add one line of metrics.

        Raises:
            ArtifactError: the file cannot be written.
        """
        try:
            with self.metrics_path.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(to_line(row))
        except OSError as error:
            raise ArtifactError(f"cannot write {self.metrics_path}: {error.strerror}") from error

    def rewind(self, step: int) -> None:
        """Remove what was recorded after a step; resuming from there records it again."""
        kept = [to_line(row) for row in self.rows() if row["step"] <= step]
        if self.metrics_path.is_file():
            files.write_text(self.metrics_path, "".join(kept))
        for picture in self.frames():
            if self.step_of(picture) > step:
                picture.unlink()

    def read_frame(self, path: Path) -> UInt8 | None:
        """Read a sample grid; None, with a DamagedFileWarning, where the file is damaged."""
        try:
            return images.read_picture(path)
        except Exception:  # Pillow raises some dozen kinds
            text = f"{path} is no readable picture and is left out"
            warnings.warn(text, files.DamagedFileWarning, stacklevel=2)
            return None

    def has_frame(self, step: int) -> bool:
        """Return whether the sample grid of a step can be read; else it is to be drawn again."""
        path = self.frame_path(step)
        return path.exists() and self.read_frame(path) is not None

    # --- checkpoints ---

    def save_checkpoint(
        self, name: str, tensors: Mapping[str, torch.Tensor], counters: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint, whole or not at all."""
        recipe = self.recipe.model_dump(mode="json")
        path, document = self.checkpoint_path(name), {"counters": dict(counters), "recipe": recipe}
        check_document(CheckpointDocument, document, path, problem="cannot be written")
        tensor_files.write(path, tensors, {"kind": CHECKPOINT, **document})

    def load_checkpoint(self, name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """Read a checkpoint, or None where there is none yet.

        Raises:
            ArtifactError: it is damaged, or of another run, or it is gone although the run has got
                further; the message says from what else the run can resume.
        """
        path = self.checkpoint_path(name)
        if not path.exists():
            if name == "last" and any(row["step"] > 0 for row in self.rows()):
                raise self.refusal(name, f"{path} is gone, although the run has been trained")
            return None
        try:
            tensors, document = tensor_files.read(path, CHECKPOINT)
            counters = document.get("counters")
            if isinstance(counters, Mapping):
                tensors, counters = migrate_checkpoint(tensors, counters)
            values = check_document(CheckpointDocument, {**document, "counters": counters}, path)
            if values.recipe is not None:
                saved = serialize.parse_recipe(values.recipe, str(path), unregistered=True)
                if changes := _changes(saved, self.recipe):
                    raise ArtifactError(f"{path} is of another recipe: {changes}")
        except (ArtifactError, ConfigError) as error:
            raise self.refusal(name, str(error)) from error
        return tensors, values.counters.model_dump()

    def refusal(self, name: str, reason: str) -> ArtifactError:
        """Return the error for a checkpoint that cannot be used, with the way out."""
        if name != "last":
            return ArtifactError(f"{reason}; the last checkpoint does not need it")
        best = self.checkpoint_path("best")
        try:
            step = tensor_files.read(best, CHECKPOINT)[1]["counters"]["step"]
            seen = f"{step * self.recipe.schedule.images_per_step:,} images"
        except (ArtifactError, KeyError, TypeError):
            return ArtifactError(f"{reason}; nothing else is saved: train in another folder")
        return ArtifactError(
            f"{reason}; to resume from the best checkpoint, after {seen}, copy {best} over "
            f"{self.checkpoint_path(name).name}"
        )


def _changes(existing: Recipe, requested: Recipe) -> str:
    """Name fields that differ and may not; nothing where there are none."""
    changes = [d for d in serialize.differences(existing, requested) if d[0] not in FLEXIBLE]
    shown = ", ".join(f"`{key}` = {old!r} (now {new!r})" for key, old, new in changes[:3])
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    return f"{shown}{more}"
