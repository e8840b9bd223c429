"""How far from real images a score may lie and still count as that of real images.

An equivalence test needs a margin that is stated before anything is measured (Schuirmann 1987:
two one-sided tests). A score is equivalent to that of real images if the 95 % interval of its
difference from the real baseline lies wholly within plus or minus the margin.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Margin:
    """The largest difference from the real baseline that counts as none.

    Attributes:
        amount: in the metric's own unit, or as a share of the baseline.
        reason: why so much, in a sentence.
        of_baseline: `amount` is a share of the baseline.
    """

    amount: float
    reason: str
    of_baseline: bool = False

    def at(self, baseline: float) -> float:
        """Return the margin in the metric's own unit."""
        return self.amount * abs(baseline) if self.of_baseline else self.amount


_DISTANCE = Margin(
    0.15,
    "Twice what single sets of 10,000 real images differ by (7 %).",
    of_baseline=True,
)
_INFINITY = Margin(
    0.10, "A tenth of the distance between the writers of both splits.", of_baseline=True
)
_SHARE_OF_REAL = Margin(0.005, "Half a point: 50 of the 10,000 test images.")
_GUESS = Margin(0.02, "Fifty-two right guesses in a hundred instead of fifty.")

MARGINS: Mapping[str, Margin] = MappingProxyType(
    {
        "fd_e1": _DISTANCE,
        "fd_e2": _DISTANCE,
        "fd_infinity_e1": _INFINITY,
        "fd_infinity_e2": _INFINITY,
        "kid": Margin(0.2, "Three standard deviations of one set of 10,000 real images."),
        "mmd": Margin(3e-5, "Four standard deviations of one set of 10,000 real images."),
        "precision": Margin(0.01, "One image in a hundred."),
        "recall": _SHARE_OF_REAL,
        "density": Margin(0.025, "Four standard deviations of one set of 10,000 real images."),
        "coverage": _SHARE_OF_REAL,
        "confident": Margin(0.003, "Three images in a thousand, a third of the unclear real ones."),
        "label_accuracy": Margin(0.002, "Two images in a thousand, half of E1's own errors."),
        "worst_class_fd": Margin(
            0.35, "Twice what single sets of real images differ by (17 %).", of_baseline=True
        ),
        "worst_class_recall": Margin(0.02, "Twenty of the 1,000 test images of a digit."),
        "cas": Margin(0.0015, "Fifteen of the 10,000 test images; seeds alone move it by five."),
        "two_sample_auc": _GUESS,
        "one_nearest": _GUESS,
        "near_train": Margin(0.005, "Half of the share that is expected of test images."),
        "copies": Margin(0.002, "Two images in a thousand; the copy test finds as many."),
        "authenticity": Margin(0.02, "Three standard deviations of halves of the test images."),
        "ct": Margin(3.0, "Below -3 its authors call it copying (Meehan et al. 2020)."),
        "modes": Margin(1.0, "One of the thousand combinations."),
        "kl": Margin(0.005, "A fifth of what a finite sample of a perfect generator shows."),
        "kl_debiased": Margin(0.005, "As for the plain divergence."),
    }
)
"""The margin of every metric of the protocol. A metric without one is never called equivalent."""
