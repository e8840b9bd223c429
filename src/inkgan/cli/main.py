"""The root command, and the one place where errors become a line and an exit code."""

import functools
import itertools
import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from inkgan import __version__
from inkgan.cli import data_command as data
from inkgan.cli import export_command as export
from inkgan.cli import extractors_command as extractors
from inkgan.cli import recipes_command as recipes
from inkgan.cli.benchmark_command import benchmark
from inkgan.cli.command import (
    EXIT_CODES,
    FAILURE,
    INTERRUPTED,
    USAGE_ERROR,
    Command,
    Group,
    exit_code,
)
from inkgan.cli.compare_command import compare
from inkgan.cli.console import replace_unencodable, say
from inkgan.cli.evaluate_command import evaluate
from inkgan.cli.imitate_command import imitate
from inkgan.cli.morph_command import morph
from inkgan.cli.sample_command import sample
from inkgan.cli.studio_command import studio
from inkgan.cli.sweep_command import sweep
from inkgan.cli.synth_command import synth
from inkgan.cli.train_command import train
from inkgan.cli.translate import typed
from inkgan.cli.version_command import version
from inkgan.cli.write_command import write
from inkgan.device import compute_settings
from inkgan.errors import InkganError
from inkgan.printable import one_line

HINT = "(add --debug for the traceback)"

app = typer.Typer(
    name="inkgan",
    cls=Group,
    rich_markup_mode=None,
    help="Train, evaluate and use GANs that write digits.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
VERBS = (
    train,
    sweep,
    studio,
    sample,
    write,
    morph,
    synth,
    imitate,
    evaluate,
    compare,
    benchmark,
    version,
)
for verb in VERBS:
    app.command(cls=Command)(verb)
app.add_typer(export.app, name="export")
app.add_typer(recipes.app, name="recipes")
app.add_typer(data.app, name="data")
app.add_typer(extractors.app, name="extractors")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"inkgan {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Train, evaluate and use GANs that write digits."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: what was typed after the program's name; those of the process if left out.

    Raises:
        SystemExit: always, with the exit code (see EXIT_CODES).
    """
    replace_unencodable()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    # --debug may stand anywhere, as people append it to a command that has just failed
    words = [word for word in words if word != "--debug"]
    typed.set(tuple(words))
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # on a home that cannot be written
    try:
        with compute_settings(keep_memory=True, adapt_waiting=True, collect_rarely=True):
            sys.exit(_command()(words, prog_name="inkgan", standalone_mode=False) or 0)
    except typer.TyperException as error:
        _fail(_with_value(error, words), USAGE_ERROR, debug)
    except InkganError as error:
        _fail(str(error), exit_code(error), debug)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", INTERRUPTED, debug)
    except BrokenPipeError:  # the reader of a pipe has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILURE)
    except OSError as error:
        if error.filename is None or error.strerror is None:
            _fail(f"{type(error).__name__}: {error} {HINT}", FAILURE, debug)
        _fail(f"{_text(error.filename)}: {error.strerror}", FAILURE, debug)
    except Exception as error:
        _fail(f"{type(error).__name__}: {error} {HINT}", FAILURE, debug)


@functools.cache
def _command() -> typer.core.TyperGroup:
    """Build the commands once: a program may call `main` many times."""
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return command


def _fail(message: str, code: int, debug: bool) -> None:
    if debug:
        raise
    if message:  # empty where help was shown instead
        say(f"inkgan: {one_line(message)}")
    sys.exit(code)


def _text(path: str | bytes | int) -> str:
    return os.fsdecode(path) if isinstance(path, bytes) else str(path)


def _with_value(error: typer.TyperException, arguments: list[str]) -> str:
    """Add the value that was given to a message that names only the flag."""
    message = " ".join(error.format_message().split())
    for flag, value in itertools.pairwise(arguments):
        if flag.startswith("-") and f"'{flag}'" in message and "Invalid value" in message:
            return f"{message} (got {value!r})"
    return message
