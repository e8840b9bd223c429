"""A score: never without the floor that real images reach by the same code."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple


class Floor(NamedTuple):
    """What real images score: mean and standard deviation over draws."""

    mean: float
    sd: float
    draws: int


REPORT = "report.json"  # what a judgement is kept as
KIND = "judgement"


class Metric(NamedTuple):
    """A metric's name, which way is better, and what it reads."""

    title: str
    better: Literal["lower", "higher", "real"]
    reads: str


METRICS: dict[str, Metric] = {
    "fd_e1": Metric("Fréchet distance, E1", "lower", "quality and variety, by the classifier"),
    "fd_e2": Metric("Fréchet distance, E2", "lower", "the same, by the autoencoder"),
    "fd_infinity_e1": Metric("FD-infinity, E1", "lower", "without the bias of a finite sample"),
    "fd_infinity_e2": Metric("FD-infinity, E2", "lower", "the same, by the autoencoder"),
    "kid": Metric("KID, cubic kernel", "lower", "unbiased check of the Fréchet distance"),
    "mmd": Metric("MMD, Gaussian kernel", "lower", "the same with another kernel"),
    "precision": Metric("Precision", "higher", "share of images that look real"),
    "recall": Metric("Recall", "higher", "share of real images that could have been drawn"),
    "density": Metric("Density", "higher", "how deep among the real images they lie"),
    "coverage": Metric("Coverage", "higher", "share of real images with a drawn one nearby"),
    "clear": Metric("Clear digits", "real", "read with a confidence of 0.9 or more"),
    "label_accuracy": Metric("Label accuracy", "real", "read as the digit that was asked for"),
    "worst_class_fd": Metric("Worst digit's distance", "lower", "hidden collapse of one digit"),
    "worst_class_recall": Metric("Worst digit's recall", "higher", "hidden collapse of one digit"),
    "usefulness": Metric("Train on these, test on real", "higher", "accuracy of a fixed small CNN"),
    "two_sample_auc": Metric("Real or drawn? AUC", "lower", "a CNN's guess; 0.5 is perfect"),
    "one_nearest": Metric("Nearest neighbour is alike", "lower", "1-NN accuracy; 0.5 is perfect"),
    "near_train": Metric("Near to training images", "lower", "nearer than 1 % of test images are"),
    "copies": Metric("Copies", "lower", "next to one training image, far from all others"),
    "authenticity": Metric("Authenticity", "higher", "no nearer to it than its own neighbour"),
    "ct": Metric("C_T", "higher", "under -3: nearer to the training set than test images"),
    "fid": Metric("FID, Inception", "lower", "for comparison with papers; weak on digits"),
    "modes": Metric("Modes of 1000", "higher", "three-digit numbers drawn at least once"),
    "kl": Metric("KL from uniform", "lower", "evenness of the 1000 modes, in nats"),
    "kl_debiased": Metric("KL, debiased", "lower", "less what a finite sample adds"),
}


@dataclass(frozen=True)
class Score:
    """A metric's value, its 95 % interval and its floor.

    Attributes:
        key: the metric, a key of METRICS.
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
    def excess(self) -> float:
        """How much worse than the floor; negative is better than real images score."""
        gap = self.value - self.floor.mean
        better = METRICS[self.key].better
        return abs(gap) if better == "real" else -gap if better == "higher" else gap

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
        parts = {key: value[key] for key in ("key", "value", "low", "high", "spread")}
        return cls(floor=floor, **parts)


SHARES = frozenset(
    (
        "precision",
        "recall",
        "coverage",
        "clear",
        "label_accuracy",
        "worst_class_recall",
        "usefulness",
        "near_train",
        "copies",
        "authenticity",
    )
)


def shown(key: str, value: float) -> str:
    """Write a value of a metric for people: shares in per cent, the rest to three digits."""
    if key in SHARES:
        return f"{100 * value:.2f} %"
    if key in ("modes",):
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
