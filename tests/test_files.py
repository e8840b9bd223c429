"""JSON; the cache, also one that cannot be written; the lock of a folder."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import inkgan
from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.folder_lock import locked

HOLD = """
import sys, time
from pathlib import Path
from inkgan.folder_lock import locked
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


@pytest.fixture
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a file where the cache would be; return the folder for temporary files."""
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def test_a_temporary_folder_stands_in_for_a_read_only_cache(no_cache: Path) -> None:
    with pytest.warns(files.CacheWarning, match=r"cache cannot be written .*INKGAN_CACHE names"):
        files.cache_json("styles/a.json", {"a": 1})
    files.cache_json("styles/b.json", {"b": 2})  # without another warning
    assert list(files.cached_json("styles/a.json")) == [{"a": 1}]
    (folder,) = no_cache.iterdir()
    assert files.cache_folders()[1:] == (folder,)
    assert files.writable_cache_folder() == folder


def test_without_any_folder_nothing_is_kept(
    no_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(no_cache / "missing"))
    with pytest.warns(files.CacheWarning) as told:
        files.cache_json("styles/a.json", {"a": 1})
    assert any("nothing is kept" in str(warning.message) for warning in told)
    assert list(files.cached_json("styles/a.json")) == []


def test_a_writable_cache_has_no_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKGAN_CACHE", str(tmp_path / "new" / "cache"))
    assert files.cache_folders() == (tmp_path / "new" / "cache",)
    files.cache_json("a.json", [1])
    assert list(files.cached_json("a.json")) == [[1]]
    (tmp_path / "new" / "cache" / "a.json").write_text("no JSON", encoding="utf-8")
    assert list(files.cached_json("a.json")) == []


def test_a_name_may_be_as_long_as_any(tmp_path: Path) -> None:
    for name in ("x" * 255, f"{'x' * 250}.json", "é" * 127):
        files.write_json(tmp_path / name, 1)
        assert files.read_json(tmp_path / name) == 1
        with files.atomic_folder(tmp_path / "folders" / name) as folder:
            assert folder.is_dir()
    assert len(list(tmp_path.iterdir())) == 4


KILLED = """
import os, signal, sys
from pathlib import Path
from inkgan.files import atomic
with atomic(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for in POSIX's way")
def test_the_files_of_a_killed_process_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the next process that writes there; those of a living one, and the user's, stay."""
    for name in ("a.json", "no ending", ".hidden"):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / name)], check=False)
    (left,) = tmp_path.iterdir()  # each has removed what the one before it left
    mine = [tmp_path / name for name in (".a.json.swp", ".b.12345678-1.abcdefgh", "x.json")]
    monkeypatch.setattr(files, "_owner", lambda: f"{files._machine()}-{os.getppid()}")
    with files.atomic(tmp_path / "living.json") as living:
        monkeypatch.undo()
        files._remove_leftovers.cache_clear()
        for path in mine:
            path.write_text("mine")
        files.write_json(tmp_path / "b.json", 1)
        assert not left.exists()
        assert living.exists()
        assert all(path.exists() for path in mine)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [*(path.name for path in mine), "b.json", "living.json"]
    )


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights on Windows")
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "gone" / "folder")
    reason = r"link is a link to .*gone/folder, which does not exist"
    with pytest.raises(ArtifactError, match=rf"cannot write .*link/a\.txt: .*{reason}"):
        files.write_text(link / "a.txt", "new")
    with pytest.raises(ArtifactError, match=r"cannot write .*link: it is a link to .*gone"):
        files.require_writable(link)
    with pytest.raises(ArtifactError, match=r"cannot write .*link: it is a link"), locked(link):
        pass
    with (
        pytest.raises(ArtifactError, match=rf"cannot write .*link/a: .*{reason}"),
        files.atomic_folder(link / "a"),
    ):
        pass
    with pytest.raises(ArtifactError, match=r"cannot write .*link: it is a link to .*; remove it"):
        files.write_text(link, "new")
    with pytest.raises(ArtifactError, match=r"link to .*; remove it"), files.atomic_folder(link):
        pass
    assert link.is_symlink()
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights on Windows")
def test_a_link_to_something_is_replaced_or_followed(tmp_path: Path) -> None:
    """A file takes the place of a link, and an empty folder stays behind its link."""
    (tmp_path / "old.txt").write_text("old")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a").symlink_to("old.txt")
    (tmp_path / "b").symlink_to("empty")
    files.write_text(tmp_path / "a", "new")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "old.txt").read_text() == "old"
    with files.atomic_folder(tmp_path / "b") as folder:
        (folder / "c").write_text("new")
    assert (tmp_path / "b").is_symlink()
    assert (tmp_path / "empty" / "c").read_text() == "new"


# --- JSON ---

# Messages between processes of one program, which no file and no stranger has.
MESSAGES = {
    *("training/lockstep.py", "training/distributed.py", "runs/trainer.py"),
    *("studio/model_client.py", "studio/model_worker.py"),
}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', r"it has the key 'c' twice"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
        (b'{"a": 1', "it is not JSON"),
        (b"\xff", "it is not UTF-8 text"),
        (json.dumps({"a": 1}).encode("utf-16"), "it is not UTF-8 text"),
    ],
    ids=["twice", "nested", "cut", "latin", "utf-16"],
)
def test_json_that_says_two_things_or_nothing_is_refused(
    content: bytes, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"cannot read .*a\.json: .*({reason})"):
        files.read_json(tmp_path / "a.json")


def test_every_document_is_parsed_in_one_place() -> None:
    source = Path(inkgan.__file__).parent
    found = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"\bjson\.loads?\(", path.read_text("utf-8"))
    }
    assert found == {"files.py", *MESSAGES}


def test_names_that_are_no_utf8_are_escaped_where_they_are_written(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    files.write_json(tmp_path / "a.json", {name: [name, "é"]})
    assert files.read_json(tmp_path / "a.json") == {r"caf\xe9": [r"caf\xe9", "é"]}
    files.write_text(tmp_path / "a.txt", name)
    assert (tmp_path / "a.txt").read_text("utf-8") == r"caf\xe9"
    for half in (r"\ud800", r"\uDFFF", r"\udce9x"):
        with pytest.raises(ValueError, match="half of a character"):
            files.parse_json(f'{{"a": "{half}"}}')
    assert files.parse_json(r'"\ud83d\ude00 \\ud800"') == "😀 \\ud800"
