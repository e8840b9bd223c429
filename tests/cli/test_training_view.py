"""What a training says on a busy machine."""

from pathlib import Path

import pytest

from inkgan.cli import training_view
from inkgan.config import Recipe
from inkgan.io.run_dir import RunFolder
from inkgan.runs.events import Event, Finished, Started, ThreadsChanged, Updated
from inkgan.training.loop import Update


@pytest.mark.parametrize(("threads", "times"), [(1, 0), (2, 1)])
def test_threads_that_sleep_are_told_of_once_if_any_waits_for_another(
    tiny: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    threads: int,
    times: int,
) -> None:
    monkeypatch.setattr(training_view, "threads_sleep", lambda: True)
    run = RunFolder(tmp_path, tiny)
    started = Started(run, 0, 640, "data", (1, 1), "cpu", None, threads=threads)
    updated = Updated(Update(1, 64, 0.1, {}), {"d_loss": 1.0}, 1.0)
    events: list[Event] = [started, updated, updated, Finished(run, "complete", 64, 1.0)]
    training_view.TrainingView(None).follow(events)
    printed = capsys.readouterr()
    assert (printed.out + printed.err).count("threads now sleep") == times


def test_a_change_of_threads_is_one_line(
    tiny: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder(tmp_path, tiny)
    started = Started(run, 0, 640, "data", (1, 1), "cpu", None, threads=2)
    end = Finished(run, "complete", 64, 1.0)
    events: list[Event] = [started, ThreadsChanged(2, 1), ThreadsChanged(1, 2), end]
    training_view.TrainingView(None).follow(events)
    lines = [line for line in capsys.readouterr().err.splitlines() if "from here on" in line]
    assert lines == [
        "other processes use the cores, and beside them 2 threads are slower than 1 thread, which "
        "the run takes from here on; `threads=2` keeps them",
        "cores are idle again: 2 threads from here on",
    ]
