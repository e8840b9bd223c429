"""Commands of the command line: for the processes of jobs, and as people would type them."""

import contextlib
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import differences
from inkgan.printable import shell_words

JOB_FLAGS = {  # of the commands that the studio starts
    *("--minutes", "--fallback", "--device", "--threads", "--data-dir", "--quick", "--checkpoint"),
}


def training_arguments(run: Path, options: Mapping[str, Any]) -> list[str]:
    """Return the words after `inkgan` that train, or go on training, in a run folder.

    Args:
        run: the folder, with its recipe.
        options: of the command by name, such as {"minutes": 5}.
    """
    return ["train", "--out", str(run), *_flags(options)]


def without_time_limit(arguments: Sequence[str]) -> list[str]:
    """Return the words of a training command without its time limit."""
    words = [*arguments]
    while "--minutes" in words:
        place = words.index("--minutes")
        del words[place : place + 2]
    return words


def time_limit(arguments: Sequence[str]) -> float | None:
    """Return the minutes of a training command, or None where it has no limit."""
    for flag, value in itertools.pairwise(arguments):
        if flag == "--minutes":
            with contextlib.suppress(ValueError):
                return float(value) if math.isfinite(float(value)) else None
    return None


def evaluation_arguments(run: Path, options: Mapping[str, Any]) -> list[str]:
    """Return the words after `inkgan` that evaluate a run."""
    return ["evaluate", str(run), *_flags(options)]


def is_job_of(run: Path, kind: str, arguments: Sequence[str]) -> bool:
    """Return whether words are those of a job of a run: its own folder, and known options.

    Args:
        run: the folder.
        kind: of the job, train or evaluate.
        arguments: the words after `inkgan`.
    """
    head = training_arguments(run, {}) if kind == "train" else evaluation_arguments(run, {})
    flags = [word for word in arguments[len(head) :] if word.startswith("-")]
    return [*arguments[: len(head)]] == head and set(flags) <= JOB_FLAGS


def as_evaluation_command(run: Path) -> str:
    """Return the command that evaluates a run, without options."""
    return shell_words("inkgan", "evaluate", run)


def _flags(options: Mapping[str, Any]) -> list[str]:
    words = []
    for option, value in options.items():
        flag = f"--{option.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)]
    return words


def nearest(recipe: Recipe) -> tuple[str | None, dict[str, Any]]:
    """Return the named recipe that a recipe derives from, and what is different.

    Returns:
        The name, and the values of the recipe by dotted field; None where most is different.
    """
    base = RECIPES.get(recipe.name)
    changes = {} if base is None else {key: new for key, _, new in differences(base, recipe)}
    if base is None or len(changes) > 12 or any(_is_complex(value) for value in changes.values()):
        return None, {}
    return recipe.name, changes


def as_command(recipe: Recipe, out: str, options: Mapping[str, Any] = {}) -> str:
    """Return the command that trains a recipe.

    Args:
        recipe: to train.
        out: the run folder.
        options: further options of the command by name, such as {"minutes": 5}.
    """
    name, changes = nearest(recipe)
    words = ["inkgan", "train"]
    if name is not None:
        words.append(name)
        for field, value in changes.items():
            words += ["--set", f"{field}={_toml(value)}"]
    return shell_words(*words, *_flags(options), "--out", out)


def as_python(recipe: Recipe, out: str, options: Mapping[str, Any] = {}) -> str:
    """Return the call of `inkgan.train` that does the same."""
    name, changes = nearest(recipe)
    arguments = [repr(name)] if name else [repr(f"{out}/recipe.toml")]
    arguments.append(f"out={out!r}")
    if name and changes:
        arguments.append(f"overrides={changes!r}")
    arguments += [f"{option}={value!r}" for option, value in options.items()]
    return f"import inkgan\n\nrun = inkgan.train({', '.join(arguments)})\n"


def _is_complex(value: Any) -> bool:
    return isinstance(value, dict | list | tuple) and any(
        isinstance(item, dict) for item in (value.values() if isinstance(value, dict) else value)
    )


def _toml(value: Any) -> str:
    """Write a value as `--set` reads it."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    return json.dumps(list(value) if isinstance(value, tuple) else value)
