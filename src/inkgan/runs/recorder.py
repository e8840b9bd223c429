"""What a run writes: rows of metrics, grids, checkpoints and, in the end, bundle and pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from inkgan import images
from inkgan.config.serialize import flatten
from inkgan.data.batches import Batches
from inkgan.generation.sampling import noise_grid
from inkgan.io.bundle import Bundle, MeasuredScore
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.checkpoint_scorer import DISTANCE
from inkgan.runs.loggers.open_loggers import Loggers
from inkgan.runs.loggers.run_logger import LoggedRun
from inkgan.training.state import TrainState
from inkgan.types import GeneratorFactory


class RunRecorder:
    """Writes the state of a run into its folder.

    Args:
        folder: the run folder.
        batches: of the training images; tells epochs, classes and shape.
        data_sha256: digest of the training images and labels.
        state: the run's state, which is read at each call.
        generator_class: of a generator of one's own.
        loggers: names of those that record the run beside its folder.
    """

    def __init__(
        self,
        folder: RunFolder,
        batches: Batches,
        data_sha256: str,
        state: TrainState,
        generator_class: GeneratorFactory | None = None,
        loggers: Sequence[str] = (),
    ) -> None:
        self.folder, self.batches, self.state = folder, batches, state
        self.data_sha256, self.generator_class = data_sha256, generator_class
        recipe = flatten(folder.recipe.model_dump(mode="json"))
        self._loggers = Loggers(loggers, LoggedRun(folder.path, recipe, self.images_seen))

    @property
    def images_seen(self) -> int:
        """The real images shown to the discriminator so far."""
        return self.state.step * self.batches.batch_size

    @property
    def epoch(self) -> float:
        """The epochs trained so far."""
        return self.state.step / self.batches.per_epoch

    def write_row(self, values: Mapping[str, Any], logged: Mapping[str, float]) -> dict[str, Any]:
        """Append a row to metrics.jsonl, and numbers to the loggers; return the row."""
        row: dict[str, Any] = {
            "step": self.state.step,
            "images": self.images_seen,
            "epoch": round(self.epoch, 4),
            "seconds": round(self.state.seconds, 3),
        }
        row |= values
        self.folder.append(row)
        if logged:
            self._loggers.scalars(self.images_seen, logged)
        return row

    def write_grid(self) -> None:
        """Draw the fixed latents with the averaged generator."""
        picture, seeds = noise_grid(self.state.ema, self.folder.recipe.model)
        path = self.folder.frame_path(self.state.step)
        images.save_png(path, picture, {"images seen": str(self.images_seen), "seeds": seeds})
        self._loggers.picture(self.images_seen, picture)

    def write_checkpoint(self, name: str) -> bool:
        """Write a checkpoint, unless a weight is not finite: then the previous one stays."""
        finite = self.state.is_finite()
        if finite:
            self.folder.save_checkpoint(name, self.state.tensors(), self.state.counters())
        return finite

    def finish(self) -> None:
        """Write checkpoint, curves, grid and time-lapse, and last the bundle, which ends a run."""
        from inkgan.runs.curves import write_pictures  # half a second, where a run ends

        finite = self.write_checkpoint("last")
        write_pictures(self.folder, self.batches.per_epoch)
        if finite:
            self._bundle().save(self.folder.bundle_path)

    def close(self, complete: bool) -> None:
        """Close the loggers; `complete` says whether the run has reached its end."""
        self._loggers.close(complete)

    def _bundle(self) -> Bundle:
        best, dataset = self.state.best_score, self.batches.dataset
        return Bundle(
            recipe=self.folder.recipe,
            shape=dataset.shape,
            classes=dataset.classes,
            weights=self.state.ema.state_dict(),
            images_seen=self.images_seen,
            data_sha256=self.data_sha256,
            scores={} if best is None else {f"best_{DISTANCE}": MeasuredScore(best)},
            generator_class=self.generator_class,
        )
