"""How far an evaluation is, as a share of the whole: stages count by the time that they take."""

from collections.abc import Mapping

from inkgan.types import Progress, silent

STAGE_SECONDS: Mapping[str, Mapping[str, float]] = {
    "quick": {
        "drawing images": 11,
        "features of the images": 4,
        "features of real images": 3,
        "baselines: sets of real images": 5,
        "measuring sets of images": 5,
        "intervals": 5,
        "drawing each latent as every digit": 2,
        "measuring strokes": 2,
        "drawing the report": 2,
    },
    "full": {
        "drawing images": 66,
        "features of the images": 24,
        "features of real images": 3,
        "baselines: sets of real images": 50,
        "measuring sets of images": 45,
        "intervals": 30,
        "looking for copies": 100,
        "baselines: FD-infinity": 10,
        "FD-infinity": 20,
        "baselines: a classifier trained on real images": 60,
        "baselines: real or generated?": 15,
        "training classifiers on the images": 60,
        "real or generated?": 15,
        "baselines: halves of the test images": 10,
        "drawing each latent as every digit": 2,
        "measuring strokes": 2,
        "drawing the report": 3,
    },
}
"""Rough CPU seconds of each stage, in the order in which they come, for the flagship's digits."""


class OverallProgress:
    """Passes progress on, and knows which share of the evaluation is done.

    Stages that are left out, because baselines are in the cache for example, count as done when a
    later one begins. The share never falls.

    Args:
        protocol: "quick" or "full".
        progress: that the reports of stages are passed on to.

    Attributes:
        share: that is done, from 0 to 1.
        stage: the newest one.

    Examples:
        >>> overall = OverallProgress("quick")
        >>> overall("drawing the report", 1, 1)
        >>> overall.share
        1.0
    """

    def __init__(self, protocol: str, progress: Progress = silent) -> None:
        self._stages, self._progress = STAGE_SECONDS[protocol], progress
        self.share = 0.0
        self.stage = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take in one report."""
        self._progress(what, done, total)
        self.stage = what
        if what not in self._stages:
            return
        before = 0.0
        for stage, seconds in self._stages.items():
            if stage == what:
                before += seconds * done / max(total, 1)
                break
            before += seconds
        self.share = max(self.share, before / sum(self._stages.values()))
