"""Jobs in processes of this machine: each once, whatever is killed, and none left behind."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from inkgan import __version__
from inkgan.errors import ConfigError, InkganError, TrainingStopped
from inkgan.execution import job as job_module
from inkgan.execution import local_processes
from inkgan.execution.executor import choose_executor
from inkgan.execution.job import (
    Job,
    NotAdmittedError,
    Outcome,
    admission_to,
    outcome_of,
    perform,
    withdraw,
)
from inkgan.execution.local_processes import LocalProcesses, places_for

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


def job(out: Path, number: int, function: str = "note", **more: Any) -> Job:
    arguments = {"out": str(out), "number": number, **more}
    return Job(f"job-{number}", f"tests.fixtures.jobs:{function}", arguments)


def attempts(out: Path, number: int) -> list[int]:
    path = out / f"attempts-{number}"
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def have_ended(pids: set[int]) -> bool:
    return not any(psutil.pid_exists(pid) for pid in pids)


def test_every_job_is_done_once_with_a_core_each(tmp_path: Path) -> None:
    jobs = [job(tmp_path, number) for number in range(12)]
    outcomes = list(LocalProcesses(3).run(jobs, tmp_path))
    assert sorted(outcome.value["square"] for outcome in outcomes) == [n * n for n in range(12)]
    assert {outcome.value["threads"] for outcome in outcomes} == {"1"}
    assert all(len(attempts(tmp_path, number)) == 1 for number in range(12))
    pids = {outcome.value["process"] for outcome in outcomes}
    assert len(pids) <= 3
    assert os.getpid() not in pids
    assert have_ended(pids)
    assert not list(tmp_path.glob(".jobs-*"))


def test_jobs_that_come_later_are_waited_for(tmp_path: Path) -> None:
    waits: list[int] = []

    def jobs() -> Iterator[Job | None]:
        yield job(tmp_path, 0)
        while len(waits) < 3:
            yield None
        yield job(tmp_path, 1)

    executor = LocalProcesses(2)
    outcomes = list(executor.run(jobs(), tmp_path, on_wait=lambda: waits.append(1)))
    assert [outcome.job.id for outcome in outcomes] == ["job-0", "job-1"]


def test_an_error_is_an_outcome_and_ends_no_other_job(tmp_path: Path) -> None:
    jobs = [job(tmp_path, 1, "fail"), job(tmp_path, 2, "refuse"), job(tmp_path, 3)]
    found = {o.job.id: o for o in LocalProcesses(1).run(jobs, tmp_path)}
    assert str(found["job-1"].error) == "ValueError: 1 is impossible"
    assert "in fail" in "".join(found["job-1"].error.__notes__)  # type: ignore[union-attr]
    assert isinstance(found["job-2"].error, TrainingStopped)
    assert found["job-3"].value["square"] == 9


@POSIX
def test_a_killed_process_does_its_job_again_and_no_other(tmp_path: Path) -> None:
    jobs = [job(tmp_path, 0, dies=1), job(tmp_path, 1), job(tmp_path, 2, dies=2)]
    outcomes = list(LocalProcesses(2).run(jobs, tmp_path))
    assert sorted(outcome.value["square"] for outcome in outcomes) == [0, 1, 4]
    assert [len(attempts(tmp_path, number)) for number in range(3)] == [2, 1, 3]


@POSIX
def test_a_job_that_kills_every_process_is_given_up(tmp_path: Path) -> None:
    jobs = [job(tmp_path, 0, dies=9), job(tmp_path, 1)]
    found = {outcome.job.id: outcome for outcome in LocalProcesses(2).run(jobs, tmp_path)}
    assert "ended 3 times, the last time with SIGKILL" in str(found["job-0"].error)
    assert len(attempts(tmp_path, 0)) == 3
    assert found["job-1"].error is None


def test_who_stops_iterating_leaves_no_process(tmp_path: Path) -> None:
    jobs = [job(tmp_path, 0), job(tmp_path, 1, waits=str(tmp_path / "never"))]
    running: Iterator[Outcome] = LocalProcesses(2).run(jobs, tmp_path)
    next(running)
    while not attempts(tmp_path, 1):
        time.sleep(0.02)
    running.close()  # type: ignore[attr-defined]
    assert have_ended(set(attempts(tmp_path, 0) + attempts(tmp_path, 1)))
    assert not list(tmp_path.glob(".jobs-*"))


@POSIX
def test_ctrl_c_lets_jobs_at_work_end_and_begins_no_other(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    jobs = [job(tmp_path, number, waits=str(stop)) for number in range(9)]
    done: list[str] = []

    def interrupt() -> None:
        while not (attempts(tmp_path, 0) and attempts(tmp_path, 1)):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    outcomes = LocalProcesses(2).run(jobs, tmp_path, on_stop=stop.touch)
    with pytest.raises(KeyboardInterrupt):
        done.extend(outcome.job.id for outcome in outcomes)
    assert sorted(done) == ["job-0", "job-1"]
    assert not attempts(tmp_path, 2)


def test_a_machine_that_cannot_see_the_folder_is_refused(tmp_path: Path) -> None:
    document = job(tmp_path, 0).document(f"{tmp_path}/elsewhere/.jobs-1")
    with pytest.raises(NotAdmittedError, match="choose a folder that all machines share"):
        outcome_of(job(tmp_path, 0), perform(document))
    assert not attempts(tmp_path, 0)


def test_a_machine_with_another_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".jobs-1").touch()
    document = job(tmp_path, 0).document(f"{tmp_path}/.jobs-1")
    monkeypatch.setattr(job_module, "__version__", "0.0.1")
    found = outcome_of(job(tmp_path, 0), perform(document))
    assert f"has inkgan 0.0.1, not {__version__}" in str(found.error)


def test_gpus_are_shared_as_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    half = Job("a", "m:f", {}, cpus=2, gpus=0.5)
    places = places_for(half, None)
    assert [place.environment["CUDA_VISIBLE_DEVICES"] for place in places] == ["5", "7"]
    assert {place.environment["OMP_NUM_THREADS"] for place in places} == {"2"}
    assert [place.at_once for place in places] == [2, 2]
    assert [place.at_once for place in places_for(half, 3)] == [2, 1]
    assert [place.at_once for place in places_for(half, 1)] == [1]
    for count in range(1, 100):
        places = places_for(Job("a", "m:f", {}, gpus=1 / count), None)
        assert sum(place.at_once for place in places) == 2 * count
    places = places_for(Job("a", "m:f", {}, gpus=0.1), 19)
    assert [place.at_once for place in places] == [4, 3, 3, 3, 3, 3]
    assert sum(place.environment["CUDA_VISIBLE_DEVICES"] == "5" for place in places) == 3
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ConfigError, match="needs a GPU, and this machine has none"):
        places_for(half, None)


def share_a_gpu(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Let jobs do on the CPU what they do where they share the one GPU of a machine."""
    environment = {"OMP_NUM_THREADS": "1"}
    place = local_processes.Place(environment, at_once)
    monkeypatch.setattr(local_processes, "places_for", lambda job, workers: [place])


