"""One run from recipe to pictures: drives the loop, logs, saves, samples; no mathematics."""

import time
from collections.abc import Iterator
from pathlib import Path

import torch

from inkgan import device as devices
from inkgan import images
from inkgan.config import Recipe
from inkgan.data.batches import Batches, batches_for
from inkgan.data.dataset import Dataset, load_dataset, validation_images
from inkgan.errors import TrainingStopped
from inkgan.files import locked
from inkgan.generation.sampling import draw, labels_from_seeds, noise_grid
from inkgan.io.bundle import Bundle, MeasuredScore
from inkgan.io.environment import threads_of_run, write_environment
from inkgan.io.run_dir import Run
from inkgan.metrics.checkpoint_scorer import DISTANCE, CheckpointScorer
from inkgan.models.build import count_parameters
from inkgan.runs.curves import write_pictures
from inkgan.runs.events import Event, Finished, Options, Reason, Sampled, Started, Troubled, Updated
from inkgan.runs.tensorboard import open_log
from inkgan.training import health
from inkgan.training.loop import Update, total_steps, train
from inkgan.training.state import TrainState, new_state

SCORED_IMAGES = 1000  # fakes, and as many real images, that score a checkpoint
CHECKPOINT_SECONDS = 60.0


def run_experiment(recipe: Recipe, out: Path, options: Options | None = None) -> Iterator[Event]:
    """Train a recipe in a run folder, from its beginning or from where it stands.

    Raises:
        InkganError: the data, the folder or the recipe cannot be; or the monitor stopped the run.
    """
    options = options or Options()
    device = devices.choose_device(options.device)
    dataset = load_dataset(recipe.data, "train", options.data_dir, options.report)
    # all that can be wrong with a recipe shows here, before anything is written
    batches = batches_for(recipe, dataset.to(device))
    state = new_state(recipe, dataset.shape, device)
    real = validation_images(recipe.data, dataset, SCORED_IMAGES, options.data_dir)
    with locked(out, "training in"):
        run = Run.create_or_open(out, recipe)
        threads, note = threads_of_run(run.environment_path, options.threads)
        with devices.compute_settings(threads=threads):
            yield from Experiment(run, batches, state, real, options, note).events()


