"""Runs the trials of a sweep: asks for them, trains them as jobs, prunes and tells them."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from inkgan.errors import ConfigError, DataError, InkganError, TrainingStopped
from inkgan.execution.executor import Executor
from inkgan.execution.job import Job, Outcome
from inkgan.runs.run_watch import RunWatch, training_speed
from inkgan.runs.training_job import training_job
from inkgan.sweeps.plan import MIN_SECONDS, NUM_EVALUATIONS, SPEED_SHARE, SweepPlan, interval_for
from inkgan.sweeps.study import SweepStudy

LOOK_SECONDS, LIFE_SECONDS = 1.0, 10.0
MOST_LOST = 5  # trials whose processes are lost again and again, before the sweep gives up
MOST_IMPOSSIBLE = 200  # settings in a row that do not fit together


class SweepDriver:
    """Works on a sweep until all its trials have ended.

    Args:
        plan: what a trial is.
        study: the trials.
        executor: where they are trained.
        folder: gets a run folder for each.
        limit: the number of trials of the whole sweep.
    """

    def __init__(
        self, plan: SweepPlan, study: SweepStudy, executor: Executor, folder: Path, limit: int
    ) -> None:
        self.plan, self.study, self.executor = plan, study, executor
        self.folder, self.limit = folder, limit
        self.gpus = plan.options.gpus_on(executor)
        self.watches: dict[int, RunWatch] = {}
        self.reported: dict[int, int] = {}
        self.hopeless: dict[int, str] = {}
        self.lost = 0
        self._looked = self._alive = 0.0

    def run(self, on_trial: Callable[[int], None], on_look: Callable[[], None]) -> None:
        """Run trials until the sweep is over.

        Args:
            on_trial: called with the number of each trial that has ended here.
            on_look: called about once a second.

        Raises:
            InkganError: the data is missing, a file cannot be written, or processes are lost again
                and again.
            KeyboardInterrupt: after Ctrl-C; running trials are saved, and go on with the next call.
        """
        interval = self._interval()

        def look() -> None:
            now = time.monotonic()
            if now - self._looked >= LOOK_SECONDS:
                self._looked = now
                self._look(now)
                on_look()

        jobs = self._jobs(interval, everything=self.study.is_alone)
        outcomes = self.executor.run(jobs, self.folder, on_wait=look, on_stop=self._ask_all_to_stop)
        for outcome in outcomes:
            number = int(outcome.job.id.removeprefix("trial-"))
            if self._finish(number, outcome):
                on_trial(number)

    # --- asking ---

    def _jobs(self, interval: int, everything: bool) -> Iterator[Job | None]:
        """Yield the trials to train as there is room for them; None where none may begin now."""
        for running in self.study.continued(everything):
            yield self._job(running, interval)
        while True:
            number = self._next(interval)
            if number is not None:
                yield self._job(number, interval)
                continue
            if self.study.is_over(self.limit):
                return
            again = time.monotonic() + LOOK_SECONDS
            yield None
            while time.monotonic() < again:
                yield None

    def _next(self, interval: int) -> int | None:
        """Ask for a trial whose settings fit together."""
        for _ in range(MOST_IMPOSSIBLE):
            number = self.study.ask(self.limit)
            if number is None:
                return None
            try:
                self.plan.trial_recipe(self.study.values(number), interval)
            except ConfigError as error:
                self.study.refuse(number, str(error))
            else:
                return number
        raise ConfigError(
            f"`search`: {MOST_IMPOSSIBLE} settings in a row do not fit together; "
            "search fewer fields"
        )

    def _job(self, number: int, interval: int) -> Job:
        path = self.folder / f"trial-{number:04d}"
        self.study.place(number, path)
        recipe = self.plan.trial_recipe(self.study.values(number), interval)
        self.watches[number] = RunWatch(path, self.plan.options.minutes)
        return training_job(path.name, recipe, path, self.plan.options, self.gpus)

    # --- watching ---

    def _look(self, now: float) -> None:
        """Report scores that are new, and end the trials that are hopeless."""
        if now - self._alive > LIFE_SECONDS:
            self._alive = now
            self.study.sign_of_life(list(self.watches))
        for number, watch in self.watches.items():
            if number not in self.hopeless and self._is_hopeless(number, watch):
                step = self.reported[number]
                self.hopeless[number] = f"worse than the median after {step * 10} % of the budget"
            if number in self.hopeless:
                watch.ask_to_stop()

    def _is_hopeless(self, number: int, watch: RunWatch) -> bool:
        """Report each tenth of the budget with an evaluation; return whether to end the trial."""
        best = float("inf")
        for scored in watch.scores():
            best = min(best, scored.distance)
            reached = int(NUM_EVALUATIONS * watch.share_of(scored) + 1e-9)
            for step in range(self.reported.get(number, 0) + 1, min(reached, NUM_EVALUATIONS) + 1):
                self.reported[number] = step
                if self.study.report(number, step, best):
                    return True
        return False

    def _ask_all_to_stop(self) -> None:
        for watch in self.watches.values():
            watch.ask_to_stop()

    # --- telling ---

    def _finish(self, number: int, outcome: Outcome) -> bool:
        """Tell what came of a trial; return whether it has ended."""
        watch = self.watches.pop(number)
        if outcome.error is not None:
            self._failed(number, outcome.error)
            return True
        if outcome.value["reason"] == "interrupted":
            if number in self.hopeless:
                self.study.prune(number, self.hopeless[number])
            return number in self.hopeless  # others go on with the next call
        if number not in self.hopeless:
            self._is_hopeless(number, watch)  # the last evaluations
        distances = [scored.distance for scored in watch.scores()]
        if distances:
            self.study.complete(number, min(distances))
        else:
            self.study.prune(number, "no evaluation gave a number")
        return True

    def _failed(self, number: int, error: InkganError) -> None:
        if isinstance(error, TrainingStopped):
            self.study.prune(number, str(error))
        elif isinstance(error, ConfigError):  # layers that do not fit the images, for example
            self.study.refuse(number, str(error))
        else:
            self.study.lose(number, str(error))
            self.lost += 1
            if isinstance(error, DataError) or self.lost >= MOST_LOST:
                raise error

    # --- how often a trial is evaluated ---

    def _interval(self) -> int:
        """Return the images between two evaluations, the same for all trials."""
        if self.study.interval is None:
            self.study.set_interval(self._measured_interval())
        interval = self.study.interval
        assert interval is not None
        return interval

    def _measured_interval(self) -> int:
        """Spread the evaluations over a trial; with a budget of minutes, by its speed."""
        recipe, minutes = self.plan.recipe, self.plan.options.minutes
        if recipe.schedule.evaluation_interval is not None:
            return recipe.schedule.evaluation_interval
        if minutes is None:
            return interval_for(self.plan.images)
        speed = self._speed(max(MIN_SECONDS, SPEED_SHARE * 60 * minutes))
        images = min(self.plan.images, speed * 60 * minutes)
        return interval_for(max(images, NUM_EVALUATIONS * MIN_SECONDS * speed))

    def _speed(self, seconds: float) -> float:
        """Train the recipe itself for some seconds; return its images per second."""
        path = self.folder / "speed"
        options = replace(self.plan.options, minutes=seconds / 60)
        job = training_job(path.name, self.plan.recipe, path, options, self.gpus)
        for outcome in self.executor.run([job], self.folder, on_wait=lambda: None, on_stop=None):
            if outcome.error is not None:
                raise outcome.error
        speed = training_speed(path)
        shutil.rmtree(path, ignore_errors=True)
        if speed is None:
            raise InkganError(f"{self.plan.recipe.name} trained nothing in {seconds:g} seconds")
        return speed
