"""One run from recipe to pictures: drives the loop, logs, saves, samples; no mathematics."""

import time
from collections.abc import Iterator
from pathlib import Path

import torch

from inkgan import device as devices
from inkgan import images
from inkgan.artifacts.bundle import Bundle
from inkgan.artifacts.environment import settle_environment, settle_threads
from inkgan.artifacts.run import Run, locked
from inkgan.artifacts.tensorboard import open_log
from inkgan.config import Recipe
from inkgan.data.batches import Batches
from inkgan.data.dataset import Dataset, load_dataset
from inkgan.errors import TrainingStopped
from inkgan.evaluation.distances import checkpoint_score
from inkgan.events import Event, Finished, Options, Reason, Sampled, Started, Troubled, Updated
from inkgan.models.build import count_parameters
from inkgan.report.pictures import write_pictures
from inkgan.sampling.sampler import draw
from inkgan.training import health
from inkgan.training.loop import Update, total_steps, train
from inkgan.training.state import TrainState, new_state

GRID_IMAGES = 64
SCORED_IMAGES = 1000  # fakes, and as many real images, that score a checkpoint
CHECKPOINT_SECONDS = 60.0
MAX_ROLLBACKS = 3


def run_experiment(recipe: Recipe, out: Path, options: Options | None = None) -> Iterator[Event]:
    """Train a recipe in a run folder, from its beginning or from where it stands.

    Raises:
        InkganError: the data, the folder or the recipe cannot be; or the monitor stopped the run.
    """
    options = options or Options()
    device = devices.choose_device(options.device)
    dataset = load_dataset(recipe.data, "train", options.data_dir, options.report)
    schedule = recipe.schedule
    # all that can be wrong with a recipe shows here, before anything is written
    batches = Batches(dataset.to(device), schedule.batch_size, recipe.seed, recipe.data.augment)
    state = new_state(recipe, dataset.shape, device)
    real = _images_to_score_by(recipe, dataset, options)
    with locked(out):
        run = Run.create_or_open(out, recipe)
        yield from Experiment(run, batches, state, real, options).events()


def _images_to_score_by(recipe: Recipe, dataset: Dataset, options: Options) -> torch.Tensor:
    """Take held-out images; a recipe that trains on all images has only its last to offer."""
    if recipe.data.holdout:
        dataset = load_dataset(recipe.data, "validation", options.data_dir)
    return dataset.images[-SCORED_IMAGES:]


