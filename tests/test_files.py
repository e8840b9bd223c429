"""The lock of a folder: one process at a time, and the message that says which folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from inkgan.errors import ArtifactError
from inkgan.files import locked

HOLD = """
import sys, time
from pathlib import Path
from inkgan.files import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.readline()
    Path(sys.argv[1], "finished").touch()
"""


@pytest.fixture
def other_process(tmp_path: Path) -> subprocess.Popen[str]:
    """Start a process that locks `tmp_path` until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def test_a_second_process_is_refused_or_waits(
    tmp_path: Path, other_process: subprocess.Popen[str]
) -> None:
    message = f"another process is training in {tmp_path}; wait for it or choose another folder"
    with pytest.raises(ArtifactError, match=message), locked(tmp_path, "training in"):
        pass
    assert other_process.stdin is not None
    other_process.stdin.write("\n")
    other_process.stdin.flush()
    with locked(tmp_path, wait=True):
        assert (tmp_path / "finished").exists()
    other_process.communicate(timeout=60)
    assert other_process.returncode == 0


def test_the_folder_is_made_and_the_lock_is_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        with locked(folder):
            assert folder.is_dir()
    with pytest.raises(KeyError), locked(folder):
        raise KeyError
    with locked(folder):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArtifactError, match=r"cannot write .*file: "), locked(tmp_path / "file"):
        pass
