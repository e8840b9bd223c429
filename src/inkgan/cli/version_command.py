"""inkgan version: what is installed."""

import importlib.metadata
import platform

import typer

from inkgan import __version__
from inkgan.cli.console import show_json
from inkgan.cli.options import Json


def version(json: Json = False) -> None:
    """Show the versions of inkgan, Python and torch."""
    versions = {
        "inkgan": __version__,
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
    }
    if json:
        show_json(versions)
    else:
        typer.echo("\n".join(f"{name} {number}" for name, number in versions.items()))
