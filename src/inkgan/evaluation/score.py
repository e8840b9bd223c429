"""A score: never without what real images score by the same code."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from inkgan.metrics.metric_registry import METRIC_SPECS, MetricSpec, current_key


class Baseline(NamedTuple):
    """What real images score: mean and standard deviation over draws."""

    mean: float
    sd: float
    draws: int


@dataclass(frozen=True)
class Score:
    """A metric's value, its 95 % interval and its baseline.

    Attributes:
        key: the metric, a key of METRIC_SPECS.
        low: the interval's lower end; `high` its upper end.
        baseline: what real images score by the same code, on as many images.
        interval_over: what the interval covers: sets, seeds, images, baseline draws, or the
            function of a registered metric.
    """

    key: str
    value: float
    low: float
    high: float
    baseline: Baseline
    interval_over: str

    @property
    def spec(self) -> MetricSpec:
        """The record of the metric."""
        return METRIC_SPECS[self.key]

    @property
    def excess(self) -> float:
        """How much worse than the baseline; negative is better than real images score."""
        return self.spec.excess(self.value, self.baseline.mean)

    @property
    def margin(self) -> float:
        """The wider half of the 95 % interval."""
        return max(self.high - self.value, self.value - self.low)

    @property
    def z(self) -> float:
        """The excess in standard deviations of the baseline; NaN where these are 0."""
        return self.excess / self.baseline.sd if self.baseline.sd > 0 else float("nan")

    def __str__(self) -> str:
        """Write the value with its interval, such as "92.1 % (91.6 % to 92.6 %)"."""
        return f"{self.spec.format(self.value)} ({self.spec.format_interval(self.low, self.high)})"

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain values."""
        z = None if self.z != self.z else self.z
        return {**asdict(self), "baseline": self.baseline._asdict(), "excess": self.excess, "z": z}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Score":
        """Read what `to_dict` returned."""
        baseline = Baseline(**values["baseline"])
        parts = {key: values[key] for key in ("value", "low", "high", "interval_over")}
        return cls(key=current_key(values["key"]), baseline=baseline, **parts)
