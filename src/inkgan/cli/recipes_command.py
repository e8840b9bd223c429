"""inkgan recipes: list the named recipes, show one as TOML."""

from typing import Annotated

import typer

from inkgan.cli.command import Command, Group
from inkgan.cli.options import Json

app = typer.Typer(
    cls=Group,
    rich_markup_mode=None,
    help="List the recipes, or show one as TOML to edit.",
    invoke_without_command=True,
)


@app.callback()
def list_recipes(context: typer.Context, json: Json = False) -> None:
    """List the named recipes."""
    if context.invoked_subcommand is not None:
        return
    from inkgan.cli import console
    from inkgan.config.recipes import RECIPES
    from inkgan.plural import counted

    if json:
        console.show_json([recipe.model_dump(mode="json") for recipe in RECIPES.values()])
        return
    width = max(map(len, RECIPES)) + 2
    for name, recipe in RECIPES.items():
        schedule = recipe.schedule
        console.show(
            f"{name:{width}}{recipe.objective.loss}, lr {recipe.optim.lr:g}, "
            f"batch {schedule.batch_size}, {counted(schedule.epochs, 'epoch')}"
        )
        console.show_paragraph(recipe.notes)
    console.show()
    console.show(
        "Edit and train one: inkgan recipes show NAME > mine.toml && inkgan train mine.toml"
    )


@app.command(cls=Command)
def show(
    name: Annotated[str, typer.Argument(help="A recipe's name, or a path to a .toml file.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Replace a value: optim.lr=1e-4."),
    ] = None,
    json: Json = False,
) -> None:
    """Show a recipe as TOML; save it, edit it, train it."""
    from inkgan.cli.console import show_json
    from inkgan.cli.next_command import propose
    from inkgan.config.recipes import get_recipe
    from inkgan.config.serialize import override, to_toml

    recipe = get_recipe(name)
    recipe = override(recipe, set_) if set_ else recipe
    if json:
        show_json(recipe.model_dump(mode="json"))
    else:
        typer.echo(to_toml(recipe), nl=False)
        propose("train", name, *(word for value in set_ or () for word in ("--set", value)))
