"""A trial of a sweep as a value."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["complete", "pruned", "failed", "running"]


@dataclass(frozen=True)
class TrialRecord:
    """One trial: its settings and how far it came.

    Attributes:
        number: of the trial.
        state: complete; pruned, for it was hopeless or training broke down; failed, where its
            process was lost; or running.
        values: of the fields that are searched.
        distance: the best score, lower is better; None where there is none.
        scores: the best score so far after each tenth of the budget, by its number from 1.
        reason: why there is no complete trial, in words.
        retry_of: the number of the lost trial that this one does again.
        path: its run folder.
    """

    number: int
    state: State
    values: dict[str, Any]
    distance: float | None
    scores: dict[int, float] = field(default_factory=dict)
    reason: str = ""
    retry_of: int | None = None
    path: Path | None = None

    @property
    def sort_key(self) -> tuple[bool, float, int]:
        """Complete trials by their distance, then the others by how far they came."""
        distance = math.inf if self.distance is None else self.distance
        return self.state != "complete", distance, self.number

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "number": self.number,
            "state": self.state,
            "values": self.values,
            "distance": self.distance,
            "scores": {str(step): score for step, score in self.scores.items()},
            "reason": self.reason,
            "retry_of": self.retry_of,
            "path": None if self.path is None else str(self.path),
        }
