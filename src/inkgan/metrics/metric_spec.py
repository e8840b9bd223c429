"""What a metric is called, which way is better, and how its values are written."""

import math
from dataclasses import dataclass
from typing import Literal

from inkgan.errors import ConfigError
from inkgan.metrics.stats.intervals import Interval, folded

Direction = Literal["lower", "higher", "baseline", "value"]
Unit = Literal["share", "fraction", "distance", "count", "number"]
IntervalMethod = Literal["wilson", "delta", "groups", "networks", "ranks", "bootstrap", "function"]
BaselineKind = Literal[
    "set", "infinity", "cas", "two-sample", "train-distances", "modes", "inception", "custom"
]
Group = Literal["distance", "prdc", "labels", "class", "trained", "memorization", "modes", "custom"]
LeaderboardTable = Literal["", "closeness", "details", "labels"]

ARROWS: dict[Direction, str] = {"lower": "↓", "higher": "↑", "baseline": "=", "value": "="}
MINUS = "\N{MINUS SIGN}"  # as wide as the plus sign
NO_NUMBER = "-"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def format_number(value: float) -> str:
    """Write a number with three significant digits, with a power of ten where it is tiny."""
    if not math.isfinite(value):
        return NO_NUMBER
    size = abs(value)
    if size >= 999.5:
        text = f"{size:,.0f}"
    elif 0 < size < 0.001:
        mantissa, exponent = f"{size:.2e}".split("e")
        text = f"{mantissa}·10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    else:
        text = f"{size:#.3g}".rstrip(".") if size else "0"
    return MINUS * (value < 0) + text


def format_with_margin(value: float, margin: float) -> str:
    """Write a number no finer than its margin, such as "94.0 ± 0.5".

    The margin has two digits below 3.55 and one above: the rule of the Review of Particle Physics,
    introduction, section 5.3. Margins of 10 and more are whole numbers, and none has more than
    four decimals. Without a margin (0, or no number) the value has four significant digits.
    """
    if not 0 < margin < math.inf:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    exponent = math.floor(math.log10(margin))
    decimals = min(4, max(0, int(margin / 10**exponent < 3.55) - exponent))
    return f"{value:,.{decimals}f} ± {margin:,.{decimals}f}"


