"""The journal of a sweep: damage is found, and what was cut short is left out."""

from pathlib import Path
from typing import Any

import pytest

from inkgan.errors import ArtifactError
from inkgan.files import DamagedFileWarning
from inkgan.sweeps.journal import Journal
from inkgan.sweeps.sweep import sweep
from tests.fixtures.sweeps import ManyTrials
from tests.sweeps.test_sweep import SEARCH, SMALL

CHANGES = [{"op_code": 0, "worker_id": "w", "n": n} for n in range(4)]


def written(path: Path) -> list[bytes]:
    """Write the changes one after the other; return the lines."""
    journal = Journal(path)
    for change in CHANGES:
        journal.append_logs([change])
    assert list(journal.read_logs(0)) == CHANGES
    return path.read_bytes().splitlines(keepends=True)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    written(tmp_path / "j.log")
    again = Journal(tmp_path / "j.log")
    assert list(again.read_logs(0)) == CHANGES
    assert list(again.read_logs(3)) == CHANGES[3:]
    again.append_logs(CHANGES[:1])
    assert list(Journal(tmp_path / "j.log").read_logs(0)) == [*CHANGES, CHANGES[0]]


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (lambda a, b, c, d: [a, b.replace(b":1}", b":2}"), c, d], 2),
        (lambda a, b, c, d: [a, b[1:], c, d], 2),
        (lambda a, b, c, d: [a, c, d], 2),
        (lambda a, b, c, d: [a, b, b, c, d], 3),
        (lambda a, b, c, d: [b, a, c, d], 1),
        (lambda a, b, c, d: [a, b, c, bytes(len(d)) + b"\n"], 4),
        (lambda a, b, c, d: [a, b, c, d, b"\n"], 5),
        (lambda a, b, c, d: [a[65:], b, c, d], 1),
    ],
)
def test_a_damaged_line_is_named(damage: Any, line: int, tmp_path: Path) -> None:
    lines = damage(*written(tmp_path / "j.log"))
    (tmp_path / "j.log").write_bytes(b"".join(lines))
    with pytest.raises(ArtifactError, match=f"j.log is damaged in line {line}; to continue"):
        Journal(tmp_path / "j.log")
    # the way out of the message
    (tmp_path / "j.log").write_bytes(b"".join(lines[: line - 1]))
    assert list(Journal(tmp_path / "j.log").read_logs(0)) == CHANGES[: line - 1]


@pytest.mark.parametrize("rest", [b"0", b'{"op', b"\x00" * 300])
def test_a_line_that_was_cut_short_is_left_out_and_replaced(rest: bytes, tmp_path: Path) -> None:
    lines = written(tmp_path / "j.log")
    (tmp_path / "j.log").write_bytes(b"".join(lines[:3]) + rest)
    with pytest.warns(DamagedFileWarning, match="its last line is not complete and is left out"):
        journal = Journal(tmp_path / "j.log")
    journal.append_logs(CHANGES[3:])
    assert (tmp_path / "j.log").read_bytes() == b"".join(lines)


def test_a_journal_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    lines = written(tmp_path / "j.log")
    journal = Journal(tmp_path / "j.log")
    (tmp_path / "j.log").rename(tmp_path / "kept.log")
    (tmp_path / "j.log").mkdir()
    with pytest.raises(ArtifactError, match=r"cannot write .*j\.log: Is a directory"):
        journal.append_logs(CHANGES[:1])
    assert (tmp_path / "kept.log").read_bytes() == b"".join(lines)
    assert list(journal.read_logs(0)) == CHANGES


def test_a_sweep_goes_on_after_the_damage_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ManyTrials(monkeypatch)
    first = sweep(SMALL, SEARCH, trials=3, out=tmp_path / "a")
    path = tmp_path / "a" / "journal.log"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-1] = lines[-1].replace(b"}", b"]")
    path.write_bytes(b"".join(lines))
    with pytest.raises(ArtifactError, match=f"is damaged in line {len(lines)}"):
        sweep(SMALL, SEARCH, trials=3, out=tmp_path / "a")
    path.write_bytes(b"".join(lines[:-1]))
    again = sweep(SMALL, SEARCH, trials=3, out=tmp_path / "a")
    assert [trial.values for trial in again.trials] == [trial.values for trial in first.trials]


def test_a_sweep_goes_on_in_a_folder_that_was_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ManyTrials(monkeypatch)
    first = sweep(SMALL, SEARCH, trials=2, out=tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    again = sweep(SMALL, SEARCH, trials=3, out=tmp_path / "b")
    assert again.trials[:2] == first.trials
    assert len(again.trials) == 3
