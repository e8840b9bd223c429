"""Runs that differ only in their seed as one group, named by what sets it apart from the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from inkgan.config import Recipe
from inkgan.config.serialize import differences
from inkgan.io.run_dir import RunFolder
from inkgan.plural import counted
from inkgan.printable import one_line

NAMED_SETTINGS = 2  # of a group's name; more would not fit a column
IGNORED = ("name", "notes", "seed")  # say nothing about what was trained


@dataclass(frozen=True)
class RecipeGroup:
    """Runs of one recipe.

    Attributes:
        name: unlike that of every other group.
        recipe: without its seed.
        members: names and folders of the runs.
    """

    name: str
    recipe: Recipe
    members: tuple[tuple[str, RunFolder], ...]


def group_by_recipe(runs: Sequence[tuple[str, RunFolder]]) -> list[RecipeGroup]:
    """Group runs whose recipes differ in nothing but the seed.

    A single run keeps its name. Several are called by their recipe or, where groups share its
    name, by their settings: "vanilla with objective.loss=least-squares (3 seeds)".

    Args:
        runs: unique names, and run folders.
    """
    groups: list[tuple[Recipe, list[tuple[str, RunFolder]]]] = []
    for name, run in runs:
        unseeded = run.recipe.model_copy(update={"seed": 0})
        known = next((members for recipe, members in groups if recipe == unseeded), None)
        if known is None:
            groups.append((unseeded, [(name, run)]))
        else:
            known.append((name, run))
    recipes = [recipe for recipe, _ in groups]
    names = [_name(recipe, [name for name, _ in members], recipes) for recipe, members in groups]
    return [
        RecipeGroup(
            # where only the notes differ, the runs' names distinguish the recipes
            name if names.count(name) == 1 else ", ".join(run for run, _ in members),
            recipe,
            tuple(members),
        )
        for name, (recipe, members) in zip(names, groups, strict=True)
    ]


def _name(recipe: Recipe, members: list[str], recipes: Sequence[Recipe]) -> str:
    if len(members) == 1:
        return members[0]
    others = [other for other in recipes if other.name == recipe.name and other != recipe]
    settings: dict[str, object] = {}
    for other in others:
        for key, value, _ in differences(recipe, other):
            if key not in IGNORED:
                settings[key] = value
    shown = [f"{key}={value}" for key, value in list(settings.items())[:NAMED_SETTINGS]]
    if len(settings) > NAMED_SETTINGS:
        shown.append("...")
    which = f" with {', '.join(shown)}" if shown else ""
    return one_line(f"{recipe.name}{which} ({counted(len(members), 'seed')})")