class Experiment:
    """The run in progress: state, clock and folder."""

    def __init__(
        self, run: Run, batches: Batches, state: TrainState, real: torch.Tensor, options: Options
    ) -> None:
        self.run, self.batches, self.state, self.real = run, batches, state, real
        self.recipe, self.options = run.recipe, options
        self.device = batches.dataset.images.device
        self.note = settle_threads(run.environment_path, options.threads)
        self.data_sha256 = batches.dataset.digest()
        settle_environment(
            run.environment_path, self.device, self.data_sha256, batches.dataset.name
        )
        schedule = self.recipe.schedule
        self.total_steps = total_steps(self.recipe, batches.per_epoch)
        every = schedule.sample_every or batches.per_epoch * schedule.batch_size
        self.sample_steps = max(1, round(every / schedule.batch_size))
        self.restored = self._restore("last")
        self.run.rewind(state.step if self.restored else -1)
        self.log = open_log(run.path / "tensorboard", self.images_seen)
        self.saved_at = self.clock = time.perf_counter()
        self.window_seconds, self.window_step = 0.0, state.step

    @property
    def images_seen(self) -> int:
        """Count the real images shown to the discriminator so far."""
        return self.state.step * self.recipe.schedule.batch_size

    def events(self) -> Iterator[Event]:
        """Yield what happens until the run ends for now."""
        yield self._started()
        if not self.restored:
            yield self._sample()
        reason: Reason = "complete"
        self.clock = time.perf_counter()
        if not self._out_of_time():
            for update in train(self.recipe, self.batches, self.state):
                yield self._record(update)
                if update.metrics is not None:
                    yield from self._heed(update.metrics)
                if self.state.step % self.sample_steps == 0:
                    yield self._sample()
                self._save_now_and_then()
                if self.options.should_stop():
                    reason = "interrupted"
                    break
                if self._out_of_time():
                    break
        if reason == "complete" and self.state.step < self.total_steps:
            reason = "time is up"
        if not self.run.frame_path(self.state.step).exists():
            yield self._sample()
        self._finish()
        yield Finished(self.run, reason, self.images_seen, self.state.seconds)

    # --- the start ---

    def _restore(self, name: str) -> bool:
        saved = self.run.load_checkpoint(name)
        if saved is not None:
            self.state.restore(*saved)
        return saved is not None

    def _started(self) -> Started:
        sizes = count_parameters(self.state.generator), count_parameters(self.state.discriminator)
        dataset = self.batches.dataset
        data = f"{dataset.name}, {len(dataset):,} images {dataset.shape}"
        total = self.total_steps * self.recipe.schedule.batch_size
        shown = devices.describe(self.device)
        return Started(self.run, self.images_seen, total, data, sizes, shown, self.note)

    # --- on the way ---

    def _tick(self) -> float:
        """Count the time since the last tick as training time, and return it."""
        now = time.perf_counter()
        passed, self.clock = now - self.clock, now
        self.state.seconds += passed
        return passed

    def _out_of_time(self) -> bool:
        minutes = self.options.minutes
        return minutes is not None and self.state.seconds >= 60 * minutes

    def _record(self, update: Update) -> Updated:
        self.window_seconds += self._tick()
        if update.metrics is None:
            return Updated(update, None, self.state.seconds)
        count = (update.step - self.window_step) * self.recipe.schedule.batch_size
        row = self._row() | update.metrics
        row["images_per_second"] = count / max(self.window_seconds, 1e-9)
        self.window_seconds, self.window_step = 0.0, update.step
        self.run.append(row)
        self.log.scalars(update.images, update.metrics)
        return Updated(update, row, self.state.seconds)

    def _row(self) -> dict[str, float]:
        return {
            "step": self.state.step,
            "images": self.images_seen,
            "epoch": round(self.state.step / self.batches.per_epoch, 4),
            "seconds": round(self.state.seconds, 3),
        }

    @torch.no_grad()
    def _sample(self) -> Sampled:
        """Draw the fixed noise, score the averaged generator, keep it if it is the best."""
        drawn = torch.cat(
            list(draw(self.state.ema, range(SCORED_IMAGES), self.recipe.model.latent_dim))
        )
        picture = images.grid(images.to_array(drawn[:GRID_IMAGES]))
        path = self.run.frame_path(self.state.step)
        images.save_png(path, picture, {"images seen": str(self.images_seen), "seeds": "0-63"})
        score = checkpoint_score(drawn, self.real)
        # where a run happens to be interrupted must not decide which checkpoint is the best
        planned = self.state.step % self.sample_steps == 0 or self.state.step == self.total_steps
        is_best = planned and score < (self.state.best_score or float("inf"))
        if is_best:
            self.state.best_score = score
            self._save("best")
        self.run.append(self._row() | {"sliced_wasserstein": score})
        self._save("last")
        self.log.picture(self.images_seen, picture)
        self.log.scalars(self.images_seen, {"sliced_wasserstein": score})
        self._tick()
        epoch = self.state.step / self.batches.per_epoch
        return Sampled(self.images_seen, epoch, path, score, is_best)

    def _heed(self, metrics: dict[str, float]) -> Iterator[Event]:
        """Listen to the health monitor and act as the user chose."""
        for finding in health.examine(metrics, self.state):
            rolls_back = self.options.on_trouble == "rollback"
            stops = self.options.on_trouble == "stop" or (finding.fatal and not rolls_back)
            if rolls_back and self.state.rollbacks >= MAX_ROLLBACKS:
                stops, rolls_back = True, False
            action = "training goes on"
            if rolls_back:
                action = self._roll_back()
            elif stops:
                action = "training stops"
            found = {"health": finding.kind, "message": str(finding), "action": action}
            self.run.append(self._row() | found)
            yield Troubled(finding, action)
            if stops:
                self._finish()
                raise TrainingStopped(f"{finding} The run stands in {self.run.path}")
            if rolls_back:
                return

    def _roll_back(self) -> str:
        """Go back to the best checkpoint, or the beginning, with half the learning rate."""
        rollbacks, scale = self.state.rollbacks + 1, self.state.lr_scale / 2
        seconds = self.state.seconds
        if not self._restore("best"):
            fresh = new_state(self.recipe, self.batches.dataset.shape, self.device)
            self.state.restore(fresh.tensors(), fresh.counters())
        self.state.rollbacks, self.state.seconds = rollbacks, seconds
        self.state.scale_learning_rate(scale)
        self.run.rewind(self.state.step)
        self.window_seconds, self.window_step = 0.0, self.state.step
        self._save("last")
        return (
            f"rolled back to {self.images_seen:,} images, learning rate now "
            f"{self.recipe.optim.lr * scale:g}"
        )

    # --- saving ---

    def _save(self, name: str) -> None:
        """Write a checkpoint, unless the weights are lost: then the one before stays."""
        if self.state.is_finite():
            self.run.save_checkpoint(name, self.state.tensors(), self.state.counters())
            self.saved_at = time.perf_counter()

    def _save_now_and_then(self) -> None:
        if time.perf_counter() - self.saved_at > CHECKPOINT_SECONDS:
            self._save("last")

    def _finish(self) -> None:
        """Write checkpoint, bundle, curves, grid and time-lapse."""
        self._save("last")
        if self.state.is_finite():
            self._bundle().save(self.run.bundle_path)
        write_pictures(self.run, self.batches.per_epoch)
        self.log.close()

    def _bundle(self) -> Bundle:
        best = self.state.best_score
        scores = {} if best is None else {"best_sliced_wasserstein": best}
        return Bundle(
            recipe=self.recipe,
            shape=self.batches.dataset.shape,
            classes=self.batches.dataset.classes,
            weights=self.state.ema.state_dict(),
            images_seen=self.images_seen,
            data_sha256=self.data_sha256,
            scores=scores,
        )
