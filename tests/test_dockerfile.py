"""The Dockerfile has no finding of hadolint, and copies what the package needs."""

import platform
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
HADOLINT = Path(sysconfig.get_path("scripts")) / "hadolint"


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="the linter comes as a program for Linux on x86-64",
)
def test_the_linter_finds_nothing() -> None:
    command = [str(HADOLINT), "--no-color", str(ROOT / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [
        name for names in re.findall(r"^COPY (?!--)(.*) \S+$", TEXT, re.M) for name in names.split()
    ]
    assert {"pyproject.toml", "src"} <= set(copied)
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored  # everything else is


def test_it_runs_as_a_user_who_may_write_where_it_writes() -> None:
    (user,) = re.findall(r"^USER (\d+)$", TEXT, re.M)
    assert user != "0"
    assert f"chown {user} /work /cache" in TEXT
    assert "INKGAN_CACHE=/cache" in TEXT
