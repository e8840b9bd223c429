"""Threads that wait: asleep on a busy machine, spinning on a quiet one."""

import os
import subprocess
import sys

import pytest

from inkgan import openmp
from inkgan.openmp import AdaptiveWaiting, ThreadTimes, adaptive_waiting, threads_sleep


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in openmp.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


class Scheduler:
    """Feeds times to an AdaptiveWaiting without a real pool of threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.adaptive, self.times = AdaptiveWaiting(), ThreadTimes(0, 0)
        monkeypatch.setattr(AdaptiveWaiting, "_begin_sleeping", lambda _: True)

    def pass_interval(self, running: float, waiting: float) -> bool:
        self.times = ThreadTimes(self.times.running + running, self.times.waiting + waiting)
        self.adaptive.update(self.times)
        return self.adaptive.sleeping


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    return Scheduler(monkeypatch)


def test_threads_sleep_as_soon_as_they_wait_for_cores(scheduler: Scheduler) -> None:
    assert not scheduler.pass_interval(1.0, 0.005)
    assert scheduler.pass_interval(0.7, 0.3)


def test_threads_spin_again_after_some_quiet_intervals(scheduler: Scheduler) -> None:
    scheduler.pass_interval(0.5, 0.5)
    for _ in range(openmp.QUIET_INTERVALS - 1):
        assert scheduler.pass_interval(1.0, 0.0)
    assert scheduler.pass_interval(0.94, 0.06)  # neither quiet nor busy: count again
    for _ in range(openmp.QUIET_INTERVALS - 1):
        assert scheduler.pass_interval(1.0, 0.0)
    assert not scheduler.pass_interval(1.0, 0.0)


def test_an_idle_process_decides_nothing(scheduler: Scheduler) -> None:
    assert not scheduler.pass_interval(0.001, 0.04)
    scheduler.times = ThreadTimes(0, 0)  # threads have ended, and their times with them
    assert not scheduler.pass_interval(0.0, 0.0)


def test_the_environment_is_restored() -> None:
    with adaptive_waiting():
        assert os.environ["GOMP_SPINCOUNT"] == str(openmp.SPIN_COUNT)
        assert not threads_sleep()
    assert not any(name in os.environ for name in openmp.ENVIRONMENT)


@pytest.mark.parametrize(
    ("name", "value"), [("OMP_WAIT_POLICY", "PASSIVE"), ("GOMP_SPINCOUNT", "7")]
)
def test_the_users_own_settings_win(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with adaptive_waiting():
        assert dict(os.environ) == before


BUSY = """
import subprocess, sys, time
from inkgan import openmp
with openmp.adaptive_waiting():
    import os, torch
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(2)
    a = torch.ones(200_000)
    def compute(until, wanted):
        end = time.monotonic() + until
        while time.monotonic() < end and openmp.threads_sleep() != wanted:
            a.add_(1)
        return openmp.threads_sleep()
    spin = "import time; end = time.monotonic() + 20\\nwhile time.monotonic() < end: pass"
    others = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(2 * cores)]
    print(compute(15, True))
    for other in others:
        other.kill()
        other.wait()
print(openmp.threads_sleep())
"""


@pytest.mark.skipif(not openmp.thread_times_known(), reason="the system keeps no such statistics")
def test_a_process_notices_busy_neighbors() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUSY], check=True, timeout=90, capture_output=True, text=True
    )
    assert done.stdout.split() == ["True", "False"]
