"""Jobs in processes of this machine: a core each, or as many as they declare.

A GPU computes for one process at a time, so jobs that share one are threads of few processes.
"""

import contextlib
import os
import pickle  # between processes of this program only
import queue
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from inkgan.device import default_threads
from inkgan.errors import ConfigError
from inkgan.execution.job import MAX_ATTEMPTS, Job, Outcome, admission_to, lost, perform
from inkgan.execution.job_round import WAIT_SECONDS, JobRound
from inkgan.execution.worker_processes import ENDED, ONE_THREAD, WorkerProcess

VISIBLE = "CUDA_VISIBLE_DEVICES"
ROUNDING = 1e-9  # of a share such as 1 / 49, of which 48.99... are one
THREADS = 4  # of a process, at most: of fourteen on a GPU most failed or hardly moved
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """What one process may do.

    Attributes:
        environment: its variables.
        at_once: jobs at a time.
    """

    environment: Environment
    at_once: int = 1


@dataclass(frozen=True)
class LocalProcesses:
    """Does jobs in processes that import nothing of the caller's script and end with it.

    Attributes:
        workers: the most jobs at a time; None is as many as there are cores, or GPUs, for.
    """

    workers: int | None = None

    def run(
        self,
        jobs: Iterable[Job | None],
        folder: Path | str,
        *,
        on_wait: Callable[[], None] = lambda: None,
        on_stop: Callable[[], None] | None = None,
    ) -> Iterator[Outcome]:
        """Do jobs, as `Executor.run` says."""
        with admission_to(folder) as admission, contextlib.ExitStack() as stack:
            yield from _Round(self.workers, admission, stack).outcomes(jobs, on_wait, on_stop)

    def has_gpus(self) -> bool:
        """Return whether this machine has a GPU."""
        return bool(visible_gpus())


class _Round(JobRound):
    """The processes and jobs of one call of `run`."""

    def __init__(self, workers: int | None, admission: str, stack: contextlib.ExitStack) -> None:
        super().__init__(admission)
        self.workers, self.stack = workers, stack
        self.replies: queue.SimpleQueue[tuple[WorkerProcess, object]] = queue.SimpleQueue()
        self.free: list[Place] | None = None  # known with the first job
        self.places: dict[WorkerProcess, Place] = {}
        self.busy: dict[WorkerProcess, dict[str, Job]] = {}
        self.again: deque[Job] = deque()
        self.attempts: dict[str, int] = {}

    def is_busy(self) -> bool:
        return any(self.busy.values())

    def finished(self) -> Iterator[Outcome]:
        with contextlib.suppress(queue.Empty):
            yield from self._receive(*self.replies.get(timeout=WAIT_SECONDS))

    def begin(self, waiting: Iterator[Job | None]) -> bool:
        while self.free is None or self.free or self._worker_with_room():
            job = self.again.popleft() if self.again else next(waiting, self)
            if isinstance(job, _Round):
                return False
            if job is None:
                return True
            worker = self._worker_for(job)
            self.busy[worker][job.id] = job
            self.attempts[job.id] = self.attempts.get(job.id, 0) + 1
            worker.send(pickle.dumps(job.document(self.admission)))
        return True

    def _worker_with_room(self) -> WorkerProcess | None:
        return next((w for w, p in self.places.items() if len(self.busy[w]) < p.at_once), None)

    def _worker_for(self, job: Job) -> WorkerProcess:
        ready = self._worker_with_room()
        if ready is not None and not (self.busy[ready] and self.free):
            return ready
        if self.free is None:
            self.free = places_for(job, self.workers)
        place = self.free.pop(0)
        worker = self.stack.enter_context(WorkerProcess(place.environment, place.at_once))
        self.places[worker], self.busy[worker] = place, {}
        worker.start(pickle.dumps(perform), self.replies)
        return worker

    def _receive(self, worker: WorkerProcess, reply: object) -> Iterator[Outcome]:
        """Take a reply in; jobs of a process that has ended are done again, a few times."""
        if reply is ENDED:
            assert self.free is not None
            self.free.append(self.places.pop(worker))
            for job in self.busy.pop(worker).values():
                if self.is_stopping:
                    continue
                if self.attempts[job.id] >= MAX_ATTEMPTS:
                    yield lost(job, worker.exit_status())
                else:
                    self.again.append(job)
            return
        if isinstance(reply, BaseException):
            raise reply
        assert isinstance(reply, dict)
        outcome = self.outcome(self.busy[worker].pop(reply["id"]), reply)
        if outcome is not None:
            yield outcome


def places_for(job: Job, workers: int | None) -> list[Place]:
    """Return the processes that may work at a time: one for each core, or a few for each GPU.

    Args:
        job: any of the jobs; all use equally many cores and GPUs.
        workers: the most; None is as many as there are cores, or GPUs, for.

    Raises:
        ConfigError: the job needs a GPU, and there is none.
    """
    threads = dict.fromkeys(ONE_THREAD, str(job.cpus))
    if not job.gpus:
        return [Place(threads)] * (workers or max(1, default_threads() // job.cpus))
    gpus = visible_gpus()
    if not gpus:
        raise ConfigError(f"{job.id} needs a GPU, and this machine has none: use `device='cpu'`")
    most = int(1 / job.gpus + ROUNDING) * len(gpus)
    shares = even_parts(min(most, workers or most), len(gpus))
    return [
        Place({**threads, VISIBLE: gpu}, at_once)
        for gpu, share in zip(gpus, shares, strict=True)
        for at_once in even_parts(share, -(-share // THREADS))
    ]


def even_parts(total: int, count: int) -> list[int]:
    """Divide a number into `count` numbers that differ by 1 at most, the largest first."""
    return [total // count + (number < total % count) for number in range(count)]


def visible_gpus() -> list[str]:
    """Return the names of the GPUs of NVIDIA that this process may use; imports torch."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get(VISIBLE)
    names = named.split(",") if named else [str(number) for number in range(count)]
    return names[:count]
