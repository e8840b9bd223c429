"""One run by several processes: as one does it, through stops, kills and restarts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import inkgan as library
from inkgan.config import Recipe
from inkgan.config.serialize import to_toml
from inkgan.errors import ConfigError
from inkgan.io.run_dir import RunFolder
from inkgan.runs.launcher import _what_happened
from inkgan.training.losses import LOSSES, Loss, register_loss
from tests.fixtures import runs_together
from tests.fixtures.command_line import inkgan
from tests.fixtures.many_processes import (
    TORCHRUN,
    ended_with_block,
    free_port,
    process_of_rank,
    several,
)

posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for the runs of this module."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def recipe_path(tiny: Recipe, folder: Path) -> Path:
    path = folder / "tiny.toml"
    path.write_text(to_toml(tiny.model_copy(update={"name": "tiny"})))
    return path


def arguments(recipe_path: Path, out: Path, *more: str) -> list[str]:
    end = ["--epochs", "6", "--sample-interval", "640", "--threads", "1"]
    return ["train", str(recipe_path), "--out", str(out), *end, *more]


def started(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def weights(run: Path) -> dict[str, torch.Tensor]:
    saved = RunFolder.open(run).load_checkpoint("last")
    assert saved is not None
    return saved[0]


def same_bits(one: Path, other: Path) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def whole(recipe_path: Path, folder: Path) -> Path:
    """Give the run that two processes trained without interruption, started by torchrun."""
    out = folder / "whole"
    if not out.exists():
        place = [*TORCHRUN, "--standalone", "--nproc-per-node=2", "-m", "inkgan"]
        with ended_with_block(started(*place, *arguments(recipe_path, out))) as process:
            printed, noted = process.communicate(timeout=300)
        assert process.returncode == 0, noted
        assert printed.count("complete: ") == 1  # one of the two reports
        assert "cpu (1 thread), 2 processes" in noted
    return out


def until(condition: object, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_trained(out: Path) -> bool:
    # the checkpoint of a step is written after its grid, so the second one's is there
    return len(list((out / "samples").glob("step-*.png"))) > 2


def test_runs_end_together_and_equal_those_of_one_process(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(to_toml(tiny.model_copy(update={"name": "tiny"})))
    with several(2, runs_together.__name__, str(tmp_path)) as processes:
        assert [process.wait(timeout=300) for process in processes] == [0, 0]
    first, second = (
        json.loads((tmp_path / f"events-{rank}.json").read_text()) for rank in range(2)
    )
    assert first["whole"] == second["whole"] == ["complete"]
    assert first["first half"] == second["first half"] == ["interrupted"]
    assert first["second half"] == second["second half"] == ["complete"]
    assert same_bits(tmp_path / "together", tmp_path / "halves")
    hopeless = runs_together.followed(
        tmp_path, "alone", overrides={"optim.lr": 1.0, "optim.d_lr": 1.0}, on_trouble="rollback"
    )
    assert first["hopeless"] == hopeless  # the monitor sees the whole batch
    assert second["hopeless"] == hopeless[-1:]
    one = library.train(tmp_path / "tiny.toml", out=tmp_path / "one", epochs=2)
    two = RunFolder.open(tmp_path / "together").rows()
    for row, other in zip(one.metrics, two, strict=True):
        assert row.keys() == other.keys()
        assert row["images"] == other["images"]
        if "d_loss" in row:
            assert row["d_loss"] == pytest.approx(other["d_loss"], rel=1e-3)


@posix
def test_a_killed_process_is_restarted_and_nothing_changes(
    recipe_path: Path, whole: Path, folder: Path
) -> None:
    out = folder / "restarted"
    place = [*TORCHRUN, "--standalone", "--nproc-per-node=2", "--max-restarts=1", "-m", "inkgan"]
    with ended_with_block(started(*place, *arguments(recipe_path, out))) as process:
        until(lambda: is_trained(out))
        victim = process_of_rank(process.pid, 0)
        assert victim is not None
        victim.kill()
        _, noted = process.communicate(timeout=300)
    assert process.returncode == 0, noted
    assert "continuing from" in noted
    assert same_bits(out, whole)


def test_the_process_that_a_signal_has_ended_is_named() -> None:
    """Another one fails because of it, and may come first in torchrun's report."""
    report = "[0]:\n  rank      : {} (local_rank: {})\n  exitcode  : {} (pid: 7)\n"
    failed, killed = report.format(0, 0, 1), report.format(1, 1, -9)
    assert "process 1 of the run ended with exit status -9" in _what_happened(failed + killed)
    assert "process 0 of the run ended with exit status 1" in _what_happened(failed)
    assert _what_happened("").startswith("a process of the run ended, and")


