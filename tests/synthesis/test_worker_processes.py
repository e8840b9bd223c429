"""Worker processes do every task once, and none of them stays behind."""

import mmap
import os
import platform
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from inkgan.errors import ConfigError, InkganError
from inkgan.execution.worker_processes import completed
from inkgan.synthesis import encoded_store, pool_store
from inkgan.synthesis.paper.paper import Paper
from inkgan.synthesis.request import SynthesisRequest
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.synth import synth, synthesize
from tests.fixtures.synthesis import ORIGIN, HandGenerator, tree
from tests.fixtures.worker_tasks import Allocating, Recorded

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


def processes(folder: Path) -> set[int]:
    """Return the processes that did tasks."""
    return {int(text) for path in folder.iterdir() if (text := path.read_text())}


def have_ended(pids: set[int]) -> bool:
    def has_ended(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # nobody waits for it
        except psutil.NoSuchProcess:
            return True

    return all(map(has_ended, pids))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_every_task_is_done_once_by_several_processes(tmp_path: Path) -> None:
    assert sorted(completed(Recorded(tmp_path), range(40), 3)) == list(range(40))
    pids = processes(tmp_path)
    assert len(list(tmp_path.iterdir())) == 40
    assert 1 < len(pids) <= 3
    assert os.getpid() not in pids
    assert have_ended(pids)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc's allocator")
def test_memory_is_kept_for_the_next_task(tmp_path: Path) -> None:
    assert len(list(completed(Allocating(tmp_path), range(2), 2))) == 2
    pages = 10 * 3 * (16 << 20) // mmap.PAGESIZE
    cleared = [int(path.read_text()) for path in tmp_path.iterdir()]
    assert max(cleared) < pages / 5  # the first of ten times, and no other


def test_one_process_is_this_one(tmp_path: Path) -> None:
    assert list(completed(Recorded(tmp_path), iter(range(5)), 1)) == list(range(5))
    assert processes(tmp_path) == {os.getpid()}


def test_more_processes_than_tasks(tmp_path: Path) -> None:
    assert list(completed(Recorded(tmp_path), [7], 2)) == [7]
    assert not list(completed(Recorded(tmp_path), [], 2))


def test_an_error_is_raised_here_and_ends_all(tmp_path: Path) -> None:
    work = Recorded(tmp_path, fails=3, lasts=4)
    with pytest.raises(ValueError, match="number 3 is impossible"):
        list(completed(work, range(9), 2))
    assert have_ended(processes(tmp_path))


def test_who_stops_early_leaves_no_process(tmp_path: Path) -> None:
    done = completed(Recorded(tmp_path, lasts=1), range(9), 2)
    assert next(done) == 0
    wait_until(lambda: (tmp_path / "1").is_file())
    done.close()
    assert have_ended(processes(tmp_path))


@POSIX
def test_a_killed_process_is_reported(tmp_path: Path) -> None:
    work = Recorded(tmp_path, is_killed=2, lasts=3)
    with pytest.raises(InkganError, match=r"ended with SIGKILL; .*Repeat the same call"):
        list(completed(work, range(9), 2))
    assert have_ended(processes(tmp_path))


SCRIPT = """
    import sys
    from pathlib import Path
    from inkgan.execution.worker_processes import completed
    from tests.fixtures.worker_tasks import Allocating, Recorded

    print("the script runs")
    list(completed(Recorded(Path(sys.argv[1]), lasts=2), range(9), 2))
"""


def start_script(folder: Path) -> subprocess.Popen[str]:
    """Run a script that does not guard its main part, until its workers are at work."""
    script = folder / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    (folder / "tasks").mkdir()
    started = subprocess.Popen(
        [sys.executable, script, folder / "tasks"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # the group that a terminal would send Ctrl-C to
    )
    wait_until(lambda: {"2", "3"} <= {path.name for path in (folder / "tasks").iterdir()})
    wait_until(lambda: len(processes(folder / "tasks")) == 2)
    return started


@POSIX
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    parent = start_script(tmp_path)
    parent.kill()
    output, errors = parent.communicate(timeout=60)
    wait_until(lambda: have_ended(processes(tmp_path / "tasks")))
    assert (output, errors) == ("the script runs\n", "")


@POSIX
def test_ctrl_c_ends_all_and_is_told_once(tmp_path: Path) -> None:
    parent = start_script(tmp_path)
    os.killpg(parent.pid, signal.SIGINT)
    _, errors = parent.communicate(timeout=60)
    assert have_ended(processes(tmp_path / "tasks"))
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1


# --- data sets ---

CONTENT = Sequences(
    40, test=9, pattern=("[0-9]{2,4}", "amount"), writers=6, format="coco", paper=Paper("scan")
)
REQUEST = SynthesisRequest(CONTENT.resolved())


def test_impossible_numbers_of_workers_are_refused(tmp_path: Path) -> None:
    for workers in (0, -1, 5000):
        with pytest.raises(ConfigError, match=f"`workers` must be from 1 to 1,024, not {workers}"):
            synth(tmp_path / "a", sequences=3, workers=workers)
    with pytest.raises(ConfigError, match="`workers` compose sequences, or draw"):
        synth(tmp_path / "a", per_class=1, workers=2)


@POSIX
def test_workers_change_nothing_even_if_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process; two, which are killed; then one that finishes the set."""
    monkeypatch.setattr(encoded_store, "SEQUENCES_PER_SHARD", 5)
    monkeypatch.setattr(encoded_store, "SHARDS_PER_PROCESS", 1)
    monkeypatch.setattr(pool_store, "GLYPHS_PER_BLOCK", 100)
    synthesize(tmp_path / "one", HandGenerator(), REQUEST, ORIGIN, workers=1)
    others = set(psutil.Process().children())  # servers of other tests
    killed: list[int] = []

    def kill_the_workers(what: str, done: int, total: int) -> None:
        if what == "composing" and done and not killed:
            workers = set(psutil.Process().children()) - others
            killed.extend(worker.pid for worker in workers)
            for worker in workers:
                worker.kill()

    with pytest.raises(InkganError, match="ended with SIGKILL"):
        synthesize(tmp_path / "cut", HandGenerator(), REQUEST, ORIGIN, False, kill_the_workers, 2)
    assert len(killed) == 2
    wait_until(lambda: have_ended(set(killed)))
    shards = list((tmp_path / ".cut.unfinished").glob("sequences-*.npz"))
    assert 0 < len(shards) < 10
    synthesize(tmp_path / "cut", HandGenerator(), REQUEST, ORIGIN, workers=1)
    assert tree(tmp_path / "cut") == tree(tmp_path / "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "one"]
