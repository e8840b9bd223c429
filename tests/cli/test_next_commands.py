"""Each command ends by naming the next useful one, on a terminal, and that one can be typed."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import typer

import inkgan as library
from inkgan.cli.command import Command
from inkgan.cli.main import app
from tests.fixtures.command_line import Done, inkgan

ROOT = Path(__file__).parents[2]
# A command for each verb, in an order in which each has what it reads, and what it proposes first.
COMMANDS = {
    "sample --count 1 --labels 3 --scale 4 --out three.png": "write 2026-11-26",
    "sample vanilla --seeds 0-1 --out two.png": "evaluate vanilla --quick",
    "write 12 --out 12.png": "morph 3 8 --writer 0",
    "morph 3 8 --frames 2 --height 32": "export page flagship",
    "imitate three.png --write 1": "synth lines --sequences 100 --hands three.png",
    "synth digits --per-class 2": "train vanilla --data idx:digits",
    "synth strings --sequences 2 --writers 1": "strings/README.md says",
    "compare runs/a runs/b": "evaluate runs/a --quick",
    "export bundle vanilla small.safetensors": "sample small.safetensors",
    "export onnx vanilla small.onnx": "evaluate small.onnx --quick",
    "export page vanilla page.html": "open page.html in a browser",
    "export hub vanilla folder": "export hub vanilla folder --force --push user/name",
    "recipes": "recipes show NAME",
    "recipes show vanilla": "train vanilla",
    "data": "data fetch",
    "data fetch uci-digits": "train vanilla --data uci-digits",
    "extractors": "evaluate flagship --quick",
}
# Commands whose work takes long is replaced by none: the function, and the proposal.
REPLACED = {
    "evaluate runs/a": ("inkgan.cli.evaluate_command._show", "export page runs/a digits.html"),
    "evaluate data:mnist": ("inkgan.cli.evaluate_command._show", "evaluate flagship --quick"),
    "benchmark --recipes mlp": (
        "inkgan.evaluation.benchmark.run_benchmark",
        "studio --runs runs/benchmark",
    ),
    "extractors fit": ("inkgan.evaluation.fit_extractors.fit_extractors", "extractors baselines"),
    "extractors baselines": (
        "inkgan.evaluation.baselines.BaselineCache.write",
        "evaluate flagship --quick",
    ),
}
SLOW = (
    "inkgan.data.dataset.load_dataset",
    "inkgan.evaluation.baselines.BaselineCache.compute",
    "inkgan.evaluation.evaluate.evaluate",
    "inkgan.evaluation.own_extractors.load_reference",
    "inkgan.evaluation.reference.ReferenceSet",
)
# Tests of these look at what they propose.
ELSEWHERE = {"train": "tests/cli/test_commands.py", "sweep": "tests/docs/test_readme.py"}
WITHOUT = {"studio": "serves until it is stopped", "version": "an answer, no step"}


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")


def words_of(command: Any, path: str = "") -> Iterator[str]:
    """Yield the words of each command that does something."""
    inner = getattr(command, "commands", {})
    if path and (not inner or command.invoke_without_command):
        yield path
    for name, each in inner.items():
        yield from words_of(each, f"{path} {name}".strip())


def proposals(done: Done) -> list[str]:
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stderr + done.stdout)
    return re.findall(r"(?:Next:|Edit and train one:) (?:inkgan )?(.*)", text)


def test_every_verb_is_looked_at() -> None:
    verbs = set(words_of(typer.main.get_command(app)))
    texts = [*COMMANDS, *REPLACED]
    seen = {verb for verb in verbs if any(f"{text} ".startswith(f"{verb} ") for text in texts)}
    assert verbs == seen | ELSEWHERE.keys() | WITHOUT.keys()
    for path in ELSEWHERE.values():
        assert "Next:" in (ROOT / path).read_text("utf-8")


@pytest.mark.usefixtures("_terminal", "keeps_baselines")
def test_each_command_names_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, seed in (("a", 0), ("b", 1)):
        library.train(
            "vanilla",
            out=f"runs/{name}",
            data="uci-digits",
            images=128,
            seed=seed,
            overrides={"data.holdout": 0},
            progress=False,
        )
    proposed = []
    for command, beginning in COMMANDS.items():
        done = inkgan(*shlex.split(command))
        assert done.code == 0, (command, done.stderr)
        (found,) = proposals(done)
        assert found.startswith(beginning), command
        proposed.append(found)
    monkeypatch.setattr(Command, "invoke", lambda self, context: 0)
    typed = [text for text in proposed if not re.search(r" says | in a browser|NAME", text)]
    assert len(typed) > 10
    for text in typed:
        assert inkgan(*shlex.split(text)).code == 0, text


@pytest.mark.usefixtures("_terminal")
@pytest.mark.parametrize("command", REPLACED)
def test_long_commands_name_the_next(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    slow, beginning = REPLACED[command]
    for name in SLOW:
        monkeypatch.setattr(name, lambda *_, **__: MagicMock())
    monkeypatch.setattr(slow, lambda *_, **__: ())
    (found,) = proposals(inkgan(*shlex.split(command)))
    assert found.startswith(beginning)


def test_pipes_and_documents_get_no_proposals(tmp_path: Path) -> None:
    done = inkgan("data", cwd=tmp_path)
    assert proposals(done) == []
    done = inkgan("data", "--json", cwd=tmp_path, FORCE_COLOR="1")
    assert proposals(done) == []
