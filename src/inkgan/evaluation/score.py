"""A score: never without the floor that real images reach by the same code."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from inkgan.metrics.spec import METRIC_SPECS, MetricSpec, current_key


class Floor(NamedTuple):
    """What real images score: mean and standard deviation over draws."""

    mean: float
    sd: float
    draws: int


REPORT = "report.json"  # what a judgement is kept as
KIND = "judgement"


@dataclass(frozen=True)
class Score:
    """A metric's value, its 95 % interval and its floor.

    Attributes:
        key: the metric, a key of METRIC_SPECS.
        low: the interval's lower end; `high` its upper end.
        floor: what real images score by the same code, on as many images.
        spread: of what the interval speaks: sets, seeds, images or floor draws.
    """

    key: str
    value: float
    low: float
    high: float
    floor: Floor
    spread: str

    @property
    def spec(self) -> MetricSpec:
        """The record of the metric."""
        return METRIC_SPECS[self.key]

    @property
    def excess(self) -> float:
        """How much worse than the floor; negative is better than real images score."""
        return self.spec.excess(self.value, self.floor.mean)

    @property
    def margin(self) -> float:
        """The wider half of the 95 % interval."""
        return max(self.high - self.value, self.value - self.low)

    @property
    def z(self) -> float:
        """The excess in standard deviations of the floor."""
        return self.excess / self.floor.sd if self.floor.sd > 0 else float("nan")

    def as_json(self) -> dict[str, Any]:
        """Return the score as plain values."""
        z = None if self.z != self.z else self.z
        return {**asdict(self), "floor": self.floor._asdict(), "excess": self.excess, "z": z}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Score":
        """Read a score back."""
        floor = Floor(**value["floor"])
        parts = {key: value[key] for key in ("value", "low", "high", "spread")}
        return cls(key=current_key(value["key"]), floor=floor, **parts)
