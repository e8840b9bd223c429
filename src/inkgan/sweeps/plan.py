"""What a sweep does with each trial: the recipe, the budget, and when it is evaluated."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan.config import Recipe
from inkgan.config.data_config import Data
from inkgan.config.serialize import override, to_toml
from inkgan.data.dataset import load_dataset
from inkgan.runs.training_job import JobOptions
from inkgan.sweeps.search_space import SearchSpace
from inkgan.types import Progress

NUM_EVALUATIONS = 10  # of a trial; pruning compares trials after each
MIN_SECONDS = 3.0  # between two evaluations: each takes about a second
SPEED_SHARE = 0.05  # of a trial's minutes: trained first, to measure the speed of the recipe
DEFAULT_HOLDOUT: int = Data.model_fields["holdout"].default


@dataclass(frozen=True)
class SweepPlan:
    """Everything that decides what a trial is.

    Attributes:
        recipe: that the trials change; it reserves validation images.
        space: what is searched.
        options: how each trial is trained; `options.minutes` is its budget of time.
        seed: of the sampler, not of the trials.
        prunes: whether hopeless trials end early.
        train_images: of the data; they and the recipe say how long a whole run is.
    """

    recipe: Recipe
    space: SearchSpace
    options: JobOptions
    seed: int
    prunes: bool
    train_images: int

    @property
    def images(self) -> int:
        """Images of a whole trial."""
        schedule = self.recipe.schedule
        whole = schedule.epochs * self.train_images
        return whole if schedule.images is None else min(whole, schedule.images)

    def identity(self) -> dict[str, Any]:
        """Return what must be equal where a sweep is continued, as plain values."""
        return {
            "recipe": to_toml(self.recipe),
            "search": self.space.as_text(),
            "minutes": self.options.minutes,
            "seed": self.seed,
            "prunes": self.prunes,
        }

    def trial_recipe(self, values: dict[str, Any], interval: int) -> Recipe:
        """Return the recipe of a trial, evaluated after each `interval` images.

        Raises:
            ConfigError: the values do not fit together.
        """
        recipe = self.space.recipe(self.recipe, values)
        schedule = {
            "schedule.evaluation_interval": interval,
            "schedule.sample_interval": max(interval, self.recipe.schedule.sample_interval or 0),
        }
        return override(recipe, schedule)

    def best_recipe(self, values: dict[str, Any], number: int) -> Recipe:
        """Return the recipe of the best trial, to be trained alone."""
        recipe = self.space.recipe(self.recipe, values)
        name = f"{self.recipe.name}-best"[:100]
        notes = f"{recipe.notes}\nTrial {number} of a sweep.".strip()
        return override(recipe, {"name": name, "notes": notes})


def with_validation(
    recipe: Recipe, data_dir: Path | None, progress: Progress
) -> tuple[Recipe, int]:
    """Return the recipe with images reserved for validation, and the number of training images.

    Trials are compared with the reserved images. Loads the data, so that it is downloaded before
    many processes need it.

    Raises:
        DataError: the data cannot be found.
    """
    dataset = load_dataset(recipe.data, "train", data_dir, progress)
    if not dataset.has_validation:
        recipe = override(recipe, {"data.holdout": DEFAULT_HOLDOUT})
    return recipe, len(dataset)


def interval_for(images: float) -> int:
    """Return an interval between evaluations, with one digit, of `images` over all."""
    each = max(1.0, images / NUM_EVALUATIONS)
    return max(1, int(round(each, -math.floor(math.log10(each)))))
