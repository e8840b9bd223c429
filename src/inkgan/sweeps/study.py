"""The trials of one sweep in their storage: asked, reported, pruned, told once each.

Several processes may work on one sweep through a database. Each trial belongs to the process that
asked for it; when its signs of life end, another process does it again as a trial of its own.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.importance import get_param_importances
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage, RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, Trial, TrialState

from inkgan.errors import ArtifactError
from inkgan.rng import seed_for
from inkgan.sweeps.plan import NUM_EVALUATIONS, SweepPlan
from inkgan.sweeps.search_space import Dimension, Value
from inkgan.sweeps.storage import MAX_RETRIES
from inkgan.sweeps.study_check import check_attributes, check_trials
from inkgan.sweeps.trial_record import State, TrialRecord

STARTUP_TRIALS = 10  # random ones, before the sampler learns from them
PRUNING_STARTUP, PRUNING_WARMUP, PRUNING_TRIALS = 5, 2, 3
# A trial whose process was killed between asking and its first sign of life has no heartbeat.
ABANDONED = timedelta(minutes=10)
IDENTITY, INTERVAL = "sweep", "evaluation_interval"
DRIVER, FOLDER, REASON, IMPOSSIBLE = "driver", "folder", "reason", "impossible"
STATES: Mapping[TrialState, State] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}
OPEN = (TrialState.RUNNING, TrialState.WAITING)


class SweepStudy:
    """The trials of a sweep, as one process sees them.

    Args:
        storage: of the trials.
        name: of the sweep in the storage.
        plan: what the sweep is.
        driver: names this process's folder; trials of an earlier process with the same name that
            was killed are continued.
        source: of the trials, for messages: the file, or the database.

    Raises:
        ArtifactError: the storage has another sweep of that name, or a damaged one.
    """

    def __init__(
        self, storage: BaseStorage, name: str, plan: SweepPlan, driver: str, source: str
    ) -> None:
        self.plan, self.driver, self._storage = plan, driver, storage
        self._study = optuna.create_study(
            storage=storage,
            study_name=name,
            load_if_exists=True,
            sampler=AddressedSampler(plan.seed),
            pruner=_pruner(plan.prunes),
        )
        check_attributes(self._study, source)
        self._id = storage.get_study_id_from_name(name)
        self._asked: dict[int, Trial] = {}
        known = self._study.user_attrs.get(IDENTITY)
        if known is None:
            self._study.set_user_attr(IDENTITY, plan.identity())
        elif known != plan.identity():
            own = plan.identity()
            changed = sorted(key for key in {*own, *known} if known.get(key) != own.get(key))
            raise ArtifactError(
                f"the sweep {name} exists with another {' and '.join(changed)}; repeat its command "
                "to continue it, or choose another `out`"
            )
        check_trials(self._study, plan.space, source)

    # --- the interval between evaluations, which all processes share ---

    @property
    def interval(self) -> int | None:
        """Images between two evaluations of a trial; None before it was measured."""
        value: int | None = self._study.user_attrs.get(INTERVAL)
        return value

    def set_interval(self, images: int) -> None:
        """Keep the interval for all trials and processes."""
        self._study.set_user_attr(INTERVAL, images)

    @property
    def is_alone(self) -> bool:
        """Whether no other process can work on this sweep: the journal belongs to one folder."""
        return not isinstance(self._storage, RDBStorage)

    # --- asking ---

    def continued(self, everything: bool) -> list[int]:
        """Take over the running trials of an earlier process of this folder.

        Args:
            everything: whether no other process can be at work, so that all running trials are its.
        """
        numbers = []
        for frozen in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if everything or frozen.user_attrs.get(DRIVER) == self.driver:
                self._take(Trial(self._study, self._trial_id(frozen.number)))
                numbers.append(frozen.number)
        return numbers

    def ask(self, limit: int) -> int | None:
        """Begin a trial, a new one or one that has to be done again; None where there is none now.

        Args:
            limit: the number of trials of the whole sweep.
        """
        self.give_up_lost_trials()
        counted = self._counted()
        if len(counted) >= limit and all(t.state != TrialState.WAITING for t in counted):
            return None
        with _stable():
            trial = self._study.ask()
        # two processes may both have seen room for one more: the smaller number stays
        if trial.number not in [frozen.number for frozen in self._counted()[:limit]]:
            trial.set_user_attr(REASON, "one too many: another process was faster")
            self._study.tell(trial.number, state=TrialState.FAIL)
            return None
        self._take(trial)
        return trial.number

    def is_over(self, limit: int) -> bool:
        """Return whether all trials have ended, those of other processes too."""
        counted = self._counted()[:limit]
        return len(counted) == limit and all(trial.state not in OPEN for trial in counted)

    def num_ended(self) -> int:
        """Return how many of the trials that count have ended."""
        return sum(trial.state not in OPEN for trial in self._counted())

    def values(self, number: int) -> dict[str, Value]:
        """Return the settings of a trial of this process."""
        return dict(self._asked[number].params)

    def give_up_lost_trials(self) -> None:
        """Queue the trials again whose processes have given no sign of life for too long."""
        if not isinstance(self._storage, RDBStorage):
            return
        with _stable():
            optuna.storages.fail_stale_trials(self._study)
            for frozen in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                began = frozen.datetime_start
                silent = DRIVER not in frozen.user_attrs
                if silent and began is not None and datetime.now() - began > ABANDONED:
                    with _already_told():
                        self._study.tell(frozen.number, state=TrialState.FAIL)
                        RetryHeartbeatStaleTrialCallback(MAX_RETRIES)(self._study, frozen)

    def _take(self, trial: Trial) -> None:
        """Make a trial this process's own: sign of life, owner, settings."""
        self._asked[trial.number] = trial
        self.sign_of_life([trial.number])
        trial.set_user_attr(DRIVER, self.driver)
        for dimension in self.plan.space.dimensions:
            _suggest(trial, dimension)

    def _counted(self) -> list[FrozenTrial]:
        """Return the trials that count: not lost, and not impossible."""
        trials = self._study.get_trials(deepcopy=False)
        return [t for t in trials if t.state != TrialState.FAIL and IMPOSSIBLE not in t.user_attrs]

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, number)

    # --- while a trial runs ---

    def sign_of_life(self, numbers: Sequence[int]) -> None:
        """Say that trials are at work."""
        if isinstance(self._storage, RDBStorage):
            for number in numbers:
                self._storage.record_heartbeat(self._trial_id(number))

    def report(self, number: int, step: int, distance: float) -> bool:
        """Record the best score after a tenth of the budget; return whether to end the trial.

        Args:
            number: of the trial.
            step: 1 to NUM_EVALUATIONS.
            distance: lower is better.
        """
        trial = self._asked[number]
        if step not in self._study.get_trials(deepcopy=False)[number].intermediate_values:
            with _already_told():
                trial.report(distance, step)
        return step < NUM_EVALUATIONS and trial.should_prune()

    # --- telling ---

    def complete(self, number: int, distance: float) -> None:
        """Record the score of a whole trial."""
        self._tell(number, {}, value=distance)

    def prune(self, number: int, reason: str) -> None:
        """Record that a trial was ended, or has broken down."""
        self._tell(number, {REASON: reason}, state=TrialState.PRUNED)

    def refuse(self, number: int, reason: str) -> None:
        """Record that the settings do not fit together: another trial takes its place."""
        self._tell(number, {REASON: reason, IMPOSSIBLE: True}, state=TrialState.PRUNED)

    def lose(self, number: int, reason: str) -> None:
        """Record that the process of a trial was lost again and again."""
        self._tell(number, {REASON: reason}, state=TrialState.FAIL)

    def place(self, number: int, folder: Path) -> None:
        """Record the run folder of a trial."""
        self._asked[number].set_user_attr(FOLDER, str(folder))

    def _tell(
        self,
        number: int,
        attributes: Mapping[str, Any],
        value: float | None = None,
        state: TrialState | None = None,
    ) -> None:
        """End a trial, unless it was given to another process meanwhile, which does it again."""
        trial = self._asked.pop(number)
        with _already_told():
            for key, item in attributes.items():
                trial.set_user_attr(key, item)
            self._study.tell(number, value, state, skip_if_finished=True)

    # --- results ---

    def records(self) -> list[TrialRecord]:
        """Return all trials that have begun, in order."""
        trials = self._study.get_trials(deepcopy=False)
        return [_record(trial) for trial in trials if trial.state in STATES]

    def importances(self) -> dict[str, float]:
        """Return how much of the variation each field explains, in sum 1, the largest first.

        Source: PED-ANOVA, Watanabe, Bansal and Hutter (2023), "PED-ANOVA: Efficiently Quantifying
        Hyperparameter Importance in Arbitrary Subspaces".

        Returns:
            The share of each field; empty below ten complete trials, of which it would say nothing.
        """
        complete = [trial for trial in self.records() if trial.state == "complete"]
        if len(complete) < STARTUP_TRIALS or len({trial.distance for trial in complete}) < 2:
            return {}
        with _stable():
            return get_param_importances(self._study)


