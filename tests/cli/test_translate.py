"""The library's messages in the words of each command."""

from typing import Any

import pytest
import typer.main

from inkgan.cli import translate as translation
from inkgan.cli.main import app
from inkgan.cli.translate import translate
from tests.fixtures.command_line import inkgan

FIXED = {  # parameters of the library with another name in the command, or a particular value
    "train": {
        "`overrides`": "--set",
        "`epochs`": "--epochs",
        "`device='cpu'`": "--device cpu",
        "`capture=False`": "--no-capture",
        "`optim.lr=1e-4`": "--set optim.lr=1e-4",
        "`optim.lr`": "optim.lr",
        "`schedule.epochs=3`": "--epochs 3",
        "`model.style=[]`": "--set 'model.style=[]'",
        "`recipe`": "RECIPE",
        "`on_trouble='rollback'`": "--on-trouble rollback",
    },
    "sample": {
        "`latent_scale`": "--latent-scale",
        "`digit=7`": "--labels 7",
        "`labels=[7, 3]`": "--labels 7,3",
        "`seeds`": "--seeds",
        "`force=True`": "--force",
        "`optim.lr`": "`optim.lr`",
    },
    "write": {"`writer`": "--writer", "`hand`": "--writer", "`slant_drift=2`": "--slant-drift 2"},
    "morph": {"`hand=[1, 5]`": "--writers 1,5", "`walk`": "--walk", "`axes`": "--grid"},
    "imitate": {"`digits='3141'`": "--labels 3141", "`source`": "--from"},
    "synth": {
        "`per_class`": "--per-class",
        "`slant=(-10, 10)`": "--slant -10:10",
        "`length=(1, 6)`": "--length 1-6",
        "`format='npz'`": "--format npz",
        "`plain=True`": "--plain",
    },
    "evaluate": {"`protocol='quick'`": "--quick", "`source`": "SOURCE", "`fresh=True`": "--fresh"},
    "export hub": {"`name`": "--push", "`half`": "--half"},
    "recipes show": {"`objective.loss='hinge'`": "--set 'objective.loss='\"'\"'hinge'\"'\"''"},
}


def commands() -> dict[str, Any]:
    """Collect every command by its words."""
    found: dict[str, Any] = {}

    def collect(command: Any, words: str) -> None:
        if not hasattr(command, "commands"):
            command.path = words
            found[words] = command
            return
        for name, inner in command.commands.items():
            collect(inner, f"{words} {name}".strip())

    collect(typer.main.get_command(app), "")
    return found


COMMANDS = commands()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_parameter_of_every_command_is_translated(name: str) -> None:
    command = COMMANDS[name]
    for parameter in command.params:
        shown = translate(f"`{parameter.name}` is impossible", command)
        assert "`" not in shown
        if parameter.param_type_name == "option":
            assert shown.split()[0] in parameter.opts
        else:
            assert shown.split()[0] == parameter.name.upper()


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_lost(name: str) -> None:
    text = "`nonsense`, `nonsense=3`, `a b`, ``, ` and `inkgan evaluate RUN`\n`"
    assert translate(text, COMMANDS[name]) == text
    assert translate("--epochs -1: no backticks", COMMANDS[name]) == "--epochs -1: no backticks"
    assert translate("`epochs`") == "`epochs`"  # no command is running


@pytest.mark.parametrize(
    ("name", "written", "flag"),
    [(name, *pair) for name, pairs in FIXED.items() for pair in pairs.items()],
)
def test_table(name: str, written: str, flag: str) -> None:
    assert translate(f"use {written} here", COMMANDS[name]) == f"use {flag} here"


def test_the_tables_name_what_exists() -> None:
    for name, names in translation.PARAMETERS.items():
        chosen = COMMANDS.values() if not name else [COMMANDS[name]]
        known = {parameter.name for command in chosen for parameter in command.params}
        assert set(names.values()) <= known, name
    train = {parameter.name for parameter in COMMANDS["train"].params}
    assert set(translation.FIELDS.values()) <= train
    from inkgan.config.recipes import RECIPES
    from inkgan.config.serialize import override

    for field in translation.FIELDS:
        section = RECIPES["dcgan"]
        for part in field.split("."):
            section = getattr(section, part)
    assert override(RECIPES["dcgan"], {"schedule.epochs": 3}).schedule.epochs == 3


def test_a_field_that_was_typed_as_a_flag_is_named_by_it() -> None:
    assert inkgan("train", "--data", "mnits").stderr.startswith("inkgan: --data: unknown data set")
    done = inkgan("train", "--set", "data.name=mnits")
    assert "data.name: unknown data set" in done.stderr