@dataclass(frozen=True)
class MetricSpec:
    """What a metric is called, which way is better, and how its values are written.

    Attributes:
        key: the name in `report.scores` and in report.json, such as "fd_e1".
        title: the name in tables and charts.
        direction: "lower" or "higher" is better; or best at the "baseline", which is what real
            images score; or best at a "value", which is `best_value`.
        summary: what it reads, in a few words, to stand beside the title.
        explanation: one sentence for a glossary.
        unit: "share" in 0..1, written in per cent; "fraction", a number near 0..1 with three
            decimals; "distance", 0 for equal distributions; "count"; any other "number".
        interval: where the 95 % interval comes from. "wilson": a binomial share of the images;
            "delta": the delta method, to second order; "groups": the spread over disjoint groups
            of both sets; "networks": test images and trained networks; "ranks": DeLong;
            "bootstrap"; "function": the metric's own.
        baseline: which part of the protocol gives the score of real images.
        group: where it belongs in a long table.
        best_value: the best value where `direction` is "value".
        leaderboard: the table of the leaderboard that shows it; "" for none.
    """

    key: str
    title: str
    direction: Direction
    summary: str
    explanation: str = ""
    unit: Unit = "number"
    interval: IntervalMethod = "function"
    baseline: BaselineKind = "custom"
    group: Group = "custom"
    best_value: float | None = None
    leaderboard: LeaderboardTable = ""

    def __post_init__(self) -> None:
        """Refuse a record that contradicts itself.

        Raises:
            ConfigError: an empty `key`, an unknown `direction` or `unit`, or a `best_value` that
                is missing or has no use.
        """
        if not self.key or "/" in self.key:
            raise ConfigError(f"`key` must be a name without a slash, not {self.key!r}")
        if self.direction not in ARROWS:
            known = ", ".join(ARROWS)
            raise ConfigError(f"`direction` must be one of {known}, not {self.direction!r}")
        if self.unit not in ("share", "fraction", "distance", "count", "number"):
            raise ConfigError(
                f"`unit` must be one of share, fraction, distance, count, number, not {self.unit!r}"
            )
        if (self.direction == "value") != (self.best_value is not None):
            raise ConfigError('`best_value` must be given with direction="value", and only there')

    @property
    def is_share(self) -> bool:
        """Whether values are shares in 0..1, written in per cent."""
        return self.unit == "share"

    @property
    def is_distance(self) -> bool:
        """Whether values are distances of two distributions, to be divided by their baseline."""
        return self.unit == "distance"

    @property
    def arrow(self) -> str:
        """The sign behind the title: ↓ lower is better, ↑ higher, = nearer to the best value."""
        return ARROWS[self.direction]

    @property
    def direction_text(self) -> str:
        """Which way is better, in words."""
        if self.direction == "value":
            return f"best at {self.best_value:g}"
        if self.direction == "baseline":
            return "best where real images score"
        return f"{self.direction} is better"

    def excess(self, value: float, baseline: float) -> float:
        """Return how much worse `value` is than the `baseline` of real images.

        Negative where it is better than real images score. For "lower" the difference, for
        "higher" its negative; for "baseline" the distance from the baseline; for "value" how much
        farther from the best value than the baseline is.
        """
        if self.direction == "lower":
            return value - baseline
        if self.direction == "higher":
            return baseline - value
        if self.direction == "baseline" or self.best_value is None:
            return abs(value - baseline)
        return abs(value - self.best_value) - abs(baseline - self.best_value)

    def excess_interval(self, difference: Interval, baseline: float) -> Interval:
        """Turn the interval of value - baseline into that of `excess`.

        Where the best value lies between, the lower end is that of the best value itself.
        """
        if self.direction == "lower":
            return difference
        if self.direction == "higher":
            return Interval(-difference.value, -difference.high, -difference.low)
        if self.direction == "baseline" or self.best_value is None:
            return folded(difference, 0.0)
        from_best = folded(difference, self.best_value - baseline)
        own = abs(baseline - self.best_value)
        return Interval(*(end - own for end in from_best))

    def format(self, value: float, decimals: int | None = None) -> str:
        """Write a value: shares in per cent, counts whole, the rest with three digits.

        `decimals` replaces the usual number of decimals of shares (2) and fractions (3).
        """
        if not math.isfinite(value):
            return NO_NUMBER
        if self.unit == "share":
            text = f"{100 * value:.{2 if decimals is None else decimals}f} %"
        elif self.unit == "fraction":
            text = f"{value:.{3 if decimals is None else decimals}f}"
        elif self.unit == "count":
            text = f"{value:,.0f}"
        else:
            return format_number(value)
        return text.replace("-", MINUS, 1) if text.startswith("-") else text

    def format_interval(self, low: float, high: float, decimals: int | None = None) -> str:
        """Write an interval like its value, such as "94.10 % to 95.02 %"."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return NO_NUMBER
        return f"{self.format(low, decimals)} to {self.format(high, decimals)}"

    def format_difference(self, difference: float) -> str:
        """Write the difference of two values with its sign; of shares in points (hundredths)."""
        if not math.isfinite(difference):
            return NO_NUMBER
        text = self.format(abs(difference)).replace(" %", " points")
        return (MINUS if difference < 0 else "+") + text

    def format_margin_of(self, margin: float) -> str:
        """Write the margin of a difference without a sign, such as "0.50 points"."""
        return self.format_difference(margin).removeprefix("+")

    def format_difference_interval(self, low: float, high: float) -> str:
        """Write the interval of a difference, such as "+0.30 to +1.20 points"."""
        first, second = self.format_difference(low), self.format_difference(high)
        return f"{first.removesuffix(' points')} to {second}"

    @property
    def heading(self) -> str:
        """The heading of a column: title, unit of shares and arrow, such as "Recall, % ↑"."""
        return f"{self.title}{', %' if self.is_share else ''} {self.arrow}"

    def format_margin(self, value: float, margin: float = 0.0) -> str:
        """Write a value below `heading`, no finer than its margin: shares in per cent, no sign."""
        unit = 100 if self.is_share else 1
        return format_with_margin(unit * value, unit * margin)
