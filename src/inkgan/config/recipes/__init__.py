"""The named recipes: five reference systems, published objectives, and the flagship.

`notes` say what a source leaves open, and what was chosen.
"""

from pathlib import Path

from inkgan.config import Recipe
from inkgan.config.recipes.flagship import FLAGSHIPS
from inkgan.config.recipes.objectives import OBJECTIVES
from inkgan.config.recipes.reference_systems import REFERENCE
from inkgan.config.serialize import read_recipe
from inkgan.errors import ConfigError, did_you_mean

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (*REFERENCE, *OBJECTIVES, *FLAGSHIPS)
}
DEFAULT_RECIPE = "dcgan"


def get_recipe(name_or_path: str | Path) -> Recipe:
    """Return a named recipe, or read one from a .toml file.

    Raises:
        ConfigError: no recipe has that name, or the file cannot be read or is no recipe.
    """
    text = str(name_or_path)
    if text in RECIPES:
        return RECIPES[text]
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        hint = did_you_mean(text, RECIPES)
        raise ConfigError(f"unknown recipe {text!r}{hint} (or a path to a .toml file)")
    return read_recipe(path)
