"""Where an extra is not installed, a command that needs it says in one line how to install it."""

import importlib
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from tests.fixtures.command_line import inkgan
from tests.fresh_environment import EXTRAS

ROOT = Path(__file__).parents[2]
DECLARED: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))[
    "project"
]["optional-dependencies"]
# Where the name that is imported is another than the package's.
IMPORTED = {"mlflow-skinny": "mlflow"}
WITHOUT_A_COMMAND = {"notebook", "docs", "dev"}


def modules_of(extra: str) -> list[str]:
    names = [re.split(r"[\[>=]", requirement)[0] for requirement in DECLARED[extra]]
    return [IMPORTED.get(name, name.replace("-", "_")) for name in names]


def test_every_extra_has_a_command_here() -> None:
    assert DECLARED.keys() == EXTRAS.keys() | WITHOUT_A_COMMAND


@pytest.mark.parametrize("extra", EXTRAS)
def test_one_line_says_how_to_install_it(
    extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in modules_of(extra)]:
        monkeypatch.delitem(sys.modules, name)
    for name in modules_of(extra):
        monkeypatch.setitem(sys.modules, name, None)
    # fsspec keeps the file systems that an earlier test has used
    kept = importlib.import_module("fsspec.registry")._registry
    monkeypatch.delitem(kept, "s3", raising=False)
    done = inkgan(*shlex.split(EXTRAS[extra]), cwd=tmp_path)
    assert done.code == 2
    assert re.fullmatch(
        rf"inkgan: .* needs? the extra: pip install 'inkgan\[{extra}\]'\n", done.stderr
    )
    assert len(done.stderr) <= 81
