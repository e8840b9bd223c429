"""A score: never without what real images score by the same code."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from inkgan.metrics.metric_registry import METRIC_SPECS, MetricSpec, current_key
from inkgan.metrics.stats.intervals import Interval, difference_interval, mean_interval


class Baseline(NamedTuple):
    """What real images score: mean and standard deviation over draws.

    Attributes:
        mean: over the draws.
        sd: of single sets of real images.
        draws: their number.
        error: the standard error of the mean, where draws share images; None for independent ones.
    """

    mean: float
    sd: float
    draws: int
    error: float | None = None

    @property
    def standard_error(self) -> float:
        """The standard error of the mean over the draws."""
        return self.sd / math.sqrt(self.draws) if self.error is None else self.error

    @property
    def interval(self) -> Interval:
        """The mean with its 95 % interval (Student's t over the draws)."""
        return mean_interval(self.mean, self.standard_error * math.sqrt(self.draws), self.draws)


@dataclass(frozen=True)
class Score:
    """A metric's value, its 95 % interval and its baseline.

    The interval bounds the expected value at this number of images: of other images by the same
    generator, compared with other real ones.

    Attributes:
        key: the metric, a key of METRIC_SPECS.
        low: the interval's lower end, `high` its upper end; None where there is no valid interval.
        baseline: what real images score by the same code, on as many images.
        interval_over: what the interval covers, such as "images" or "images and seeds"; "" where
            there is none.
        standard_error: the value's own; None where there is no interval.
        images: how many generated images the value comes from; 0 where that is not known.
        no_interval: why there is no interval, in a sentence; "" where there is one.
        replicates: deviations of the value over groups of images, whose root mean square is the
            standard error. Two scores against the same real images have the same groups of them,
            so that a difference of scores has that of the replicates as its error. May be empty.
    """

    key: str
    value: float
    low: float | None
    high: float | None
    baseline: Baseline
    interval_over: str
    standard_error: float | None = None
    images: int = 0
    no_interval: str = ""
    replicates: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        key: str,
        interval: Interval,
        baseline: Baseline,
        interval_over: str,
        *,
        standard_error: float | None = None,
        images: int = 0,
        replicates: tuple[float, ...] = (),
    ) -> "Score":
        """Make a score with an interval; without a standard error it is that of the wider side."""
        if standard_error is None:
            wider = max(interval.high - interval.value, interval.value - interval.low)
            standard_error = wider / NORMAL
        value, low, high = (float(end) for end in interval)
        return cls(
            key,
            value,
            low,
            high,
            baseline,
            interval_over,
            float(standard_error),
            images,
            "",
            replicates,
        )

    @classmethod
    def without_interval(
        cls, key: str, value: float, baseline: Baseline, reason: str, images: int = 0
    ) -> "Score":
        """Make a score that has no valid interval, and say why in a sentence."""
        return cls(key, value, None, None, baseline, "", None, images, reason)

    @property
    def spec(self) -> MetricSpec:
        """The record of the metric."""
        return METRIC_SPECS[self.key]

    @property
    def interval(self) -> Interval | None:
        """The value with its 95 % interval; None where there is none."""
        if self.low is None or self.high is None:
            return None
        return Interval(self.value, self.low, self.high)

    @property
    def difference(self) -> Interval | None:
        """Value less baseline with its 95 % interval; None where there is none.

        It covers the images of the score and the draws of the baseline.
        """
        if self.interval is None:
            return None
        return difference_interval(self.interval, self.baseline.interval)

    @property
    def excess(self) -> float:
        """How much worse than the baseline; negative is better than real images score."""
        return self.spec.excess(self.value, self.baseline.mean)

    @property
    def excess_interval(self) -> Interval | None:
        """The excess with its 95 % interval; None where there is none."""
        if self.difference is None:
            return None
        return self.spec.excess_interval(self.difference, self.baseline.mean)

    @property
    def margin(self) -> float:
        """The wider half of the 95 % interval; NaN where there is none."""
        if self.interval is None:
            return math.nan
        return max(self.interval.high - self.value, self.value - self.interval.low)

    @property
    def z(self) -> float:
        """The excess in standard deviations of the baseline; NaN where these are 0."""
        return self.excess / self.baseline.sd if self.baseline.sd > 0 else float("nan")

    @property
    def interval_text(self) -> str:
        """Write the interval, such as "91.6 % to 92.6 %", or "-" where there is none."""
        if self.interval is None:
            return self.spec.format_interval(math.nan, math.nan)
        return self.spec.format_interval(self.interval.low, self.interval.high)

    def __str__(self) -> str:
        """Write the value with its interval, such as "92.1 % (91.6 % to 92.6 %)"."""
        inside = "no interval" if self.interval is None else self.interval_text
        return f"{self.spec.format(self.value)} ({inside})"

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain values; None where there is no number."""
        excess = self.excess_interval
        return {
            "key": self.key,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "standard_error": self.standard_error,
            "images": self.images,
            "interval_over": self.interval_over,
            "no_interval": self.no_interval,
            "baseline": self.baseline._asdict(),
            "excess": self.excess,
            "excess_low": None if excess is None else excess.low,
            "excess_high": None if excess is None else excess.high,
            "z": None if math.isnan(self.z) else self.z,
            "replicates": list(self.replicates),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Score":
        """Read what `to_dict` returned; fields of later versions are ignored."""
        row = values["baseline"]
        parts: dict[str, Any] = {key: values.get(key) for key in ("value", "low", "high")}
        parts |= {"interval_over": values.get("interval_over", "")}
        parts |= {key: values[key] for key in _OPTIONAL if key in values}
        return cls(
            key=current_key(values["key"]),
            baseline=Baseline(**{key: row[key] for key in Baseline._fields if key in row}),
            replicates=tuple(values.get("replicates", ())),
            **parts,
        )


NORMAL = 1.959963984540054  # of standard errors in half of a 95 % interval
_OPTIONAL = ("standard_error", "images", "no_interval")