@posix
def test_without_restarts_the_run_ends_with_a_message_and_two_machines_resume_it(
    recipe_path: Path, whole: Path, folder: Path
) -> None:
    """The machines meet by a rendezvous; each has an address of its own."""
    out = folder / "killed"
    command = [sys.executable, "-m", "inkgan", *arguments(recipe_path, out), "--processes", "2"]
    with ended_with_block(started(*command)) as process:
        until(lambda: is_trained(out))
        victim = process_of_rank(process.pid, 1)
        assert victim is not None
        victim.kill()
        _, noted = process.communicate(timeout=300)
    assert process.returncode == 1
    assert noted.splitlines()[-1].startswith("inkgan: process 1 of the run ended"), noted
    agents, port = [], free_port()
    for number in (1, 2):
        place = [
            *TORCHRUN,
            "--nnodes=2",
            "--nproc-per-node=1",
            "--rdzv-backend=c10d",
            f"--rdzv-endpoint=127.0.0.1:{port}",
            "--rdzv-id=7",
            f"--local-addr=127.0.0.{number}",
            *("-m", "inkgan"),
        ]
        agents.append(started(*place, *arguments(recipe_path, out)))
    with ended_with_block(agents[0]) as one, ended_with_block(agents[1]) as other:
        notes = [process.communicate(timeout=300)[1] for process in (one, other)]
    assert [one.returncode, other.returncode] == [0, 0], notes
    assert "continuing from" in "".join(notes)
    assert same_bits(out, whole)


@posix
def test_ctrl_c_stops_all_and_another_number_of_processes_goes_on(
    recipe_path: Path, whole: Path, folder: Path
) -> None:
    out = folder / "interrupted"
    command = [sys.executable, "-m", "inkgan", *arguments(recipe_path, out)]
    with ended_with_block(started(*command, "--processes", "2")) as process:
        until(lambda: is_trained(out))
        process.send_signal(signal.SIGINT)
        printed, noted = process.communicate(timeout=300)
    assert process.returncode == 130, noted
    assert "everything is saved" in printed
    done = inkgan(*arguments(recipe_path, out), "--json")
    assert done.code == 0, done.stderr
    assert "was started with 2 processes; it resumes with 1" in done.stderr
    assert json.loads(done.stdout)["reason"] == "complete"
    assert weights(out).keys() == weights(whole).keys()


def test_what_cannot_be_divided_or_sent_is_refused(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`processes` must be at least 1, not 0"):
        library.train(tiny, out=tmp_path / "a", processes=0)
    with pytest.raises(ConfigError, match=r"3 do not divide it evenly; use `.*batch_size=63`"):
        library.train(tiny, out=tmp_path / "a", processes=3)
    register_loss("of-this-test", Loss(*(2 * (LOSSES["hinge"].d,))))
    with pytest.raises(ConfigError, match="do not know a loss of your own; start your script"):
        library.train(
            tiny, out=tmp_path / "a", processes=2, overrides={"objective.loss": "of-this-test"}
        )
    assert not (tmp_path / "a").exists()
