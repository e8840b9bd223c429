"""Jobs are processes that outlive the server; the queue has an order; a failure says why."""

import errno
import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from inkgan.config import Recipe
from inkgan.config.serialize import override, to_toml
from inkgan.errors import ArtifactError, ConfigError
from inkgan.io.live_folder import Control, LiveFolder
from inkgan.studio.jobs import Jobs
from inkgan.studio.jobs import _children as children
from inkgan.studio.process_check import end_process, find_process
from inkgan.studio.run_folders import RunFolders
from inkgan.studio.run_state import JobFile


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    found = Jobs(RunFolders(tmp_path), {"device": "cpu", "threads": 1})
    yield found
    for run in found.folders.paths():  # whatever a test leaves behind
        for record in (LiveFolder(run).process(), JobFile(run).read()):
            end_process(record, at_once=True)
    end = time.monotonic() + 30
    while children and time.monotonic() < end:
        children[:] = [child for child in children if child.poll() is None]
        time.sleep(0.05)


def until(condition: Callable[[], bool], jobs: Jobs, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        states = {entry.name: (entry.state, entry.message, entry.log) for entry in jobs.entries()}
        assert time.monotonic() < end, states
        jobs.tick()
        time.sleep(0.05)


def state(jobs: Jobs, name: str) -> str:
    return jobs.entry(name).state


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_full_disk_leaves_no_run_and_starts_no_process(
    jobs: Jobs, tiny: Recipe, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text, written = Path.write_text, list[Path]()

    def full(path: Path, text: str, **options: Any) -> int:
        written.append(path)
        if len(written) >= fails_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_text(path, text, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(ArtifactError, match=r"cannot write .*No space left on device"):
            jobs.create("first", tiny)
    assert not children
    assert jobs.folders.paths() == []
    assert [path.name for path in jobs.folders.root.iterdir()] == []


def test_a_job_lives_without_its_server_and_the_queue_goes_on(jobs: Jobs, tiny: Recipe) -> None:
    long = override(tiny, {"schedule.epochs": 100_000})
    jobs.create("first", long)
    jobs.create("second", override(tiny, {"schedule.epochs": 1}))
    jobs.create("third", override(tiny, {"schedule.epochs": 1}), {"minutes": 5})
    assert (jobs.entry("second").minutes, jobs.entry("third").minutes) == (None, 5.0)
    assert (jobs.entry("second").position, jobs.entry("third").position) == (1, 2)
    until(lambda: state(jobs, "first") == "training", jobs)
    again = Jobs(jobs.folders)  # a server that was started anew
    assert state(again, "first") == "training"
    again.act("first", "pause")
    until(lambda: state(again, "first") == "paused", again)
    assert [state(again, name) for name in ("second", "third")] == ["queued", "queued"]
    again.act("third", "cancel")
    assert not (jobs.folders.root / "third").exists()  # it had never begun
    with ThreadPoolExecutor(8) as pages:  # as requests come in
        list(pages.map(lambda _: again.act("first", "step"), range(40)))
    assert LiveFolder(again.folders.find("first")).control() == Control("pause", 40)
    again.act("first", "resume")
    until(lambda: state(again, "first") == "training", again)
    again.act("first", "stop")
    until(lambda: state(again, "second") == "complete", again)
    assert state(again, "first") == "stopped"
    assert again.entry("first").images > 0
    assert again.entry("second").has_generator


def test_a_process_that_was_killed_and_one_that_failed_say_so(jobs: Jobs, tiny: Recipe) -> None:
    jobs.create("killed", override(tiny, {"schedule.epochs": 100_000}))
    until(lambda: state(jobs, "killed") == "training", jobs)
    jobs.act("killed", "end")
    until(lambda: state(jobs, "killed") == "crashed", jobs)
    entry = jobs.entry("killed")
    assert "killed" in entry.message
    assert any("training: tiny on uci-digits" in line for line in entry.log)
    jobs.create("failed", override(tiny, {"data.name": "kmnist", "data.size": None}))
    until(lambda: state(jobs, "failed") == "failed", jobs)
    assert any("kmnist" in line for line in jobs.entry("failed").log)


def test_actions_need_a_state_that_fits(jobs: Jobs, tiny: Recipe) -> None:
    run = jobs.folders.root / "old"
    run.mkdir()
    (run / "recipe.toml").write_text(to_toml(tiny), encoding="utf-8")
    assert state(jobs, "old") == "stopped"
    for action in ("pause", "step", "stop", "end", "cancel"):
        with pytest.raises(ConfigError, match=f"stopped: there is nothing to {action}"):
            jobs.act("old", action)
    with pytest.raises(ConfigError, match="`action` must be one of"):
        jobs.act("old", "explode")
    with pytest.raises(ConfigError, match="there is a run 'old' already"):
        jobs.create("old", tiny)
    with pytest.raises(KeyError):
        jobs.act("nothing", "stop")


def test_resuming_lifts_a_time_limit_that_was_reached(jobs: Jobs, tiny: Recipe) -> None:
    run = jobs.folders.root / "a"
    run.mkdir()
    (run / "recipe.toml").write_text(to_toml(tiny), encoding="utf-8")
    arguments = ["train", "--out", str(run), "--minutes", "5", "--threads", "1"]
    JobFile(run).write({"arguments": arguments, "state": "started"})
    LiveFolder(run).write_process({"state": "ended", "reason": "time is up", "pid": 1})
    assert "lifts the limit" in jobs.entry("a").message
    jobs.act("a", "resume")
    assert JobFile(run).read()["arguments"] == ["train", "--out", str(run), "--threads", "1"]


def test_only_the_newest_state_of_a_file_stays_in_memory(jobs: Jobs, tiny: Recipe) -> None:
    run = jobs.folders.root / "a"
    run.mkdir()
    (run / "recipe.toml").write_text(to_toml(tiny), encoding="utf-8")

    def memory_after(rows: range) -> int:
        for number in rows:
            with (run / "metrics.jsonl").open("a", encoding="utf-8") as stream:
                row = {"step": number, "images": 64 * number, "d_loss": 1.0, "g_loss": 2.0}
                stream.write((json.dumps(row) + "\n") * 100)
            assert jobs.entry("a").images == 64 * number
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = memory_after(range(5))
        grown = memory_after(range(5, 65)) - before
    finally:
        tracemalloc.stop()
    assert grown < 200_000  # bytes


def test_a_number_that_another_process_has_now_is_not_the_job() -> None:
    mine = {"pid": os.getpid(), "recorded": time.time()}
    assert find_process(mine) == psutil.Process()
    assert find_process({**mine, "recorded": psutil.Process().create_time() - 60}) is None
    assert find_process({"pid": 2**22 + 5, "recorded": time.time()}) is None
    for nonsense in ({}, {"pid": "1", "recorded": 1}, {"pid": 0, "recorded": 1}, {"pid": -1}):
        assert find_process(nonsense) is None


@pytest.mark.parametrize("name", ["process.json", "control.json", "train-job.json"])
@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": [], "state": {}}', "\x00"])
def test_damaged_files_are_no_obstacle(jobs: Jobs, tiny: Recipe, name: str, text: str) -> None:
    run = jobs.folders.root / "a"
    (run / ".live").mkdir(parents=True)
    (run / "recipe.toml").write_text(to_toml(tiny), encoding="utf-8")
    (run / ".live" / name).write_text(text, encoding="utf-8")
    (run / "metrics.jsonl").write_text('{"images": null}\nnot json\n[]\n', encoding="utf-8")
    json.dumps([entry.to_dict() for entry in jobs.entries()], allow_nan=False)
    jobs.tick()


def test_a_folder_from_elsewhere_starts_and_ends_nothing(jobs: Jobs, tiny: Recipe) -> None:
    run = jobs.folders.root / "a"
    run.mkdir()
    (run / "recipe.toml").write_text(to_toml(tiny), encoding="utf-8")
    other = ["synth", "mine", "--per-class", "1", "--force"]
    for words in (other, ["train", "--out", "elsewhere"], ["train", "--out", str(run), "--x"]):
        JobFile(run).write({"arguments": words, "state": "queued", "queued_at": 1.0})
        jobs.tick()
        assert (state(jobs, "a"), children) == ("stopped", [])
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        record = {"pid": innocent.pid, "recorded": time.time() + 10}
        LiveFolder(run).write_process({**record, "state": "training"})
        words = ["train", "--out", str(run)]
        JobFile(run).write({**record, "arguments": words, "state": "started"})
        jobs.act("a", "end")
        assert not JobFile(run).end()
        assert innocent.poll() is None
        innocent.kill()


STRANGE: tuple[Any, ...] = (None, "x", -1, 1e999, [], {})


@pytest.mark.parametrize("strange", STRANGE, ids=str)
def test_strange_values_are_no_obstacle(jobs: Jobs, tiny: Recipe, strange: Any) -> None:
    run = jobs.folders.root / "a"
    run.mkdir()
    (run / "recipe.toml").write_text("\ufeff" + to_toml(tiny), encoding="utf-8")
    words = ["train", "--out", str(run), "--minutes", "nan"]
    job = {"arguments": words, "state": "started", "pid": 1, "recorded": 1.0, "queued_at": 1.0}
    process = {"state": "ended", "pid": 1, "recorded": 1.0, "images": 1, "total_images": 2}
    row = {"step": 1, "images": 64, "seconds": 0.5, "d_loss": 0.7}
    for name, document in (("train-job.json", job), ("process.json", process), ("", row)):
        for key in document:
            (run / ".live").mkdir(exist_ok=True)
            text = json.dumps(document | {key: strange})
            (run / ".live" / name if name else run / "metrics.jsonl").write_text(f"{text}\n")
            entry = jobs.entry("a").to_dict()
            json.dumps(entry, allow_nan=False)
            assert entry["recipe"] == tiny.name
            assert not jobs.waiting()
