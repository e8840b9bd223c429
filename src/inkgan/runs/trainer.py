"""Train one recipe in one run folder: set up, loop, sample, evaluate, save.

The mathematics is in `inkgan.training`; what is due when is in `inkgan.runs.schedule`, what is
written in `inkgan.runs.recorder`.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from inkgan import device as devices
from inkgan.config import Recipe
from inkgan.data.batches import Batches, batches_for
from inkgan.data.dataset import Dataset, load_dataset, validation_images
from inkgan.data.training_images import check_training_images
from inkgan.errors import ArtifactError, TrainingStopped
from inkgan.files import locked
from inkgan.generation.sampling import draw, labels_from_seeds
from inkgan.io.environment import random_numbers_note, threads_of_run, write_environment
from inkgan.io.live_folder import LiveFolder
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.checkpoint_scorer import DISTANCE, CheckpointScorer
from inkgan.models.build import count_parameters
from inkgan.models.custom import CustomNetworks
from inkgan.runs.events import Event, Finished, Options, Reason, Sampled, Started, Troubled, Updated
from inkgan.runs.preview import PreviewWriter
from inkgan.runs.recorder import RunRecorder
from inkgan.runs.remote_control import RemoteControl
from inkgan.runs.schedule import RunSchedule
from inkgan.training import health
from inkgan.training.loop import Update, train
from inkgan.training.state import TrainState, new_state

NO_VALIDATION = (
    "No images are reserved for validation (`data.holdout=0`): checkpoints are scored with "
    "training images, so the best one may be the one that knows these best. Prefer the last one."
)
SCORED_IMAGES = 1000  # generated images, and as many real ones, that score a checkpoint
CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True)
class Trainer:
    """Trains a recipe in a run folder, from its beginning or from where it was interrupted.

    Constructing one reads and writes nothing; `events` does.

    Attributes:
        recipe: what is trained.
        out: the run folder.
        options: of this machine and this moment.
        networks: classes of networks of one's own.
    """

    recipe: Recipe
    out: Path
    options: Options = field(default_factory=Options)
    networks: CustomNetworks = field(default_factory=CustomNetworks)

    def events(self) -> Iterator[Event]:
        """Train, and yield each event after it has happened.

        The settings of the process, such as the number of threads, are those of the run while it
        works, and the caller's whenever an event is yielded. Only the run's own time counts as
        training time.

        Raises:
            InkganError: the data, the folder or the recipe cannot be used, or the health monitor
                stopped the run.
        """
        recipe, options = self.recipe, self.options
        device = devices.choose_device(options.device)
        dataset = load_dataset(recipe.data, "train", options.data_dir, options.report)
        # all that can be wrong with a recipe shows here, before anything is written
        batches = batches_for(recipe, dataset.to(device))
        notes = check_training_images(dataset, conditional=recipe.model.classes > 0)
        notes = (*notes, *([] if dataset.has_validation else [NO_VALIDATION]))
        state = new_state(recipe, dataset.shape, device, self.networks)
        real = validation_images(recipe.data, dataset, SCORED_IMAGES, options.data_dir)
        with locked(self.out, "training in"):
            folder = RunFolder.create_or_open(self.out, recipe)
            threads, note = threads_of_run(folder.environment_path, options.threads)
            warnings = filter(None, (note, random_numbers_note(folder.environment_path)))
            note = "; ".join(warnings) or None
            with devices.compute_settings(threads=threads):
                digest = batches.dataset.digest()
                write_environment(folder.environment_path, device, digest, dataset.name)
                run = _ActiveRun(self, RunFiles(folder, digest, real, note, notes), batches, state)
            events = run.events()
            while True:
                with devices.compute_settings(threads=threads):
                    run.restart_clock()
                    event = next(events, None)
                if event is None:
                    return
                yield event


@dataclass(frozen=True)
class RunFiles:
    """What a run reads and writes on disk.

    Attributes:
        folder: the run folder.
        data_sha256: digest of the training images and labels.
        validation: real images that checkpoints are scored with.
        note: a warning about resuming, if there is one.
        data_notes: on images and classes that are odd.
    """

    folder: RunFolder
    data_sha256: str
    validation: Dataset
    note: str | None
    data_notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """The score of the averaged generator, and what the health monitor found in it."""

    score: float
    is_best: bool
    findings: Sequence[health.Finding]


class _ActiveRun:
    """A run while it is trained: its state, clock and recorder."""

    def __init__(
        self, trainer: Trainer, run_files: RunFiles, batches: Batches, state: TrainState
    ) -> None:
        self.recipe, self.options, self.networks = trainer.recipe, trainer.options, trainer.networks
        self.folder, self.note = run_files.folder, run_files.note
        self.data_notes = (*batches.dataset.notes, *run_files.data_notes)
        self.batches, self.state = batches, state
        self.device, self.validation = batches.dataset.images.device, run_files.validation
        labels = self.validation.labels if self.recipe.model.classes else None
        self.scorer = CheckpointScorer(self.validation.images, labels)
        self.schedule = RunSchedule.of(self.recipe, batches.per_epoch)
        self.resumed = self._restore("last")
        self.folder.rewind(state.step if self.resumed else -1)
        self.recorder = RunRecorder(
            self.folder,
            batches,
            run_files.data_sha256,
            state,
            self.networks.generator,
            self.options.loggers,
        )
        live, size = LiveFolder(self.folder.path), batches.batch_size
        self.preview = PreviewWriter(live, self.recipe, self.validation, state, size)
        self.control = RemoteControl(live, self.schedule.total_steps * size)
        self.saved_at = self.clock = time.perf_counter()
        self.evaluated: tuple[int, Evaluation] | None = None
        self._start_window()

    def events(self) -> Iterator[Event]:
        """Yield what happens until the run ends for now."""
        try:
            with self.control.recorded(self.recorder.images_seen):
                yield from self._events()
        finally:
            self.recorder.close(complete=False)  # of no effect after the end

    def _events(self) -> Iterator[Event]:
        yield self._started()
        if not self.resumed:
            yield from self._sample()
        while True:
            reason = yield from self._train()
            # a time limit is a planned end, so it is evaluated; where a run happens to be
            # interrupted must not decide which checkpoint is the best
            is_due = reason != "interrupted" and not self._is_evaluated()
            if is_due or not self.folder.has_frame(self.state.step):
                yield from self._sample(is_due)
            # findings of the last evaluation may have rolled the run back
            if reason != "complete" or self.schedule.is_over(self.state.step):
                break
        self.recorder.finish()
        self.recorder.close(complete=reason == "complete")
        self.control.end(reason)
        yield Finished(self.folder, reason, self.recorder.images_seen, self.state.seconds)

    def restart_clock(self) -> None:
        """Count training time from now on."""
        self.clock = time.perf_counter()

    def _train(self) -> Generator[Event, None, Reason]:
        """Run the training loop; return why it ended."""
        if not self._out_of_time():
            for update in train(self.recipe, self.batches, self.state, self.options.capture):
                yield self._record(update)
                if update.metrics is not None:
                    findings = health.examine(update.metrics, self.state, self.recipe)
                    yield from self._report_findings(findings)
                yield from self._run_scheduled()
                if self._serve_watchers() or self.options.should_stop():
                    return "interrupted"
                if self._out_of_time():
                    break
        return "complete" if self.schedule.is_over(self.state.step) else "time is up"

    def _serve_watchers(self) -> bool:
        """Draw for those who watch, and pause if they ask for it; return whether to stop."""
        self.preview.after_update()
        return self.control.after_update(
            self.recorder.images_seen,
            should_stop=self.options.should_stop,
            on_pause=lambda: self._save("last"),
            draw=self.preview.draw_all,
            resume_clock=self.restart_clock,
        )

    # --- events ---

    def _started(self) -> Started:
        networks = (self.state.generator, self.state.discriminator)
        generator, discriminator = map(count_parameters, networks)
        return Started(
            run=self.folder,
            images=self.recorder.images_seen,
            total_images=self.schedule.total_steps * self.batches.batch_size,
            data=str(self.batches.dataset),
            parameters=(generator, discriminator),
            device=devices.describe(self.device),
            note=self.note,
            notes=self.data_notes,
        )

    def _record(self, update: Update) -> Updated:
        """Write a row of metrics if a window has ended."""
        self.window_seconds += self._update_clock()
        if update.metrics is None:
            return Updated(update, None, self.state.seconds)
        count = (update.step - self.window_step) * self.batches.batch_size
        speed = {"images_per_second": count / max(self.window_seconds, 1e-9)}
        self._start_window()
        row = self.recorder.write_row(update.metrics | speed, logged=update.metrics)
        return Updated(update, row, self.state.seconds)

    def _run_scheduled(self) -> Iterator[Event]:
        """Sample, evaluate and save, where each is due."""
        if self.schedule.is_sample_due(self.state.step):
            yield from self._sample()
        elif self._is_evaluation_due():
            yield from self._report_findings(self._evaluate().findings)
        if time.perf_counter() - self.saved_at > CHECKPOINT_SECONDS:
            self._save("last")

    def _sample(self, evaluate: bool = False) -> Iterator[Event]:
        """Draw a grid, and evaluate where that is due too, or if `evaluate` is true."""
        self.recorder.write_grid()
        is_new = evaluate or self._is_evaluation_due()
        evaluation = self._evaluate() if is_new else self._evaluation_of_this_step()
        self._save("last")
        self._update_clock()
        yield Sampled(
            images=self.recorder.images_seen,
            epoch=self.recorder.epoch,
            path=self.folder.frame_path(self.state.step),
            score=None if evaluation is None else evaluation.score,
            is_best=evaluation is not None and evaluation.is_best,
        )
        if evaluation is not None and is_new:
            yield from self._report_findings(evaluation.findings)

    def _is_evaluation_due(self) -> bool:
        is_due = self.schedule.is_evaluation_due(self.state.step)
        return is_due and self._evaluation_of_this_step() is None

    def _evaluation_of_this_step(self) -> Evaluation | None:
        if self.evaluated is None or self.evaluated[0] != self.state.step:
            return None
        return self.evaluated[1]

    def _is_evaluated(self) -> bool:
        """Tell whether this step has been evaluated, by this process or an earlier one."""
        step = self.state.step
        return any(row["step"] == step and DISTANCE in row for row in self.folder.rows())

    def _evaluate(self) -> Evaluation:
        """Score the averaged generator on validation images; save it if it is the best so far."""
        seeds, model = range(SCORED_IMAGES), self.recipe.model
        drawn = torch.cat(list(draw(self.state.ema, seeds, model)))
        scores = self.scorer.score(drawn, labels_from_seeds(seeds, model.classes))
        classes = self.batches.dataset.classes
        findings = health.examine_scores(scores, self.state, self.recipe, classes)
        self.recorder.write_row(scores, logged=scores)
        score, best = scores[DISTANCE], self.state.best_score
        # an untrained generator is never the best, however badly training goes
        is_best = self.state.step > 0 and (best is None or score < best)
        if is_best:
            self.state.best_score = score
            self._save("best")
        self._update_clock()
        self.evaluated = self.state.step, Evaluation(score, is_best, findings)
        return self.evaluated[1]

    # --- trouble ---

    def _report_findings(self, findings: Sequence[health.Finding]) -> Iterator[Event]:
        """Report what the health monitor found, and act on it as the options say."""
        for finding in findings:
            response = self.options.response_to(finding, self.state.rollbacks)
            action = self._roll_back() if response == "rollback" else ACTIONS[response]
            row = {"health": finding.kind, "message": str(finding), "action": action}
            self.recorder.write_row(row, logged={})
            yield Troubled(finding, action)
            if response == "stop":
                self.recorder.finish()
                raise TrainingStopped(f"{finding} The run is saved in {self.folder.path}")
            if response == "rollback":
                return

    def _roll_back(self) -> str:
        """Return to the best checkpoint, or the beginning, with half the learning rate."""
        rollbacks, scale = self.state.rollbacks + 1, self.state.lr_scale / 2
        seconds = self.state.seconds
        if not self._restore("best"):
            shape = self.batches.dataset.shape
            fresh = new_state(self.recipe, shape, self.device, self.networks)
            self.state.restore(fresh.tensors(), fresh.counters())
        self.state.rollbacks, self.state.seconds = rollbacks, seconds
        self.state.lr_scale = scale
        self.folder.rewind(self.state.step)
        self._start_window()
        self.evaluated = None
        self._save("last")
        return (
            f"rolled back to {self.recorder.images_seen:,} images, learning rate now "
            f"{self.recipe.optim.lr * scale:g}"
        )

    # --- clock and checkpoints ---

    def _start_window(self) -> None:
        self.window_seconds, self.window_step = 0.0, self.state.step

    def _update_clock(self) -> float:
        """Add the time since the last call to the training time, and return it."""
        now = time.perf_counter()
        passed, self.clock = now - self.clock, now
        self.state.seconds += passed
        return passed

    def _out_of_time(self) -> bool:
        minutes = self.options.minutes
        return minutes is not None and self.state.seconds >= 60 * minutes

    def _restore(self, name: str) -> bool:
        saved = self.folder.load_checkpoint(name)
        if saved is not None:
            try:
                self.state.restore(*saved)
            except ArtifactError as error:
                path = self.folder.checkpoint_path(name)
                raise self.folder.refusal(name, f"{path}: {error}") from error
        return saved is not None

    def _save(self, name: str) -> None:
        if self.recorder.write_checkpoint(name):
            self.saved_at = time.perf_counter()


ACTIONS = {"continue": "training continues", "stop": "training stops"}
