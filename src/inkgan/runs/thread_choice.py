"""How many threads a run computes with while other processes come and go."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from inkgan import device, openmp

LOOK_SECONDS, LONGEST_SECONDS = 5.0, 80.0  # between two looks; twice as long after one in vain
SLOW = 0.6  # of the best speed so far; beside a busy process two threads fall below a half
ROOM = 0.8  # of a core that is idle: enough for another thread
ROOMY_LOOKS = 2  # in a row, before a run takes more threads


@dataclass(frozen=True)
class _Moment:
    """What is known at the beginning of an interval."""

    seconds: float
    step: int
    times: openmp.ThreadTimes | None
    ticks: device.ProcessorTicks


class ThreadChoice:
    """Chooses the number of threads of a run again, as the cores become busy or idle.

    Where a run has become slow and its threads wait for a core, it pauses for a third of a second
    and looks how many cores the others leave (`device.threads_beside_others`). Where cores stay
    idle, it takes more. Only Linux tells; elsewhere the number stays.

    Args:
        threads: of the run, now.
        most: that it may take; None keeps the number whatever happens.
        clock: seconds, as time.monotonic returns them.

    Attributes:
        count: the number of threads from here on.
        most: the most there may be, or None.
    """

    def __init__(
        self, threads: int, most: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.count, self.most, self._clock = threads, most, clock
        self._interval, self._roomy, self._best = LOOK_SECONDS, 0, 0.0
        self._began: _Moment | None = None

    def look(self, step: int) -> bool:
        """Look at the cores, if it is time; return whether the number of threads has changed.

        Call it now and then, with the run's number of threads in force.

        Args:
            step: of the run.
        """
        most, began = self.most, self._began
        if most is None:
            return False
        if began is None or step < began.step:  # the first look, or after a rollback
            self._began = self._moment(step)
            return False
        now = self._clock()
        if now < began.seconds + self._interval:
            return False
        speed = (step - began.step) / (now - began.seconds)
        slow, self._best = speed < SLOW * self._best, max(self._best, speed)
        before, crowded = self.count, slow and self.count > 1 and _waited(began) > openmp.BUSY
        idle = device.idle_cores(began.ticks, device.processor_ticks()) or 0.0
        self._roomy = self._roomy + 1 if idle >= ROOM and self.count < most else 0
        if crowded:
            self.count = device.threads_beside_others()
        elif self._roomy >= ROOMY_LOOKS:
            self.count = min(most, self.count + round(idle))
        if self.count != before:
            self._roomy, self._best = 0, 0.0
        in_vain = crowded and self.count == before
        self._interval = min(2 * self._interval, LONGEST_SECONDS) if in_vain else LOOK_SECONDS
        self._began = self._moment(step)
        return self.count != before

    def _moment(self, step: int) -> _Moment:
        return _Moment(self._clock(), step, _thread_times(), device.processor_ticks())


def _waited(began: _Moment) -> float:
    """Return the share of the time in which this process's threads could run and had no core."""
    now = _thread_times()
    if now is None or began.times is None:
        return 0.0
    running, waiting = (b - a for a, b in zip(began.times, now, strict=True))
    return waiting / (running + waiting) if min(running, waiting) > 0 else 0.0


def _thread_times() -> openmp.ThreadTimes | None:
    return openmp.thread_times() if openmp.thread_times_known() else None
