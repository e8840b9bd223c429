"""From Python to the shell: the library's messages in the words of the running command.

The library names its parameters in backticks: "`epochs` must be at least 1; use `device='cpu'` or
`optim.lr=1e-4`". A person who has typed `inkgan train` reads "--epochs must be at least 1; use
--device cpu or --set optim.lr=1e-4".
"""

import ast
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from inkgan.printable import shell_words

# The parameters of the library whose counterpart in the command has another name. The first key is
# the command, or "" for all commands.
PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "": {"overrides": "set_", "replace": "force"},
    "morph": {"axes": "grid", "hand": "writers", "hands": "writers", "writer": "writers"},
    "write": {"hand": "writer"},
    "sample": {"classes": "labels", "digit": "labels", "digits": "labels"},
    "imitate": {"digit": "labels", "digits": "labels"},
    "export hub": {"name": "push"},
}
# A parameter with one particular value that is a flag of its own.
VALUES: Mapping[tuple[str, object], str] = {
    ("protocol", "quick"): "quick",
    ("protocol", "stream"): "stream",
}
# The mark between two bounds, where a pair is not written with a comma.
PAIRS: Mapping[str, str] = {"slant": ":", "thickness": ":", "length": "-", "spacing": ":"}
# The fields of a recipe that have a flag of their own.
FIELDS: Mapping[str, str] = {
    "data.name": "data",
    "schedule.epochs": "epochs",
    "schedule.images": "images",
    "schedule.sample_interval": "sample_interval",
    "schedule.evaluation_interval": "evaluation_interval",
}

# Calls of the library that are a command of their own.
CALLS = ((r"`inkgan\.fit_extractors_for\((.+?)\)`", r"inkgan extractors fit --data \1"),)

running: ContextVar[Any] = ContextVar("running", default=None)
"""The command (of typer) that is running now, None outside the command line."""

typed: ContextVar[tuple[str, ...]] = ContextVar("typed", default=())
"""What was typed after the program's name."""


def translate(text: str, command: Any = None) -> str:
    """Replace the parameters in backticks by the flags of a command.

    Args:
        text: a message of the library.
        command: of typer; the running one if left out.

    Returns:
        The text. Words in backticks that are no parameter of the command stay as they are.
    """
    command = command or running.get()
    if command is None or "`" not in text:
        return text
    for pattern, words in CALLS:
        text = re.sub(pattern, words, text)
    flags = _Flags(command)
    text = re.sub(r"`([^`\n]+)`", lambda match: flags.spell(match[1]) or match[0], text)
    # "--epochs -1: --epochs = -1: ..." says one thing twice
    return re.sub(r"(--[\w-]+) (\S+): \1 = \S+: ", r"\1 \2: ", text)


class _Flags:
    """The flags of one command by the names of their parameters."""

    def __init__(self, command: Any) -> None:
        self.parameters = {parameter.name: parameter for parameter in command.params}
        path = getattr(command, "path", command.name) or ""
        self.names = {**PARAMETERS[""], **PARAMETERS.get(path, {})}

    def spell(self, expression: str) -> str | None:
        """Write `name` or `name=value` as this command takes it; None where it does not."""
        name, equals, text = (part.strip() for part in expression.partition("="))
        if _is_field(name):
            return self._field(name, text if equals else None)
        value = _literal(text) if equals else None
        if (name, value) in VALUES and VALUES[name, value] in self.parameters:
            return _flag(self.parameters[VALUES[name, value]])
        parameter = self.parameters.get(name) or self.parameters.get(self.names.get(name, ""))
        if parameter is None:
            return None
        if not equals:
            return _flag(parameter)
        if isinstance(value, bool):
            return _switch(parameter, value)
        if parameter.param_type_name == "argument":
            return _typed(value, name)
        return f"{_flag(parameter)} {_typed(value, name)}"

    def _field(self, name: str, value: str | None) -> str | None:
        """Write a recipe's field as the flag that sets it, a bare one only if it was typed."""
        flag = self.parameters.get(FIELDS.get(name, ""))
        if value is None:
            if flag is not None and _flag(flag) in typed.get():
                return _flag(flag)
            return name if "set_" in self.parameters else None
        if flag is not None:
            return f"{_flag(flag)} {_typed(_literal(value), name)}"
        return f"--set {shell_words(f'{name}={value}')}" if "set_" in self.parameters else None


def _is_field(name: str) -> bool:
    section, dot, _ = name.partition(".")
    if not dot or not re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", name):
        return False
    from inkgan.config import Recipe

    return section in Recipe.model_fields


def _literal(text: str) -> Any:
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text
    return tuple(value) if isinstance(value, list) else value


def _typed(value: Any, name: str) -> str:
    """Write a value as it is typed in a shell."""
    if isinstance(value, tuple):
        return shell_words(PAIRS.get(name, ",").join(map(str, value)))
    return shell_words(value)


def _flag(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    return str(next(option for option in parameter.opts if option.startswith("--")))


def _switch(parameter: Any, value: bool) -> str:
    if value:
        return _flag(parameter)
    off = [option for option in parameter.secondary_opts if option.startswith("--")]
    return off[0] if off else f"no {_flag(parameter)}"
