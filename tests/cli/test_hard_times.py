"""Two commands at once, processes that are stopped, clocks that jump."""

import itertools
import os
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests.cli.test_kill_commands import PROCESSES, child, exported, run
from tests.fixtures.command_line import inkgan

SMALL = ("--data", "uci-digits", "--images", "640", "--set", "schedule.batch_size=32")
LONGER = ("--data", "uci-digits", "--images", "12800", "--set", "schedule.batch_size=32")
PAGE = ("export", "page", "small.safetensors", "a.html", "--force")  # both fill one cache


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (("train", "mlp", *SMALL, "--out", "a"), "a/generator.safetensors"),
        (("synth", "set", "--per-class", "3", "--format", "npz"), "set/data.npz"),
        (PAGE, "a.html"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_two_at_once(words: tuple[str, ...], made: str, tmp_path: Path) -> None:
    """One works and the other is refused, finds it done, or makes the same."""
    both, alone = tmp_path / "both", tmp_path / "alone"
    for folder in (both, alone):
        folder.mkdir()
        exported("page", "a.html", folder)
    processes = [PROCESSES.Process(target=child, args=(both, words)) for _ in range(2)]
    processes.append(PROCESSES.Process(target=child, args=(alone, words)))
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    codes = [process.exitcode for process in processes]
    assert 0 in codes[:2], codes
    assert set(codes[:2]) <= {0, 1}, codes
    assert codes[2] == 0
    assert (both / made).read_bytes() == (alone / made).read_bytes()
    hidden = {path.name for path in tmp_path.rglob(".*") if alone not in path.parents}
    assert hidden <= {".lock", ".set.lock", ".live"}, hidden


@pytest.mark.skipif(os.name != "posix", reason="SIGSTOP is POSIX's")
def test_a_process_that_is_stopped_for_a_while_goes_on(tmp_path: Path) -> None:
    words = ("train", "mlp", *LONGER, "--out", "a")
    stopped, alone = tmp_path / "stopped", tmp_path / "alone"
    for folder in (stopped, alone):
        folder.mkdir()
    process = PROCESSES.Process(target=child, args=(stopped, words))
    process.start()
    assert process.pid is not None
    for rows in (1, 2, 3):  # the run writes more, so each stop is before its end
        wait_for_rows(stopped / "a/metrics.jsonl", rows, process)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGCONT)
    process.join(120)
    assert process.exitcode == 0, (stopped / "errors.txt").read_text("utf-8")
    assert run(alone, words) == 0
    one, other = ((folder / "a/generator.safetensors").read_bytes() for folder in (stopped, alone))
    assert one == other


def wait_for_rows(path: Path, count: int, process: BaseProcess) -> None:
    """Wait until a run has written so many rows of metrics."""
    end = time.monotonic() + 120
    while not path.is_file() or path.read_bytes().count(b"\n") < count:
        assert process.is_alive()
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_clock_that_jumps_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a suspended laptop, or when the network sets the time: by years, back and forth."""
    jumps = itertools.cycle([0.0, 1e9, -1e9, 3600.0])
    monkeypatch.setattr(time, "time", lambda: 1.7e9 + next(jumps))
    done = inkgan("train", "mlp", *SMALL, "--minutes", "10", "--out", "a", cwd=tmp_path)
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("complete: 640 images in ")
    assert "seconds" in done.stdout.splitlines()[0]
    drawn = inkgan("synth", "set", "--per-class", "2", cwd=tmp_path)
    assert drawn.code == 0, drawn.stderr
