"""The one way from what a caller of `train` says to the recipe that is trained."""

from pathlib import Path

from inkgan.config.recipe import Recipe
from inkgan.config.recipes import DEFAULT_RECIPE, get_recipe
from inkgan.config.serialize import Overrides, override

RECIPE_FILE = "recipe.toml"  # of a run folder


def load_recipe(recipe: str | Path | Recipe | None, out: str | Path | None = None) -> Recipe:
    """Return the recipe, by default that of the run in `out`, or dcgan.

    Raises:
        ConfigError: there is no such recipe.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if recipe is None and out is not None and (Path(out) / RECIPE_FILE).is_file():
        return get_recipe(Path(out) / RECIPE_FILE)
    return get_recipe(DEFAULT_RECIPE if recipe is None else recipe)


def override_for_training(
    recipe: Recipe,
    overrides: Overrides = (),
    *,
    data: str | None = None,
    epochs: int | None = None,
    images: int | None = None,
    sample_interval: int | None = None,
    evaluation_interval: int | None = None,
    seed: int | None = None,
) -> Recipe:
    """Return the recipe with the overrides and the keywords of `train` applied.

    Args:
        recipe: is not changed.
        overrides: values by dotted field, or texts "field=value"; applied first.
        data: the name of a data set.
        epochs: how often each image is shown.
        images: to stop after.
        sample_interval: images between two grids.
        evaluation_interval: images between two evaluations.
        seed: of the run.

    Raises:
        ConfigError: a field does not exist or a value is impossible; names the parameter.
    """
    chosen = override(recipe, overrides) if overrides else recipe
    for name, field, value in (
        ("data", "data.name", data),
        ("epochs", "schedule.epochs", epochs),
        ("images", "schedule.images", images),
        ("sample_interval", "schedule.sample_interval", sample_interval),
        ("evaluation_interval", "schedule.evaluation_interval", evaluation_interval),
        ("seed", "seed", seed),
    ):
        if value is not None:
            chosen = override(chosen, {field: value}, f"`{name}={value!r}`")
    return chosen
