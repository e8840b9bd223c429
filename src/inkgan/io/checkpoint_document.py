"""The counters of a checkpoint: plain numbers beside its tensors."""

from typing import Annotated, Any

from pydantic import Field

from inkgan.documents import Count, Document, ShortText


class CheckpointCounters(Document):
    """The plain numbers of a training state (`inkgan.training.state.TrainState`)."""

    step: Count
    lr_scale: Annotated[float, Field(gt=0, le=1)]
    rollbacks: Count
    seconds: Annotated[float, Field(ge=0)]
    streaks: dict[ShortText, Count]
    best_score: float | None
    metrics: Count


class CheckpointDocument(Document):
    """The metadata of a checkpoint.

    The recipe shows whether it belongs to a run; checkpoints of version 0.1.0 have none.
    """

    counters: CheckpointCounters
    recipe: dict[str, Any] | None = None
