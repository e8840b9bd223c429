"""A run while it is trained: what happens after each step, and what is saved."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch

from inkgan import device as devices
from inkgan.config import Recipe
from inkgan.data.batches import Batches
from inkgan.data.dataset import Dataset
from inkgan.errors import ArtifactError, TrainingStopped
from inkgan.generation.sampling import draw, labels_from_seeds
from inkgan.io.environment import record_threads
from inkgan.io.live_folder import LiveFolder
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.checkpoint_scorer import DISTANCE, CheckpointScorer
from inkgan.models.build import count_parameters
from inkgan.models.custom import CustomNetworks
from inkgan.runs.events import (
    Event,
    Finished,
    Options,
    Reason,
    Sampled,
    Started,
    ThreadsChanged,
    Troubled,
    Updated,
)
from inkgan.runs.preview import PreviewWriter
from inkgan.runs.recorder import RunRecorder
from inkgan.runs.remote_control import RemoteControl
from inkgan.runs.schedule import RunSchedule
from inkgan.runs.thread_choice import ThreadChoice
from inkgan.training import health
from inkgan.training.lockstep import Command, Lockstep
from inkgan.training.loop import Update, train
from inkgan.training.state import TrainState, new_state

SCORED_IMAGES = 1000  # generated images, and as many real ones, that score a checkpoint
CHECKPOINT_SECONDS = 60.0
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


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


class ActiveRun:
    """A run while it is trained: its state, clock and recorder.

    Args:
        recipe: what is trained.
        options: of this machine and this moment.
        networks: classes of networks of one's own.
        run_files: what the run reads and writes.
        batches: of the training images.
        state: changed while the run is trained.
        threads: chooses their number again while the run is trained.
    """

    def __init__(
        self,
        recipe: Recipe,
        options: Options,
        networks: CustomNetworks,
        run_files: RunFiles,
        batches: Batches,
        state: TrainState,
        threads: ThreadChoice,
    ) -> None:
        self.threads = threads
        self.recipe, self.options, self.networks = recipe, options, networks
        self.folder, self.note = run_files.folder, run_files.note
        self.data_notes = (*batches.dataset.notes, *run_files.data_notes)
        self.batches, self.state = batches, state
        self.device, self.validation = batches.dataset.images.device, run_files.validation
        labels = self.validation.labels if self.recipe.model.classes else None
        self.scorer = CheckpointScorer(self.validation.images, labels)
        self.schedule = RunSchedule.of(self.recipe, batches.per_epoch)
        self.lockstep = Lockstep(state)
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
        self.now = CLOCKS[options.clock]
        self.clock, self.saved_at = self.now(), time.perf_counter()
        self.evaluated: tuple[int, Evaluation] | None = None
        self._start_window()

    def events(self) -> Iterator[Event]:
        """Yield what happens until the run ends for now."""
        try:
            with self.control.recorded(self.recorder.images_seen), self.lockstep.ended():
                yield from self._events()
        finally:
            self.preview.close()
            self.recorder.close(complete=False)  # of no effect after the end

    def _events(self) -> Iterator[Event]:
        self.lockstep.share_state()
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
        self.lockstep.end(reason)
        yield Finished(self.folder, reason, self.recorder.images_seen, self.state.seconds)

    def restart_clock(self) -> None:
        """Count training time from now on."""
        self.clock = self.now()

    def _train(self) -> Generator[Event, None, Reason]:
        """Run the training loop; return why it ended."""
        if not self._out_of_time():
            updates = train(self.recipe, self.batches, self.state, self.options.capture)
            for update in self.lockstep.steps(updates):
                yield self._record(update)
                if update.metrics is not None:
                    findings = health.examine(update.metrics, self.state, self.recipe)
                    yield from self._report_findings(findings)
                yield from self._choose_threads()
                yield from self._run_scheduled()
                if self._serve_watchers() or self._should_stop():
                    return "interrupted"
                if self._out_of_time():
                    break
        return "complete" if self.schedule.is_over(self.state.step) else "time is up"

    def _choose_threads(self) -> Iterator[ThreadsChanged]:
        """Take fewer threads beside busy processes, and more where cores are idle."""
        before = self.threads.count
        if self.threads.look(self.state.step):
            # a run that resumes here computes from now on as this one does
            self._save("last")
            record_threads(self.folder.environment_path, self.threads.count)
            self.recorder.write_row({"threads": self.threads.count}, logged={})
            self._update_clock()
            yield ThreadsChanged(before, self.threads.count)

    def _serve_watchers(self) -> bool:
        """Draw for those who watch, and pause if they ask for it; return whether to stop."""
        self.preview.after_update()
        return self.control.after_update(
            self.recorder.images_seen,
            should_stop=self._should_stop,
            on_pause=lambda: self._save("last"),
            draw=self._draw_while_paused,
            resume_clock=self.restart_clock,
        )

    def _should_stop(self) -> bool:
        return self.lockstep.is_stop_requested or self.options.should_stop()

    def _draw_while_paused(self) -> None:
        self.preview.draw_all()
        self.lockstep.announce(Command.WAIT)  # the other processes do not wait for ever

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
            processes=self.state.world.size,
            threads=torch.get_num_threads(),
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
            fresh = new_state(self.recipe, shape, self.device, self.networks, self.state.world)
            self.state.restore(fresh.tensors(), fresh.counters())
        self.state.rollbacks, self.state.seconds = rollbacks, seconds
        self.state.lr_scale = scale
        self.lockstep.share_state()
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
        now = self.now()
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
