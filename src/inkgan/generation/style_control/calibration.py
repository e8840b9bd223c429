"""How a generator's latents change the style of each class, fitted to its own draws."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from inkgan import files, rng
from inkgan.errors import ConfigError
from inkgan.generation.protocols import DIGITS, GeneratorLike, can_classify
from inkgan.generation.style_control.style import MEASURES, UNITS, style_of
from inkgan.images import light_on_dark
from inkgan.metrics.features.extractors import classify
from inkgan.types import Float32, Float64, Progress, silent

PERCENTS = np.arange(101.0)
LOWEST, HIGHEST = 1, 99  # percentiles of the draws between which a style can be requested
RIDGES = np.logspace(-2, 4, 13)
FEWEST_DRAWS = 50  # of a class, for a fit
VERSION = f"1.{rng.VERSION}"  # of measures and draws; after a change they are computed again
DRAWS = 400  # a class; twice as many move no percentile between 5 and 95 by a visible amount
POOL = 4000  # of an unconditional generator, classified by E1
FIRST_SEED = 3_000_000  # far from those that people use


@dataclass(frozen=True)
class Calibration:
    """How the style of one class depends on its latents.

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
    def is_coordinate(self) -> np.ndarray:
        """Whether each axis is a single latent coordinate, as bool (3,)."""
        single: np.ndarray = (self.axes != 0).sum(axis=1) == 1
        return single

    def ranges(self) -> Float64:
        """Return the lowest and the highest measures that can be requested, (3, 2)."""
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
        """Turn coordinates (n, 3) into measures: the inverse of `scores`."""
        columns = [
            np.interp(100 * ndtr(column), PERCENTS, known)
            for column, known in zip(scores.T, self.percentiles, strict=True)
        ]
        return np.stack(columns, axis=1)

    def check_reachable(self, class_name: str, low: Float64, high: Float64) -> None:
        """Refuse bounds (n, 3) that no image of the class meets.

        Raises:
            ConfigError: names the first and the range of the class.
        """
        for column, (name, (least, most)) in enumerate(zip(MEASURES, self.ranges(), strict=True)):
            above, below = low[:, column] > most, high[:, column] < least
            if above.any() or below.any():
                wrong = low[above, column] if above.any() else high[below, column]
                raise ConfigError(
                    f"`{name}` {wrong[0]:g} is out of reach for a {class_name}: this generator "
                    f"draws it with {least:.1f} to {most:.1f} {UNITS[name]}"
                )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: value.tolist() for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Calibration":
        """Restore what `as_json` returned.

        Raises:
            ValueError, TypeError: it is none, is of another shape, or has numbers that are none.
        """
        try:
            arrays = {name: np.asarray(value, np.float64) for name, value in document.items()}
        except OverflowError as error:
            raise ValueError("a calibration with endless numbers") from error
        restored = cls(**arrays)
        count = len(MEASURES)
        shapes = restored.slopes.shape, restored.percentiles.shape, restored.axes.shape[:1]
        if shapes != ((count, count), (count, len(PERCENTS)), (count,)) or restored.axes.ndim != 2:
            raise ValueError(f"a calibration of shapes {shapes}")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("a calibration with numbers that are none")
        return restored


def fit_calibration(
    latents: Float32, measured: Float64, names: Sequence[str], class_name: str
) -> Calibration:
    """Fit how the style of a class depends on its latents, to draws of the class.

    A style that the generator was trained with has a latent coordinate of its own: this is its
    axis. The axis of any other style is the direction of a ridge regression of the measure on all
    coordinates, its penalty chosen by leave-one-out.

    Args:
        latents: float32 (n, latent_dim).
        measured: of their images, float64 (n, 3), NaN where one is blank.
        names: the styles of the first latent coordinates, in order; empty if it has none.
        class_name: for messages.

    Raises:
        ConfigError: fewer than FEWEST_DRAWS images with ink.
    """
    from sklearn.linear_model import RidgeCV  # a second, for calibrations alone

    inked = ~np.isnan(measured).any(axis=1)
    z, m = latents[inked].astype(np.float64), measured[inked]
    if len(z) < FEWEST_DRAWS:
        raise ConfigError(
            f"only {len(z)} of {len(latents)} draws for {class_name} could be measured; train the "
            "generator longer, or request another digit"
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


class CalibrationCache:
    """The calibrations of a generator's classes, computed once and kept in the user's cache.

    Attributes:
        generator: what draws.
    """

    def __init__(self, generator: GeneratorLike, progress: Progress = silent) -> None:
        self.generator, self.progress = generator, progress
        self._known: dict[str, Calibration] = {}

    def of(self, labels: Sequence[int]) -> list[Calibration]:
        """Return the calibration of each label's class.

        Raises:
            ConfigError: draws of a class cannot be measured, or those of an unconditional
                generator cannot be classified.
        """
        names = [self.generator.bundle.classes[label] for label in labels]
        missing = sorted(set(names) - set(self._known))
        if missing:
            self._known |= self._read_cache()
            missing = [name for name in missing if name not in self._known]
        if missing:
            self._known |= (
                self._conditional(missing) if self.generator.conditional else self._classified()
            )
            classes = {name: calibration.as_json() for name, calibration in self._known.items()}
            files.cache_json(self._name, {"version": VERSION, "classes": classes})
        for name in names:
            if name not in self._known:
                raise ConfigError(
                    f"{self.generator.bundle.recipe.name} hardly ever draws a {name}; request "
                    "another digit, or use a conditional generator"
                )
        return [self._known[name] for name in names]

    def _conditional(self, names: Sequence[str]) -> dict[str, Calibration]:
        latents = self.generator.latents(range(FIRST_SEED, FIRST_SEED + DRAWS))
        found = {}
        for number, name in enumerate(names, 1):
            label = self.generator.bundle.classes.index(name)
            images = self.generator.render(latents, [label] * DRAWS)
            found[name] = fit_calibration(latents, style_of(images), self._styles, name)
            self.progress("calibrating styles", number, len(names))
        return found

    def _classified(self) -> dict[str, Calibration]:
        """Calibrate all classes of an unconditional generator, whose draws E1 classifies."""
        if not can_classify(self.generator.bundle):
            raise ConfigError(
                f"{self.generator.bundle.recipe.name} is unconditional, and only digits of "
                "28x28 gray can be classified; use a conditional generator"
            )
        latents = self.generator.latents(range(FIRST_SEED, FIRST_SEED + POOL))
        images = self.generator.render(latents)
        predicted = classify(light_on_dark(images), self.progress, "classifying draws").predicted
        measured = style_of(images)
        found = {}
        for label, name in enumerate(DIGITS):
            try:
                rows = predicted == label
                found[name] = fit_calibration(latents[rows], measured[rows], self._styles, name)
            except ConfigError:  # too few of them
                continue
        return found

    @property
    def _styles(self) -> Sequence[str]:
        return self.generator.bundle.recipe.model.style_measures

    @property
    def _name(self) -> str:
        return f"styles/{self.generator.bundle.digest[:32]}.json"

    def _read_cache(self) -> dict[str, Calibration]:
        """Read what was computed before; an unreadable file counts as empty."""
        for document in files.cached_json(self._name):
            with contextlib.suppress(AttributeError, KeyError, TypeError, ValueError):
                if document["version"] == VERSION:
                    classes = document["classes"].items()
                    return {name: Calibration.from_json(values) for name, values in classes}
        return {}
