"""Writes the reference pages of docs/ from the code; a test checks that they are up to date.

Run it with: python docs/generate.py
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

import inkgan
from inkgan.cli.command import EXIT_CODES
from inkgan.cli.main import app
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.data.dataset_spec import DatasetSpec
from inkgan.data.registry import DATASETS
from inkgan.images import Shape
from inkgan.metrics.metric_spec import ARROWS, MetricSpec
from inkgan.metrics.metric_table import SPECS
from inkgan.models.build import build_discriminator, build_generator, count_parameters

FOLDER = Path(__file__).parent
WRITTEN = "Written by `python docs/generate.py`; do not edit."
MNIST = Shape(1, 28, 28)
KINDS = {int: "INTEGER", float: "NUMBER", str: "TEXT", Path: "PATH"}

# The order in which a reader meets the names; a test checks that none is missing.
API: Mapping[str, tuple[str, ...]] = {
    "Draw and write": ("load", "Generator", "write", "morph", "imitate", "styled"),
    "Make data sets": ("synth", "stream", "Sequences", "SequenceLayout", "Paper"),
    "Train": (
        "train",
        "train_iter",
        "train_seeds",
        "sweep",
        "Run",
        "Recipe",
        "RECIPES",
        "get_recipe",
    ),
    "Evaluate": ("evaluate", "compare", "benchmark", "fit_extractors_for"),
    "Export": ("export",),
    "Data sets": ("load_dataset", "DatasetSpec", "register_dataset"),
    "Extend": (
        "Loss",
        "register_loss",
        "register_penalty",
        "register_augmentation",
        "MetricSpec",
        "register_metric",
    ),
    "Errors": ("InkganError",),
}


def recipes() -> str:
    """Return the page of recipes: a table of all, then the notes of each."""
    rows = "".join(map(_recipe_row, RECIPES.values()))
    notes = "".join(f"\n## {recipe.name}\n\n{recipe.notes}\n" for recipe in RECIPES.values())
    return f"""# The recipes

{WRITTEN} `inkgan recipes show NAME` prints a recipe whole.

| recipe | loss | rate, betas | batch | epochs | generator | discriminator | with statistics |
|---|---|---|---|---|---|---|---|
{rows}{notes}"""


def _recipe_row(recipe: Recipe) -> str:
    shape = DATASETS[recipe.data.name].shape or MNIST
    networks = (
        build_generator(recipe.model, shape, recipe.seed),
        build_discriminator(recipe.model, shape, recipe.seed),
    )
    counts = [f"{count_parameters(network):,}" for network in networks]
    whole = " / ".join(f"{count_parameters(network, with_buffers=True):,}" for network in networks)
    optim, schedule = recipe.optim, recipe.schedule
    return _row(
        recipe.name,
        recipe.objective.loss,
        f"{optim.lr:g}, {optim.beta1:g}, {optim.beta2:g}",
        str(schedule.batch_size),
        str(schedule.epochs),
        *counts,
        whole,
    )


def api() -> str:
    """Return the page of the public names, whose text is in their docstrings."""
    parts = [
        f"# Python reference\n\n{WRITTEN} Every public name, from its docstring. "
        "[The Python interface](python.md) shows them in use.\n"
    ]
    for title, names in API.items():
        parts.append(f"\n## {title}\n")
        parts += [f"\n::: {_home(name)}\n" for name in names]
    return "".join(parts)


def _home(name: str) -> str:
    """Return where a public name is defined, as mkdocstrings wants it."""
    return f"{inkgan.HOMES[name]}.{name}"


def commands() -> str:
    """Return the page of the commands: usage, arguments and options of each."""
    root = typer.main.get_command(app)
    parts = [
        "# Command line reference\n\n",
        f"{WRITTEN} `inkgan COMMAND --help` shows the same in a terminal.\n\n{EXIT_CODES}\n",
    ]
    parts += [_command(path, command) for path, command in _walk(root, "inkgan")]
    return "".join(parts)


def _walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the commands of a group with their words, in the order of the help."""
    for name, inner in getattr(command, "commands", {}).items():
        below = list(_walk(inner, f"{path} {name}"))
        if not below or inner.invoke_without_command:
            yield f"{path} {name}", inner
        yield from below


