"""What a generator's latents do to the style of each class, learnt from draws of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri
from sklearn.linear_model import RidgeCV

from inkgan.errors import ConfigError
from inkgan.generation.style_control.measures import MEASURES, UNITS
from inkgan.types import Float32, Float64

PERCENTS = np.arange(101.0)
LOWEST, HIGHEST = 1, 99  # percentiles of the draws between which a style can be asked for
RIDGES = np.logspace(-2, 4, 13)
FEWEST = 50  # draws of a class that tell anything


@dataclass(frozen=True)
class Calibration:
    """How one class answers to its latents.

    Attributes:
        axes: float64 (3, latent_dim), a unit vector for each of MEASURES. The coordinate z . axis
            is standard normal.
        slopes: float64 (3, 3), the change of each measure (rows) with each coordinate.
        percentiles: float64 (3, 101), of each measure over the class.
    """

    axes: Float64
    slopes: Float64
    percentiles: Float64

    @property
    def taught(self) -> np.ndarray:
        """Whether each axis is a coordinate of its own, as bool (3,)."""
        single: np.ndarray = (self.axes != 0).sum(axis=1) == 1
        return single

    def ranges(self) -> Float64:
        """Return the least and the greatest of each measure that can be asked for, (3, 2)."""
        reachable: Float64 = self.percentiles[:, [LOWEST, HIGHEST]]
        return reachable

    def scores(self, measured: Float64) -> Float64:
        """Turn measures (n, 3) into coordinates: the normal quantiles of their ranks in the class.

        Ranks end at half a percent from either end.
        """
        columns = [
            np.interp(column, known, PERCENTS / 100)
            for column, known in zip(measured.T, self.percentiles, strict=True)
        ]
        ranks = np.stack(columns, axis=1)
        coordinates: Float64 = ndtri(np.clip(ranks, 0.005, 0.995))
        return np.where(np.isnan(measured), np.nan, coordinates)

    def expected(self, scores: Float64) -> Float64:
        """Turn coordinates (n, 3) into measures, the other way round."""
        columns = [
            np.interp(100 * ndtr(column), PERCENTS, known)
            for column, known in zip(scores.T, self.percentiles, strict=True)
        ]
        return np.stack(columns, axis=1)

    def refuse_unreachable(self, class_name: str, targets: Float64) -> None:
        """Refuse targets (n, 3) outside the range of the class.

        Raises:
            ConfigError: names the first and the range.
        """
        for name, column, (least, most) in zip(MEASURES, targets.T, self.ranges(), strict=True):
            wrong = column[(column < least) | (column > most)]
            if len(wrong):
                raise ConfigError(
                    f"--{name} {wrong[0]:g} is out of reach for a {class_name}: this generator "
                    f"draws it with {least:.1f} to {most:.1f} {UNITS[name]}"
                )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: value.tolist() for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Calibration":
        """Read what `as_json` returned."""
        return cls(**{name: np.asarray(value, np.float64) for name, value in document.items()})


def fit_calibration(
    latents: Float32, measured: Float64, names: Sequence[str], class_name: str
) -> Calibration:
    """Learn how a class answers, from its draws.

    A style that the generator was taught has a latent coordinate of its own, and that is its axis.
    Another one's axis is the direction in which a ridge regression on all coordinates sees it grow
    (its penalty chosen by leave-one-out).

    Args:
        latents: float32 (n, latent_dim).
        measured: of their images, float64 (n, 3), NaN where one is blank.
        names: the styles of the first latent coordinates, in order; none where it was taught none.
        class_name: for messages.

    Raises:
        ConfigError: fewer than FEWEST images with ink.
    """
    inked = ~np.isnan(measured).any(axis=1)
    z, m = latents[inked].astype(np.float64), measured[inked]
    if len(z) < FEWEST:
        raise ConfigError(
            f"only {len(z)} of {len(latents)} draws for {class_name} could be measured; train the "
            "generator longer, or ask for another digit"
        )
    axes = np.zeros((len(MEASURES), z.shape[1]))
    for row, (name, values) in enumerate(zip(MEASURES, m.T, strict=True)):
        if name in names:
            axes[row, list(names).index(name)] = 1
        else:
            direction = RidgeCV(RIDGES).fit(z, values).coef_
            axes[row] = direction / max(float(np.linalg.norm(direction)), 1e-12)
    known = np.column_stack([np.ones(len(z)), z @ axes.T])
    slopes = np.linalg.lstsq(known, m, rcond=None)[0][1:].T
    percentiles = np.percentile(m, PERCENTS, axis=0).T
    return Calibration(axes, np.asarray(slopes, np.float64), percentiles)
