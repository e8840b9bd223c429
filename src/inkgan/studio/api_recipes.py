"""Recipes: the named ones, what a change makes of one, and starting a run."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from inkgan.config import Recipe, serialize
from inkgan.config.recipes import RECIPES, get_recipe
from inkgan.config.training_overrides import override_for_training
from inkgan.errors import ConfigError
from inkgan.studio.api_runs import jobs_of
from inkgan.studio.command_text import as_command, as_python

router = APIRouter(prefix="/api")
MOST_MINUTES = 7 * 24 * 60


class TrainingRequest(BaseModel):
    """A run that somebody would like.

    Attributes:
        recipe: the name of a recipe, or TOML.
        name: of the run folder.
        overrides: values by dotted field.
        minutes: of training at most.
        fallback: the data set to use where the recipe's cannot be found.
    """

    recipe: str = Field("dcgan", max_length=100_000)
    name: str = Field("first", max_length=100)
    overrides: dict[str, str | int | float | bool | list[str | int | float] | None] = Field(
        {}, max_length=100
    )
    minutes: float | None = Field(None, gt=0, le=MOST_MINUTES)
    fallback: str | None = Field(None, max_length=100)

    def chosen(self) -> Recipe:
        """Return the recipe with the changes.

        Raises:
            ConfigError: there is no such recipe, or a value is impossible.
        """
        if "\n" in self.recipe:
            recipe = serialize.from_toml(self.recipe)
        elif self.recipe in RECIPES:
            recipe = get_recipe(self.recipe)
        else:
            raise ConfigError(f"unknown recipe {self.recipe[:100]!r}")
        return override_for_training(recipe, self.overrides)

    def options(self) -> dict[str, Any]:
        """Return the options of the command that the recipe does not contain."""
        minutes = self.minutes and float(f"{self.minutes:.4g}")
        whole = minutes and (int(minutes) if minutes == int(minutes) else minutes)
        given = {"minutes": whole, "fallback": self.fallback}
        return {key: value for key, value in given.items() if value is not None}


@router.get("/recipes")
def list_recipes() -> dict[str, Any]:
    """List the named recipes with their notes and the values that sliders begin with."""
    return {
        name: {
            "notes": recipe.notes,
            "data": recipe.data.name,
            "values": recipe.model_dump(mode="json"),
        }
        for name, recipe in RECIPES.items()
    }


@router.post("/recipes/check")
def check(wanted: TrainingRequest, request: Request) -> dict[str, Any]:
    """Say what a recipe is with its changes, as TOML, command and Python."""
    recipe = wanted.chosen()
    out = str(jobs_of(request).folders.root / wanted.name)
    return {
        "values": recipe.model_dump(mode="json"),
        "toml": serialize.to_toml(recipe),
        "command": as_command(recipe, out, wanted.options()),
        "python": as_python(recipe, out, wanted.options()),
    }


@router.post("/runs")
def start(wanted: TrainingRequest, request: Request) -> dict[str, Any]:
    """Make a run and queue its training."""
    jobs_of(request).create(wanted.name, wanted.chosen(), wanted.options())
    return jobs_of(request).entry(wanted.name).to_dict()