def test_jobs_that_share_a_gpu_are_threads_of_one_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_a_gpu(monkeypatch, 3)
    stop = tmp_path / "stop"
    jobs = [job(tmp_path, number, waits=str(stop)) for number in range(3)]
    jobs += [job(tmp_path, 3, "fail"), *(job(tmp_path, number) for number in range(4, 9))]

    def release() -> None:
        if all(attempts(tmp_path, number) for number in range(3)):
            stop.touch()  # all three are at work

    outcomes = list(LocalProcesses().run(jobs, tmp_path, on_wait=release))
    found = {outcome.job.id: outcome for outcome in outcomes}
    assert len(found) == len(outcomes) == 9
    assert "3 is impossible" in str(found.pop("job-3").error)
    assert {found[f"job-{n}"].value["square"] for n in (0, 1, 2, 4, 5)} == {0, 1, 4, 16, 25}
    assert len({outcome.value["process"] for outcome in found.values()}) == 1


@POSIX
def test_threads_of_a_killed_process_do_their_jobs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_a_gpu(monkeypatch, 2)
    jobs = [job(tmp_path, 0, dies=1), *(job(tmp_path, number) for number in range(1, 4))]
    outcomes = list(LocalProcesses().run(jobs, tmp_path))
    assert sorted(outcome.value["square"] for outcome in outcomes) == [0, 1, 4, 9]


def test_jobs_that_write_to_an_object_store_are_admitted_there(tmp_path: Path) -> None:
    with admission_to("memory://jobs/work") as admission:
        document = job(tmp_path, 3).document(admission)
        assert perform(document)["value"]["square"] == 9
        withdraw(admission)
        with pytest.raises(NotAdmittedError, match="cannot see `out` memory://jobs/work"):
            outcome_of(job(tmp_path, 3), perform(document))


def test_impossible_requirements_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least one core"):
        Job("a", "m:f", {}, cpus=0)
    with pytest.raises(ConfigError, match="0 to 1 GPUs"):
        Job("a", "m:f", {}, gpus=1.5)
    with pytest.raises(ConfigError, match="`workers` must be from 1 to 1,024, not 0"):
        choose_executor("local", 0)
    with pytest.raises(ConfigError, match="`on` must be local or ray"):
        choose_executor("mars")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="use `on='ray'`"):
        choose_executor("local", None, "auto")


def test_an_error_of_inkgan_keeps_its_class(tmp_path: Path) -> None:
    reply = {"machine": "m", "error": ("__doc__", "strange", "")}
    assert type(outcome_of(job(tmp_path, 0), reply).error) is InkganError
