"""A generator's calibrations: computed once a class, then kept in the user's cache."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.generation.protocols import GeneratorLike
from inkgan.generation.style_control.calibration import Calibration, fit_calibration
from inkgan.generation.style_control.measures import measure_styles
from inkgan.metrics.features.extractors import look
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Progress, silent

VERSION = "1"  # of measures and method; a change makes what is kept worthless
DRAWS = 400  # a class; twice as many move no percentile between 5 and 95 by a visible amount
POOL = 4000  # of a generator that obeys no labels, sorted by the judge
FIRST_SEED = 3_000_000  # apart from those that people ask for
DIGITS = tuple("0123456789")


def is_readable(sampler: GeneratorLike) -> bool:
    """Return whether the judge can read what a sampler draws: digits of 28x28 grey."""
    return sampler.bundle.shape == (1, SIDE, SIDE) and sampler.bundle.classes == DIGITS


class CalibrationCache:
    """What each class of a generator answers to its latents."""

    def __init__(self, sampler: GeneratorLike, progress: Progress = silent) -> None:
        self.sampler, self.progress = sampler, progress
        self._known: dict[str, Calibration] = {}

    def of(self, labels: Sequence[int]) -> list[Calibration]:
        """Return the calibration of each label's class.

        Raises:
            ConfigError: draws of such a class cannot be measured, or the judge cannot sort those
                of an unconditional generator.
        """
        names = [self.sampler.bundle.classes[label] for label in labels]
        missing = sorted(set(names) - set(self._known))
        if missing:
            self._known |= {k: Calibration.from_json(v) for k, v in self._kept().items()}
            missing = [name for name in missing if name not in self._known]
        if missing:
            self._known |= (
                self._conditional(missing) if self.sampler.conditional else self._sorted()
            )
            kept = {name: calibration.as_json() for name, calibration in self._known.items()}
            files.write_json(self._path, {"version": VERSION, "classes": kept})
        for name in names:
            if name not in self._known:
                raise ConfigError(
                    f"{self.sampler.bundle.recipe.name} hardly ever draws a {name}; ask for "
                    "another digit, or name a conditional generator"
                )
        return [self._known[name] for name in names]

    def _conditional(self, names: Sequence[str]) -> dict[str, Calibration]:
        latents = self.sampler.latents(range(FIRST_SEED, FIRST_SEED + DRAWS))
        found = {}
        for number, name in enumerate(names, 1):
            label = self.sampler.bundle.classes.index(name)
            images = self.sampler.render(latents, [label] * DRAWS)
            found[name] = fit_calibration(latents, measure_styles(images), self._styles, name)
            self.progress("calibrating styles", number, len(names))
        return found

    def _sorted(self) -> dict[str, Calibration]:
        """Calibrate all classes of an unconditional generator, as the judge reads its draws."""
        if not is_readable(self.sampler):
            raise ConfigError(
                f"{self.sampler.bundle.recipe.name} is unconditional, and the judge sorts digits "
                "of 28x28 grey alone; name a conditional generator"
            )
        latents = self.sampler.latents(range(FIRST_SEED, FIRST_SEED + POOL))
        images = self.sampler.render(latents)
        read = look(images, self.progress, "sorting draws").read
        measured = measure_styles(images)
        found = {}
        for label, name in enumerate(DIGITS):
            try:
                rows = read == label
                found[name] = fit_calibration(latents[rows], measured[rows], self._styles, name)
            except ConfigError:  # too few of them
                continue
        return found

    @property
    def _styles(self) -> Sequence[str]:
        return self.sampler.bundle.recipe.model.style_measures

    @property
    def _path(self) -> Path:
        return files.cache_folder() / "styles" / f"{self.sampler.bundle.digest[:32]}.json"

    def _kept(self) -> dict[str, Any]:
        """Read what was computed before; what cannot be read is computed anew."""
        try:
            held = files.read_json(self._path)
            return dict(held["classes"]) if held["version"] == VERSION else {}
        except (ArtifactError, KeyError, TypeError, ValueError):
            return {}
