"""When a run changes its number of threads: the system's counters are replaced by a story."""

import pytest

from inkgan import device, openmp
from inkgan.openmp import ThreadTimes
from inkgan.runs.thread_choice import LONGEST_SECONDS, LOOK_SECONDS, ThreadChoice

CORES = 2


class Machine:
    """Two cores, of which others use some; time passes by `pass_time` alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds, self.step = 0.0, 0
        self.times = ThreadTimes(0, 0)
        self.ticks = dict.fromkeys(range(CORES), (0, 0))
        self.looks, self.left = 0, CORES
        monkeypatch.setattr(openmp, "thread_times_known", lambda: True)
        monkeypatch.setattr(openmp, "thread_times", lambda: self.times)
        monkeypatch.setattr(device, "processor_ticks", lambda: dict(self.ticks))
        monkeypatch.setattr(device, "_allowed_cores", lambda: set(range(CORES)))
        monkeypatch.setattr(device, "threads_beside_others", self._look)

    def _look(self) -> int:
        self.looks += 1
        return self.left

    def choice(self, threads: int, most: int | None = CORES) -> ThreadChoice:
        choice = ThreadChoice(threads, most, clock=lambda: self.seconds)
        choice.look(self.step)
        return choice

    def pass_time(
        self,
        choice: ThreadChoice,
        seconds: float = LOOK_SECONDS,
        speed: float = 100,
        waited: float = 0.0,
        idle: float = 0.0,
    ) -> bool:
        """Train for a while: a share `waited` of the threads' time, and `idle` cores unused."""
        self.seconds += seconds
        self.step += round(speed * seconds)
        running, waiting = self.times
        self.times = ThreadTimes(running + seconds * (1 - waited), waiting + seconds * waited)
        for core, (unused, total) in self.ticks.items():
            share = min(1.0, max(0.0, idle - core))
            self.ticks[core] = unused + round(100 * seconds * share), total + round(100 * seconds)
        return choice.look(self.step)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_a_run_that_others_slow_down_takes_the_cores_that_they_leave(machine: Machine) -> None:
    choice = machine.choice(2)
    assert not machine.pass_time(choice)
    machine.left = 1
    assert not machine.pass_time(choice, seconds=0.9 * LOOK_SECONDS, speed=40, waited=0.3)
    assert machine.looks == 0  # it is not time
    assert machine.pass_time(choice, seconds=0.1 * LOOK_SECONDS, speed=40, waited=0.3)
    assert (choice.count, machine.looks) == (1, 1)
    for _ in range(3):  # one thread waits for no other
        assert not machine.pass_time(choice, speed=20, waited=0.4)
    assert machine.looks == 1


@pytest.mark.parametrize(
    ("speed", "waited"),
    [
        pytest.param(90, 0.3, id="threads wait but the run is hardly slower"),
        pytest.param(30, 0.01, id="an evaluation took the time, and no other process"),
    ],
)
def test_a_run_does_not_pause_without_both_signs(
    machine: Machine, speed: float, waited: float
) -> None:
    choice = machine.choice(2)
    machine.left = 1
    machine.pass_time(choice)
    assert not machine.pass_time(choice, speed=speed, waited=waited)
    assert (choice.count, machine.looks) == (2, 0)


def test_looks_in_vain_become_rare(machine: Machine) -> None:
    choice = machine.choice(2)
    machine.pass_time(choice)
    waits = []
    for _ in range(8):
        before, began = machine.looks, machine.seconds
        while machine.looks == before:
            assert not machine.pass_time(choice, seconds=1, speed=40, waited=0.3)
        waits.append(machine.seconds - began)
    assert waits == [5, 10, 20, 40, 80, 80, 80, 80]
    assert waits[-1] == LONGEST_SECONDS


def test_idle_cores_are_taken_when_they_stay_idle(machine: Machine) -> None:
    choice = machine.choice(1)
    assert not machine.pass_time(choice, idle=1)
    assert not machine.pass_time(choice, idle=0.5)
    assert not machine.pass_time(choice, idle=1)
    assert machine.pass_time(choice, idle=1)
    assert choice.count == 2
    assert not machine.pass_time(choice, idle=2)
    assert choice.count == 2  # the most there can be


def test_a_rollback_begins_the_measurement_again(machine: Machine) -> None:
    choice = machine.choice(2)
    machine.pass_time(choice)
    machine.left, machine.step = 1, 10
    assert not machine.pass_time(choice, speed=0, waited=0.3)
    assert machine.looks == 0
    assert machine.pass_time(choice, speed=40, waited=0.3)


def test_a_fixed_number_stays(machine: Machine) -> None:
    choice = machine.choice(2, most=None)
    machine.left = 1
    for _ in range(3):
        assert not machine.pass_time(choice, speed=1, waited=0.5, idle=2)
    assert (choice.count, machine.looks) == (2, 0)


def test_other_systems_tell_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmp, "thread_times_known", lambda: False)
    monkeypatch.setattr(device, "processor_ticks", dict)
    two, one = machine.choice(2), machine.choice(1)
    for choice in (two, one):
        for speed in (100, 40, 40):
            assert not machine.pass_time(choice, speed=speed, waited=0.5, idle=2)
    assert (two.count, one.count) == (2, 1)
