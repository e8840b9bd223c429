"""Writes docs/recipes.md from the recipes themselves; a test checks that it is up to date.

Run it with: python docs/generate.py
"""

from pathlib import Path

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.data.registry import DATASETS
from inkgan.images import Shape
from inkgan.models.build import build_discriminator, build_generator, count_parameters

PAGE = Path(__file__).with_name("recipes.md")
HEAD = """# The recipes

Written by `python docs/generate.py`; do not edit. `inkgan recipes show NAME` prints a recipe whole.

| recipe | loss | rate, betas | batch | epochs | generator | discriminator | with statistics |
|---|---|---|---|---|---|---|---|
"""
MNIST = Shape(1, 28, 28)


def page() -> str:
    """Return the page: a table of all recipes, then each one's notes."""
    rows = "".join(_row(recipe) for recipe in RECIPES.values())
    notes = "".join(f"\n## {recipe.name}\n\n{recipe.notes}\n" for recipe in RECIPES.values())
    return f"{HEAD}{rows}{notes}"


def _row(recipe: Recipe) -> str:
    shape = DATASETS[recipe.data.name].shape or MNIST
    networks = (
        build_generator(recipe.model, shape, recipe.seed),
        build_discriminator(recipe.model, shape, recipe.seed),
    )
    counts = [f"{count_parameters(network):,}" for network in networks]
    whole = " / ".join(f"{count_parameters(network, with_buffers=True):,}" for network in networks)
    optim, schedule = recipe.optim, recipe.schedule
    cells = (
        recipe.name,
        recipe.objective.loss,
        f"{optim.lr:g}, {optim.beta1:g}, {optim.beta2:g}",
        str(schedule.batch_size),
        str(schedule.epochs),
        *counts,
        whole,
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
