"""The cookbook's commands do what it says, one after the other, in an empty folder."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkgan.cli.main import app

PAGE = Path(__file__).parents[2] / "docs" / "cookbook.md"
COMMANDS = re.findall(r"^inkgan (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_command_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        arguments = shlex.split(command)
        before = set(tmp_path.iterdir())
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (command, result.output)
        assert set(tmp_path.iterdir()) - before, f"{command} left nothing"
    assert len(COMMANDS) > 15
