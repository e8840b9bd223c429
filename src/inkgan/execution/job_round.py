"""The loop that does jobs until there are no more, whatever does them."""

import abc
from collections.abc import Callable, Iterable, Iterator

from inkgan.execution.job import Document, Job, NotAdmittedError, Outcome, outcome_of, withdraw

WAIT_SECONDS = 0.25


class JobRound(abc.ABC):
    """The jobs of one call of `Executor.run`.

    Args:
        admission: without which no job begins.
    """

    def __init__(self, admission: str) -> None:
        self.admission = admission
        self.is_stopping = False

    def outcomes(
        self,
        jobs: Iterable[Job | None],
        on_wait: Callable[[], None],
        on_stop: Callable[[], None] | None,
    ) -> Iterator[Outcome]:
        """Do jobs, as `Executor.run` says."""
        waiting = iter(jobs)
        while True:
            try:
                may_come = not self.is_stopping and self.begin(waiting)
                if not self.is_busy() and not may_come:
                    break
                on_wait()
                if self.is_stopping and on_stop is not None:
                    on_stop()
                yield from self.finished()
            except KeyboardInterrupt:
                if self.is_stopping or on_stop is None:
                    raise
                self.is_stopping = True
                withdraw(self.admission)
        if self.is_stopping:
            raise KeyboardInterrupt

    @abc.abstractmethod
    def begin(self, waiting: Iterator[Job | None]) -> bool:
        """Begin jobs while there is room; return whether there may be more later."""

    @abc.abstractmethod
    def is_busy(self) -> bool:
        """Return whether a job is being done."""

    @abc.abstractmethod
    def finished(self) -> Iterator[Outcome]:
        """Wait for `WAIT_SECONDS` at most; yield what has come of jobs."""

    def outcome(self, job: Job, reply: Document) -> Outcome | None:
        """Return the outcome of a job; None of one that did not begin since the work was stopped.

        Raises:
            NotAdmittedError: the machine of the job does not see the folder.
        """
        try:
            return outcome_of(job, reply)
        except NotAdmittedError:
            if self.is_stopping:
                return None
            raise
