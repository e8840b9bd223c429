"""The root command, and the one place where errors become a line and an exit code."""

import itertools
import os
import sys
from typing import Annotated

import typer

from inkgan import __version__
from inkgan.cli import data_command as data
from inkgan.cli import export_command as export
from inkgan.cli import judge_command as judge
from inkgan.cli import recipes_command as recipes
from inkgan.cli.benchmark_command import benchmark
from inkgan.cli.compare_command import compare
from inkgan.cli.evaluate_command import evaluate
from inkgan.cli.imitate_command import imitate
from inkgan.cli.morph_command import morph
from inkgan.cli.sample_command import sample
from inkgan.cli.synth_command import synth
from inkgan.cli.train_command import train
from inkgan.cli.write_command import write
from inkgan.device import compute_settings
from inkgan.errors import InkganError

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="inkgan",
    help="Train, judge and use GANs that write digits.",
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command()(train)
app.command()(sample)
app.command()(write)
app.command()(morph)
app.command()(synth)
app.command()(imitate)
app.command()(evaluate)
app.command()(compare)
app.command()(benchmark)
app.add_typer(export.app, name="export")
app.add_typer(recipes.app, name="recipes")
app.add_typer(data.app, name="data")
app.add_typer(judge.app, name="judge")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"inkgan {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Train, judge and use GANs that write digits."""


def main() -> None:
    """Run the command line; exit with 0, 2 for a user's error, or 130 for an interruption."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    # --debug may stand anywhere, as people append it to a command that has just failed
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        with compute_settings(keep_memory=True, limit_spinning=True):
            sys.exit(app(arguments, prog_name="inkgan", standalone_mode=False) or 0)
    except typer.TyperException as error:
        _fail(_with_value(error, arguments), USAGE_ERROR, debug)
    except InkganError as error:
        _fail(str(error), USAGE_ERROR, debug)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", INTERRUPTED, debug)
    except BrokenPipeError:  # the reader of a pipe has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        _fail(f"{type(error).__name__}: {error} (add --debug for the traceback)", 1, debug)


def _fail(message: str, code: int, debug: bool) -> None:
    if debug:
        raise
    if message:  # empty where help was shown instead
        typer.echo(f"inkgan: {message}", err=True)
    sys.exit(code)


def _with_value(error: typer.TyperException, arguments: list[str]) -> str:
    """Add the value that was given to a message that names only the flag."""
    message = " ".join(error.format_message().split())
    for flag, value in itertools.pairwise(arguments):
        if flag.startswith("-") and f"'{flag}'" in message and "Invalid value" in message:
            return f"{message} (got {value!r})"
    return message