class AddressedSampler(BaseSampler):
    """A tree-structured Parzen estimator whose random numbers depend on the trial's number alone.

    A sampler that draws from one stream would repeat its first draws where a sweep is continued,
    and in each of several processes.

    Source: Bergstra, Bardenet, Bengio and Kegl (2011), "Algorithms for Hyper-Parameter
    Optimization".
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the fields that are sampled together."""
        return self._sampler(trial, "").infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample fields together."""
        return self._sampler(trial, "").sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Sample one field by itself."""
        sampler = self._sampler(trial, param_name)
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def _sampler(self, trial: FrozenTrial, name: str) -> TPESampler:
        seed = seed_for(self.seed, "sweep", trial.number, name) % 2**32
        return TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)


def _suggest(trial: Trial, dimension: Dimension) -> None:
    low, high, name = dimension.low, dimension.high, dimension.field
    if dimension.kind == "float":
        trial.suggest_float(name, low, high, log=dimension.log)
    elif dimension.kind == "int":
        trial.suggest_int(name, int(low), int(high), log=dimension.log)
    else:
        trial.suggest_categorical(name, dimension.choices)


def _pruner(prunes: bool) -> BasePruner:
    if not prunes:
        return NopPruner()
    return MedianPruner(PRUNING_STARTUP, PRUNING_WARMUP, n_min_trials=PRUNING_TRIALS)


def _record(trial: FrozenTrial) -> TrialRecord:
    scores = dict(sorted(trial.intermediate_values.items()))
    distance = trial.value if trial.state == TrialState.COMPLETE else None
    if distance is None and scores:
        distance = min(scores.values())
    history = trial.system_attrs.get("retry_history") or [None]
    folder = trial.user_attrs.get(FOLDER)
    return TrialRecord(
        trial.number,
        STATES[trial.state],
        dict(trial.params),
        distance,
        scores,
        trial.user_attrs.get(REASON, ""),
        history[-1],
        None if folder is None else Path(folder),
    )


@contextmanager
def _stable() -> Iterator[None]:
    """Suppress Optuna's notes that a function may change, and on signs of life, which we give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "Heartbeat of storage is supposed to be used")
        yield


def _already_told() -> AbstractContextManager[None]:
    """Let a trial be that another process has ended meanwhile."""
    return suppress(UpdateFinishedTrialError)
