"""What a run notes of the source tree, and that noting it changes nothing there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from inkgan.io import environment


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_revision_is_read_without_writing_to_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a.py"
    source.write_text("one")
    someone = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "a.py"), (*someone, "commit", "-q", "-m", "First")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(environment, "__file__", str(source))
    os.utime(source, (1e9, 1e9))  # git would note the new time in its index
    before = (tmp_path / ".git" / "index").read_bytes()
    revision = environment._git_revision.__wrapped__()
    assert revision
    assert not revision.endswith("+")
    source.write_text("two")
    assert environment._git_revision.__wrapped__() == f"{revision}+"
    assert (tmp_path / ".git" / "index").read_bytes() == before
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "untracked.py"))
    assert environment._git_revision.__wrapped__() is None
