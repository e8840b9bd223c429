"""Checks of what a storage says of a sweep, before anything is done with it."""

from typing import Annotated, Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from pydantic import ConfigDict, Field

from inkgan.documents import Count, Document, check_document, check_values
from inkgan.errors import ArtifactError
from inkgan.sweeps.plan import NUM_EVALUATIONS
from inkgan.sweeps.search_space import Dimension, SearchSpace

Step = Annotated[int, Field(ge=1, le=NUM_EVALUATIONS)]


class StudyAttributes(Document):
    """What all processes of a sweep share.

    Attributes:
        sweep: what the sweep is.
        evaluation_interval: images between two evaluations of a trial.
    """

    sweep: dict[str, Any] | None = None
    evaluation_interval: Annotated[int, Field(ge=1)] | None = None


class TrialAttributes(Document):
    """What a process says of its trial: itself, the run folder, and why the trial ended early."""

    driver: str | None = None
    folder: str | None = None
    reason: str = ""
    impossible: bool = False


class SystemAttributes(Document):
    """What Optuna says of a trial that does a lost one again."""

    model_config = ConfigDict(extra="allow")

    retry_history: list[Count] = []


class TrialScores(Document):
    """The scores of a trial."""

    scores: dict[Step, float]
    distance: float | None


def check_attributes(study: optuna.Study, source: str) -> None:
    """Refuse a study that is no sweep.

    Args:
        study: as its storage has it.
        source: the file or database, with which the message begins.

    Raises:
        ArtifactError: one line that names the source and what is wrong.
    """
    if study.directions != [StudyDirection.MINIMIZE]:
        raise ArtifactError(f"{source} is damaged: a sweep has one score, and lower is better")
    check_document(StudyAttributes, dict(study.user_attrs), source)


def check_trials(study: optuna.Study, space: SearchSpace, source: str) -> None:
    """Refuse trials that no sweep of this space can have left so; otherwise as above."""
    dimensions = {dimension.field: dimension for dimension in space.dimensions}
    for trial in study.get_trials(deepcopy=False):
        _check_trial(trial, dimensions, f"{source}, trial {trial.number}")


def _check_trial(trial: FrozenTrial, dimensions: dict[str, Dimension], source: str) -> None:
    check_document(TrialAttributes, dict(trial.user_attrs), source)
    check_document(SystemAttributes, dict(trial.system_attrs), source)
    values = {"scores": dict(trial.intermediate_values), "distance": _only(trial.values, source)}
    check_document(TrialScores, values, source)
    if trial.state == TrialState.COMPLETE and trial.values is None:
        raise ArtifactError(f"{source} is damaged: it is complete and has no score")
    ended = trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
    if ended and trial.params.keys() != dimensions.keys():
        raise ArtifactError(f"{source} is damaged: it has other fields than are searched")
    for field, value in trial.params.items():
        if field not in dimensions or trial.distributions[field] != distribution_of(
            dimensions[field]
        ):
            raise ArtifactError(f"{source} is damaged: {field} is not what is searched")
        dimension = dimensions[field]
        if dimension.kind == "list":
            continue  # a choice is kept by its number, so it is one of the list
        kind = float if dimension.kind == "float" else int
        bounds = Field(ge=dimension.low, le=dimension.high)
        check_values(Annotated[kind, bounds], value, f"{source}, {field}")


def _only(values: list[float] | None, source: str) -> float | None:
    if values is None:
        return None
    if not isinstance(values, list) or len(values) != 1:
        raise ArtifactError(f"{source} is damaged: it has more than one score")
    return values[0]


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """Return how Optuna samples a field."""
    if dimension.kind == "float":
        return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
    if dimension.kind == "int":
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return CategoricalDistribution(dimension.choices)