def _command(path: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([path, *map(_argument, arguments), "[OPTIONS]"])
    parts = [f"\n## {path}\n\n```\n{usage}\n```\n\n{_prose(command.help or '')}"]
    rows = [_row(f"`{_argument(p)}`", _help(p), _default(p)) for p in arguments]
    rows += [_row(_flags(p), _help(p), _default(p)) for p in options if p.name != "help"]
    if rows:
        parts.append("\n| argument or option | meaning | default |\n|---|---|---|\n")
    return "".join([*parts, *rows])


def _argument(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    many = "..." if argument.nargs != 1 else ""
    return f"{name}{many}" if argument.required else f"[{name}]{many}"


def _prose(text: str) -> str:
    """Return a command's help; an example becomes a block."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        line = " ".join(paragraph.split())
        if line.startswith("Example: "):
            line = f"```\n{line.removeprefix('Example: ')}\n```"
        paragraphs.append(line)
    return "\n\n".join(paragraphs) + "\n"


def _flags(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    kind = option.type_descriptor.annotation
    if get_origin(kind) is list:
        (kind,) = get_args(kind)
    if get_origin(kind) is Literal:
        return f"{names} {', '.join(get_args(kind))}"
    return f"{names} {KINDS[kind]}"


def _help(parameter: Any) -> str:
    text = " ".join((getattr(parameter, "help", None) or "").split())
    return text.partition("[default: ")[0].rstrip()


def _default(parameter: Any) -> str:
    stated = (getattr(parameter, "help", None) or "").partition("[default: ")[2].rstrip("] \n")
    if stated:
        return stated
    value = parameter.default
    if parameter.required:
        return "required"
    if value is None or value is False or value == [] or callable(value):
        return ""
    return f"`{value}`"


def metrics() -> str:
    """Return the glossary of the metrics."""
    rows = "".join(map(_metric_row, SPECS))
    return f"""# The metrics

{WRITTEN}

The key is the name in `report.scores` and in `report.json`. Better is {ARROWS["lower"]} lower,
{ARROWS["higher"]} higher, {ARROWS["baseline"]} as close as possible to real images' score, or
to the value given. [How evaluation works](evaluation.md) explains the protocol.

| key | metric | better | what it measures |
|---|---|---|---|
{rows}"""


def _metric_row(spec: MetricSpec) -> str:
    better = ARROWS[spec.direction]
    if spec.direction == "value":
        better = f"{better} {spec.best_value:g}"
    return _row(f"`{spec.key}`", spec.title, better, spec.explanation or spec.summary)


def data_sets() -> str:
    """Return the page of the built-in data sets."""
    rows = []
    for name, spec in DATASETS.items():
        shape = str(spec.shape) if spec.shape else "any"
        images = f"{spec.train_images:,} / {spec.test_images:,}"
        rows.append(_row(f"`{name}`", shape, _classes(spec), images, _license(spec), spec.citation))
    return f"""# The data sets

{WRITTEN}

`inkgan data` lists them with what is on this machine; [Train on your own images](data.md) has the
forms of your own.

| name | images | classes | training / test | license | source |
|---|---|---|---|---|---|
{"".join(rows)}"""


def _license(spec: DatasetSpec) -> str:
    """Link the page that states the license, or the publishers' where none could be checked."""
    return f"[{'see here' if spec.license == 'unknown' else spec.license}]({spec.license_url})"


def _classes(spec: DatasetSpec) -> str:
    if len(spec.classes) > 10:
        return f"{len(spec.classes):,}, {spec.classes[0]} to {spec.classes[-1]}"
    return ", ".join(spec.classes)


def _row(*cells: str) -> str:
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "recipes.md": recipes,
    "api.md": api,
    "commands.md": commands,
    "metrics.md": metrics,
    "data-sets.md": data_sets,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8", newline="\n")
