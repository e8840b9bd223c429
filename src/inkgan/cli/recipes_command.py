"""inkgan recipes: list the named recipes, show one as TOML."""

import textwrap
from typing import Annotated

import typer

app = typer.Typer(
    help="List the recipes, or show one as TOML to edit.", invoke_without_command=True
)


@app.callback()
def list_recipes(context: typer.Context) -> None:
    """List the named recipes."""
    if context.invoked_subcommand is not None:
        return
    from inkgan.config.recipes import RECIPES

    width = max(map(len, RECIPES)) + 2
    for name, recipe in RECIPES.items():
        schedule = recipe.schedule
        typer.echo(
            f"{name:{width}}{recipe.objective.loss}, lr {recipe.optim.lr:g}, "
            f"batch {schedule.batch_size}, {schedule.epochs} epochs"
        )
        typer.echo(textwrap.fill(recipe.notes, initial_indent="    ", subsequent_indent="    "))
    typer.echo("\ninkgan recipes show NAME > mine.toml, then inkgan train mine.toml")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A recipe's name, or a path to a .toml file.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Replace a value: optim.lr=1e-4.")
    ] = None,
) -> None:
    """Show a recipe as TOML; save it, edit it, train it."""
    from inkgan.config.recipes import get_recipe
    from inkgan.config.serialize import override, to_toml

    recipe = get_recipe(name)
    typer.echo(to_toml(override(recipe, set_) if set_ else recipe), nl=False)
