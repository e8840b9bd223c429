"""Jobs on the machines of a Ray cluster, or of one that is started on this machine."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan.device import default_threads
from inkgan.execution.job import MAX_ATTEMPTS, Job, Outcome, admission_to, lost, perform
from inkgan.execution.job_round import WAIT_SECONDS, JobRound
from inkgan.execution.local_processes import visible_gpus
from inkgan.execution.worker_processes import ONE_THREAD
from inkgan.optional_imports import import_extra

FORWARDED = ("INKGAN_CACHE", "INKGAN_DATA", "INKGAN_OFFLINE")
STATISTICS = "RAY_USAGE_STATS_ENABLED"
OBJECT_STORE_BYTES = 200_000_000  # of a cluster of one's own: jobs exchange files, not objects


@dataclass(frozen=True)
class RayCluster:
    """Does jobs as tasks of Ray; a task of a lost machine is done again on another one.

    Attributes:
        address: of the cluster; None means the one that this process is connected to or that
            RAY_ADDRESS names, or else one that is started on this machine for the call.
        workers: the most jobs at a time; None is as many as the cluster's cores and GPUs hold now.
    """

    address: str | None = None
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
        with self._connected() as ray, admission_to(folder) as admission:
            tasks = _Round(ray, self.workers, admission)
            try:
                yield from tasks.outcomes(jobs, on_wait, on_stop)
            finally:
                tasks.cancel()  # of whoever stopped iterating

    def has_gpus(self) -> bool:
        """Return whether a machine of the cluster has a GPU."""
        if self._starts_one():
            return bool(visible_gpus())
        with self._connected() as ray:
            return bool(ray.cluster_resources().get("GPU", 0))

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Connect to the cluster, unless this process is connected already."""
        ray = import_extra("ray", "ray", "`on='ray'`")
        if ray.is_initialized():
            yield ray
            return
        before = os.environ.get(STATISTICS)
        os.environ.setdefault(STATISTICS, "0")
        own: dict[str, Any] = {}
        if self._starts_one():
            own = {
                "num_cpus": default_threads(),
                "object_store_memory": OBJECT_STORE_BYTES,
                "include_dashboard": False,
            }
        try:
            ray.init(address=self.address, log_to_driver=False, logging_level="error", **own)
            yield ray
        finally:
            ray.shutdown()
            if before is None:
                os.environ.pop(STATISTICS, None)

    def _starts_one(self) -> bool:
        """Return whether a cluster is to be started on this machine."""
        ray = import_extra("ray", "ray", "`on='ray'`")
        named = self.address is not None or "RAY_ADDRESS" in os.environ
        return not (named or ray.is_initialized())


class _Round(JobRound):
    """The tasks of one call of `run`."""

    def __init__(self, ray: Any, workers: int | None, admission: str) -> None:
        super().__init__(admission)
        self.ray, self.workers = ray, workers
        self.busy: dict[Any, Job] = {}

    def is_busy(self) -> bool:
        return bool(self.busy)

    def cancel(self) -> None:
        """End the tasks at work."""
        for reference in self.busy:
            self.ray.cancel(reference, force=True)

    def finished(self) -> Iterator[Outcome]:
        for reference in self._ended():
            outcome = self._receive(reference)
            if outcome is not None:
                yield outcome

    def begin(self, waiting: Iterator[Job | None]) -> bool:
        while True:
            if self.busy and len(self.busy) >= self._room(next(iter(self.busy.values()))):
                return True
            job = next(waiting, self)
            if isinstance(job, _Round):
                return False
            if job is None:
                return True
            self.busy[self._submit(job)] = job

    def _room(self, job: Job) -> int:
        """Return how many jobs the cluster holds now; at least one, which waits for a machine."""
        resources = self.ray.cluster_resources()
        room = int(resources.get("CPU", 0) // job.cpus)
        if job.gpus:
            room = min(room, int(resources.get("GPU", 0) / job.gpus))
        return max(1, min(room, self.workers or room))

    def _submit(self, job: Job) -> Any:
        variables = dict.fromkeys(ONE_THREAD, str(job.cpus))
        variables |= {name: _absolute(name) for name in FORWARDED if os.environ.get(name)}
        task = self.ray.remote(perform).options(
            name=job.id,
            num_cpus=job.cpus,
            num_gpus=job.gpus,
            max_retries=MAX_ATTEMPTS - 1,
            runtime_env={"env_vars": variables},
        )
        return task.remote(job.document(self.admission))

    def _ended(self) -> list[Any]:
        """Wait a moment; return the tasks that have ended."""
        if not self.busy:
            time.sleep(WAIT_SECONDS)
            return []
        done: list[Any] = self.ray.wait(list(self.busy), timeout=WAIT_SECONDS)[0]
        return done

    def _receive(self, reference: Any) -> Outcome | None:
        """Take a result in; None where a job was not begun."""
        job = self.busy.pop(reference)
        try:
            return self.outcome(job, self.ray.get(reference))
        except self.ray.exceptions.RayError as error:
            return lost(job, type(error).__name__)


def _absolute(variable: str) -> str:
    """Return a variable; paths do not depend on the working folder, which tasks do not share."""
    value = os.environ[variable]
    return value if variable == "INKGAN_OFFLINE" else str(Path(value).resolve())
