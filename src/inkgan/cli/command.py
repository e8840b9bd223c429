"""What all commands share: old names, errors in the words of the command, exit codes."""

import re
import shutil
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from inkgan.cli.translate import running, typed
from inkgan.cli.translate import translate as translated
from inkgan.device import compute_settings, default_threads
from inkgan.errors import ConfigError, InkganError
from inkgan.files import CacheWarning
from inkgan.printable import one_line, shell_words

FAILURE, USAGE_ERROR, INTERRUPTED = 1, 2, 130
EXIT_CODES = (
    "Exit codes: 0 success; 1 failure (data, files, training); 2 wrong usage (a command, flag or "
    "value that cannot be); 130 interrupted."
)

# Names that have changed: old -> new. The old ones work, with a note.
COMMANDS: Mapping[str, str] = {"judge": "extractors", "extractors floors": "extractors baselines"}
FLAGS: Mapping[str, Mapping[str, str]] = {
    "sample": {"--truncation": "--latent-scale", "--digit": "--labels", "--digits": "--labels"},
    "imitate": {"--digit": "--labels"},
    "write": {"--hand": "--writer"},
    "morph": {"--hand": "--writers", "--grey": "--gray"},
    "train": {"--sample-every": "--sample-interval", "--evaluate-every": "--evaluation-interval"},
}
# Commands whose first argument is the source: `--from SOURCE` is accepted for it.
SOURCE_FIRST = frozenset(
    {"sample", "evaluate", "export bundle", "export onnx", "export page", "export hub"}
)
# Commands whose text may begin with "-".
TEXT = frozenset({"write"})


def all_cores() -> AbstractContextManager[None]:
    """Let torch use every core that the process may use; imports torch."""
    return compute_settings(threads=default_threads())


def typed_command(program: str = "inkgan") -> str:
    """Return the command as it was typed, for a shell."""
    return f"{program} {shell_words(*typed.get())}"


def program() -> str:
    """Return how this program can be called again: inkgan where the shell finds it."""
    if shutil.which("inkgan"):
        return "inkgan"
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shell_words(sys.executable)} -m inkgan"
    return shell_words(called) if called.name.startswith("inkgan") else "inkgan"


def exit_code(error: InkganError) -> int:
    """Return the exit code for an error of the library."""
    return USAGE_ERROR if isinstance(error, ConfigError) else FAILURE


class Command(TyperCommand):
    """A command that accepts its flags' old names and speaks of flags in its errors."""

    path = ""
    """The command's words without the program: "export onnx"."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments after old names have been replaced."""
        self.path = _path(ctx)
        args, notes = modern_flags(self.path, args)
        for note in notes:
            typer.echo(note, err=True)
        if self.path in SOURCE_FIRST:
            args = _source_first(args)
        if self.path in TEXT:
            args = self._text_last(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; errors of the library name its flags."""
        token = running.set(self)
        try:
            with warnings.catch_warnings():
                for category in (FutureWarning, UserWarning):
                    warnings.simplefilter("always", category)
                # of libraries to programmers; some, as pyparsing's, are UserWarnings too
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.showwarning = _show_warning  # type: ignore[assignment]
                return super().invoke(ctx)
        except InkganError as error:
            error.args = (translated(str(error), self), *error.args[1:])
            raise
        finally:
            running.reset(token)

    def _text_last(self, args: list[str]) -> list[str]:
        """Move a text such as -5 behind "--", so that it is not taken for an option."""
        if "--" in args:
            return args
        takes_value = {
            name
            for parameter in self.params
            if parameter.param_type_name == "option" and not getattr(parameter, "is_flag", False)
            for name in parameter.opts
        }
        for place, word in enumerate(args):
            follows_option = place > 0 and args[place - 1] in takes_value
            if re.match(r"-[\d.,]", word) and not follows_option:
                return [*args[:place], *args[place + 1 :], "--", word]
        return args


class Group(TyperGroup):
    """A group of commands that accepts its commands' old names."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments after an old command's name has been replaced."""
        place = next((i for i, word in enumerate(args) if not word.startswith("-")), None)
        if place is not None:
            before = f"{_path(ctx)} {args[place]}".strip()
            if before in COMMANDS:
                after = COMMANDS[before]
                typer.echo(_note(before, after), err=True)
                args = [*args[:place], after.split()[-1], *args[place + 1 :]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a terminal is never left without a word."""
        from inkgan.cli.console import first_word

        if ctx.parent is not None:
            return super().invoke(ctx)
        with first_word():
            return super().invoke(ctx)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with their whole first sentence; click cuts it at 45 characters."""
        names = self.list_commands(ctx)
        rows = [(name, self.commands[name].get_short_help_str(limit=1000)) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def modern_flags(path: str, args: Sequence[str]) -> tuple[list[str], list[str]]:
    """Replace the old names of a command's flags.

    Args:
        path: the command, such as "export onnx".
        args: what was typed after it.

    Returns:
        The arguments with the new names, and a note for each flag that was replaced.
    """
    renamed = FLAGS.get(path, {})
    notes: list[str] = []
    modern: list[str] = []
    for place, word in enumerate(args):
        if word == "--":  # texts follow, not flags
            modern += args[place:]
            break
        flag, equals, value = word.partition("=")
        if flag in renamed:
            notes.append(_note(flag, renamed[flag]))
            word = renamed[flag] + equals + value
        modern.append(word)
    return modern, list(dict.fromkeys(notes))


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Show a warning on stderr without the place in the code; the mild ones are notes."""
    from inkgan.cli.console import say, warn

    if issubclass(category, FutureWarning | CacheWarning):
        say(f"note: {one_line(translated(str(message)))}")
    elif issubclass(category, UserWarning):
        warn(f"warning: {one_line(str(message))}")


def _note(old: str, new: str) -> str:
    return f"note: {old} is now {new}; the old name works for now"


def _source_first(args: list[str]) -> list[str]:
    """Take `--from SOURCE` as the first argument."""
    for place, word in enumerate(args):
        if word == "--from" and place + 1 < len(args):
            return [args[place + 1], *args[:place], *args[place + 2 :]]
        if word.startswith("--from="):
            return [word.removeprefix("--from="), *args[:place], *args[place + 1 :]]
    return args


def _path(ctx: Any) -> str:
    """Return the words of a command without the program's name."""
    words = []
    while ctx.parent is not None:
        words.append(str(ctx.info_name))
        ctx = ctx.parent
    return " ".join(reversed(words))
