"""How the threads of GNU OpenMP wait for each other: spinning, or asleep on a busy machine.

A thread that spins takes up the next operation at once; asleep it has to be woken first, which
costs a small network a quarter of its speed. Beside other processes spinning does harm: it uses up
the time that the scheduler would give to the thread that everyone waits for. Importing this module
does not import torch, because OpenMP reads its variables when it is loaded.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SPIN_COUNT = 100_000  # turns, about a millisecond
# PASSIVE holds while there are more threads than cores, GOMP_SPINCOUNT otherwise.
ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": str(SPIN_COUNT)}
INTERVAL = 0.5  # seconds between two looks at the scheduler
BUSY, QUIET = 0.08, 0.04  # shares of the time in which threads could run and had no core
QUIET_INTERVALS = 3  # in a row, before threads spin again
FEWEST_SECONDS = 0.05  # of computing in an interval, to judge by


class ThreadTimes(NamedTuple):
    """What the scheduler knows of this process: seconds on a core, and waiting for one."""

    running: float
    waiting: float


class AdaptiveWaiting:
    """Lets OpenMP's threads spin on a quiet machine and sleep on a busy one.

    A thread of its own looks at the scheduler's statistics twice a second. libgomp spins less, here
    not at all, as soon as it has more threads than there are cores. So another pool of threads,
    which never works, is what puts the waiting ones to sleep; without it they spin.

    It does nothing without Linux and GNU OpenMP, or where the user has set OpenMP's variables.

    Attributes:
        sleeping: whether waiting threads sleep now.
    """

    def __init__(self) -> None:
        self.sleeping = False
        self._quiet = 0
        self._stop, self._wake = threading.Event(), threading.Event()
        self._before = ThreadTimes(0, 0)

    def update(self, now: ThreadTimes) -> None:
        """Change over if the scheduler's statistics say so.

        Args:
            now: the times of all threads since they were started.
        """
        running, waiting = (b - a for a, b in zip(self._before, now, strict=True))
        self._before = now
        if min(running, waiting) < 0 or running + waiting < FEWEST_SECONDS:
            return  # a thread has ended, or nothing was computed
        share = waiting / (running + waiting)
        self._quiet = self._quiet + 1 if share < QUIET else 0
        if not self.sleeping and share > BUSY:
            self.sleeping = self._begin_sleeping()
        elif self.sleeping and self._quiet >= QUIET_INTERVALS:
            self._wake.set()
            self.sleeping = False

    def run(self) -> None:
        """Look and change over until `stop` is called."""
        while not self._stop.wait(INTERVAL):
            if _libgomp() is not None:
                self.update(thread_times())
        self._wake.set()

    def stop(self) -> None:
        """End `run`; waiting threads spin again."""
        self._stop.set()

    def _begin_sleeping(self) -> bool:
        """Start the pool of idle threads; return whether there is one."""
        library = _libgomp()
        if library is None:
            return False
        self._wake = threading.Event()
        thread = threading.Thread(target=_hold_idle_pool, args=(library, self._wake), daemon=True)
        thread.start()
        return True


_active: AdaptiveWaiting | None = None


def threads_sleep() -> bool:
    """Return whether OpenMP's waiting threads sleep now because the machine is busy."""
    return _active is not None and _active.sleeping


@contextmanager
def adaptive_waiting() -> Iterator[None]:
    """Let OpenMP's threads wait as the machine's load asks for, inside the block.

    Enter it before torch is imported: libgomp then spins for SPIN_COUNT turns, and not at all on a
    busy machine. Variables set by the user take precedence, and
    nothing is changed then.
    """
    if any(name in os.environ for name in ENVIRONMENT) or not thread_times_known():
        yield
        return
    os.environ |= ENVIRONMENT
    try:
        with watched_scheduler():
            yield
    finally:
        for name in ENVIRONMENT:
            os.environ.pop(name, None)


@contextmanager
def watched_scheduler() -> Iterator[None]:
    """Run an `AdaptiveWaiting` inside the block; the variables are ENVIRONMENT's already."""
    global _active
    previous, _active = _active, AdaptiveWaiting()
    watcher = threading.Thread(target=_active.run, name="inkgan-openmp", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        _active.stop()
        watcher.join()
        _active = previous


def thread_times_known() -> bool:
    """Return whether this system tells how long threads wait for a core."""
    return Path("/proc/self/schedstat").exists()


def thread_times() -> ThreadTimes:
    """Sum the scheduler's statistics over the threads of this process."""
    running = waiting = 0
    for task in Path("/proc/self/task").iterdir():
        try:
            text = (task / "schedstat").read_text(encoding="ascii")
        except OSError:  # it has just ended
            continue
        on_core, delayed, _ = text.split()
        running, waiting = running + int(on_core), waiting + int(delayed)
    return ThreadTimes(running / 1e9, waiting / 1e9)


def _libgomp() -> ctypes.CDLL | None:
    """Return the GNU OpenMP that torch has loaded, if it has."""
    torch = sys.modules.get("torch")
    path = Path(str(getattr(torch, "__file__", ""))).parent / "lib" / "libgomp.so.1"
    if torch is None or not path.exists():
        return None
    library = ctypes.CDLL(str(path))
    return library if hasattr(library, "GOMP_parallel") else None


def _hold_idle_pool(library: ctypes.CDLL, end: threading.Event) -> None:
    """Own a pool of more threads than cores until `end`; it ends with this thread.

    GOMP_parallel is what compilers call at `#pragma omp parallel`. Each thread runs free(NULL),
    which does nothing, and then sleeps.
    """
    nothing = ctypes.cast(ctypes.CDLL(None).free, ctypes.c_void_p)
    count = (os.cpu_count() or 1) + 1
    library.GOMP_parallel(nothing, None, ctypes.c_uint(count), ctypes.c_uint(0))
    end.wait()