class Experiment:
    """The run in progress: state, clock and folder."""

    def __init__(
        self,
        run: Run,
        batches: Batches,
        state: TrainState,
        real: Dataset,
        options: Options,
        note: str | None = None,
    ) -> None:
        self.run, self.batches, self.state = run, batches, state
        self.recipe, self.options = run.recipe, options
        self.picker = CheckpointScorer(
            real.images, real.labels if self.recipe.model.classes else None
        )
        self.device = batches.dataset.images.device
        self.note = note
        dataset = batches.dataset
        self.data_sha256 = dataset.digest()
        write_environment(run.environment_path, self.device, self.data_sha256, dataset.name)
        schedule = self.recipe.schedule
        self.total_steps = total_steps(self.recipe, batches.per_epoch)
        self.sample_steps = self._steps_between(schedule.sample_interval)
        self.evaluate_steps = self._steps_between(
            schedule.evaluation_interval or schedule.sample_interval
        )
        self.restored = self._restore("last")
        self.run.rewind(state.step if self.restored else -1)
        self.log = open_log(run.path / "tensorboard", self.images_seen)
        self.saved_at = self.clock = time.perf_counter()
        self.window_seconds, self.window_step, self.evaluated_at = 0.0, state.step, -1
        self.found: list[health.Finding] = []  # by the evaluation just made

    @property
    def images_seen(self) -> int:
        """Count the real images shown to the discriminator so far."""
        return self.state.step * self.batches.batch_size

    def events(self) -> Iterator[Event]:
        """Yield what happens until the run ends for now."""
        yield self._started()
        if not self.restored:
            yield self._sample()
        reason: Reason = "complete"
        self.clock = time.perf_counter()
        if not self._out_of_time():
            for update in train(self.recipe, self.batches, self.state, self.options.capture):
                yield self._record(update)
                if update.metrics is not None:
                    yield from self._heed(health.examine(update.metrics, self.state))
                yield from self._look()
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

    def _steps_between(self, images: int | None) -> int:
        size = self.batches.batch_size
        return max(1, round(images / size)) if images else self.batches.per_epoch

    # --- the start ---

    def _restore(self, name: str) -> bool:
        saved = self.run.load_checkpoint(name)
        if saved is not None:
            self.state.restore(*saved)
        return saved is not None

    def _started(self) -> Started:
        sizes = count_parameters(self.state.generator), count_parameters(self.state.discriminator)
        total, shown = self.total_steps * self.batches.batch_size, devices.describe(self.device)
        data = str(self.batches.dataset)
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
        count = (update.step - self.window_step) * self.batches.batch_size
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

    def _look(self) -> Iterator[Event]:
        """Sample, evaluate and save, where each is due."""
        if self.state.step % self.sample_steps == 0:
            yield self._sample()
        elif self.state.step % self.evaluate_steps == 0:
            self._evaluate()
        found, self.found = self.found, []
        yield from self._heed(found)
        if time.perf_counter() - self.saved_at > CHECKPOINT_SECONDS:
            self._save("last")

    def _sample(self) -> Sampled:
        """Draw the fixed noise, and evaluate where that is due too."""
        picture, seeds = noise_grid(self.state.ema, self.recipe.model)
        path = self.run.frame_path(self.state.step)
        images.save_png(path, picture, {"images seen": str(self.images_seen), "seeds": seeds})
        self.log.picture(self.images_seen, picture)
        score, is_best = None, False
        due = self.state.step % self.evaluate_steps == 0 or self.state.step == self.total_steps
        if due and self.evaluated_at != self.state.step:
            score, is_best = self._evaluate()
        self._save("last")
        self._tick()
        epoch = self.state.step / self.batches.per_epoch
        return Sampled(self.images_seen, epoch, path, score, is_best)

    def _evaluate(self) -> tuple[float, bool]:
        """Score the averaged generator on validation images; keep it if it is the best so far.

        Steps are evaluated by plan alone: where a run happens to be interrupted must not decide
        which checkpoint is the best.
        """
        seeds, model = range(SCORED_IMAGES), self.recipe.model
        drawn = torch.cat(list(draw(self.state.ema, seeds, model)))
        scores = self.picker.score(drawn, labels_from_seeds(seeds, model.classes))
        self.found, self.evaluated_at = health.examine_scores(scores, self.state), self.state.step
        self.run.append(self._row() | scores)
        self.log.scalars(self.images_seen, scores)
        score, best = scores[DISTANCE], self.state.best_score
        is_best = best is None or score < best
        if is_best:
            self.state.best_score = score
            self._save("best")
        self._tick()
        return score, is_best

    def _heed(self, findings: list[health.Finding]) -> Iterator[Event]:
        """Act on what the health monitor found as the user chose."""
        for finding in findings:
            answer = self.options.answer_to(finding, self.state.rollbacks)
            action = self._roll_back() if answer == "rollback" else f"training {answer}"
            told = {"health": finding.kind, "message": str(finding), "action": action}
            self.run.append(self._row() | told)
            yield Troubled(finding, action)
            if answer == "stops":
                self._finish()
                raise TrainingStopped(f"{finding} The run stands in {self.run.path}")
            if answer == "rollback":
                return

    def _roll_back(self) -> str:
        """Go back to the best checkpoint, or the beginning, with half the learning rate."""
        rollbacks, scale = self.state.rollbacks + 1, self.state.lr_scale / 2
        seconds = self.state.seconds
        if not self._restore("best"):
            fresh = new_state(self.recipe, self.batches.dataset.shape, self.device)
            self.state.restore(fresh.tensors(), fresh.counters())
        self.state.rollbacks, self.state.seconds = rollbacks, seconds
        self.state.lr_scale = scale
        self.run.rewind(self.state.step)
        self.window_seconds, self.window_step, self.evaluated_at = 0.0, self.state.step, -1
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

    def _finish(self) -> None:
        """Write checkpoint, bundle, curves, grid and time-lapse."""
        self._save("last")
        if self.state.is_finite():
            self._bundle().save(self.run.bundle_path)
        write_pictures(self.run, self.batches.per_epoch)
        self.log.close()

    def _bundle(self) -> Bundle:
        best = self.state.best_score
        return Bundle(
            recipe=self.recipe,
            shape=self.batches.dataset.shape,
            classes=self.batches.dataset.classes,
            weights=self.state.ema.state_dict(),
            images_seen=self.images_seen,
            data_sha256=self.data_sha256,
            scores={} if best is None else {f"best_{DISTANCE}": MeasuredScore(best)},
        )
