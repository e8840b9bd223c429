"""Jobs in processes of this machine: a core each, or as many as they declare."""

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
Environment = Mapping[str, str]


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
        self.free: list[Environment] | None = None  # known with the first job
        self.idle: list[WorkerProcess] = []
        self.environments: dict[WorkerProcess, Environment] = {}
        self.busy: dict[WorkerProcess, Job] = {}
        self.again: deque[Job] = deque()
        self.attempts: dict[str, int] = {}

    def is_busy(self) -> bool:
        return bool(self.busy)

    def finished(self) -> Iterator[Outcome]:
        with contextlib.suppress(queue.Empty):
            outcome = self._receive(*self.replies.get(timeout=WAIT_SECONDS))
            if outcome is not None:
                yield outcome

    def begin(self, waiting: Iterator[Job | None]) -> bool:
        while self.free is None or self.free or self.idle:
            job = self.again.popleft() if self.again else next(waiting, self)
            if isinstance(job, _Round):
                return False
            if job is None:
                return True
            worker = self._worker_for(job)
            self.busy[worker] = job
            self.attempts[job.id] = self.attempts.get(job.id, 0) + 1
            worker.send(pickle.dumps(job.document(self.admission)))
        return True

    def _worker_for(self, job: Job) -> WorkerProcess:
        if self.idle:
            return self.idle.pop()
        if self.free is None:
            self.free = places_for(job, self.workers)
        environment = self.free.pop(0)
        worker = self.stack.enter_context(WorkerProcess(environment))
        self.environments[worker] = environment
        worker.start(pickle.dumps(perform), self.replies)
        return worker

    def _receive(self, worker: WorkerProcess, reply: object) -> Outcome | None:
        """Take a reply in; None where the job is done again, or was not begun."""
        job = self.busy.pop(worker, None)
        if reply is ENDED:
            assert self.free is not None
            self.free.append(self.environments.pop(worker))
            if worker in self.idle:
                self.idle.remove(worker)
            if job is None or self.is_stopping:
                return None
            if self.attempts[job.id] >= MAX_ATTEMPTS:
                return lost(job, worker.exit_status())
            self.again.append(job)
            return None
        self.idle.append(worker)
        assert job is not None
        if isinstance(reply, BaseException):
            raise reply
        assert isinstance(reply, dict)
        return self.outcome(job, reply)


def places_for(job: Job, workers: int | None) -> list[Environment]:
    """Return the environment of each process that may work at a time.

    Args:
        job: any of the jobs; all use equally many cores and GPUs.
        workers: the most; None is as many as there are cores, or GPUs, for.

    Raises:
        ConfigError: the job needs a GPU, and there is none.
    """
    threads = dict.fromkeys(ONE_THREAD, str(job.cpus))
    if not job.gpus:
        return [threads] * (workers or max(1, default_threads() // job.cpus))
    gpus = visible_gpus()
    if not gpus:
        raise ConfigError(f"{job.id} needs a GPU, and this machine has none: use `device='cpu'`")
    shares: list[Environment] = [
        {**threads, VISIBLE: gpu} for _ in range(int(1 / job.gpus)) for gpu in gpus
    ]
    return shares[:workers]


def visible_gpus() -> list[str]:
    """Return the names of the GPUs of NVIDIA that this process may use; imports torch."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get(VISIBLE)
    names = named.split(",") if named else [str(number) for number in range(count)]
    return names[:count]
