"""Where jobs are done: one interface, whatever is behind it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal, Protocol

from inkgan.device import MAX_THREADS
from inkgan.errors import ConfigError
from inkgan.execution.job import Job, Outcome
from inkgan.execution.local_processes import LocalProcesses
from inkgan.execution.ray_cluster import RayCluster

On = Literal["local", "ray"]


class Executor(Protocol):
    """Does independent jobs, several at a time."""

    def run(
        self,
        jobs: Iterable[Job | None],
        folder: Path | str,
        *,
        on_wait: Callable[[], None],
        on_stop: Callable[[], None] | None,
    ) -> Iterator[Outcome]:
        """Do jobs, and yield the outcome of each once, when it is there.

        A job whose process or machine is lost is done again. Whoever stops iterating ends all.

        Args:
            jobs: in the order in which they begin. The next one is taken when there is room for it;
                None says that there is none yet, although there may be later. All use equally many
                cores and GPUs.
            folder: in which they write, a path or an address; every machine sees it.
            on_wait: called a few times a second, in this process.
            on_stop: what asks the jobs at work to save and end, called again and again once Ctrl-C
                was pressed; no further job begins. None ends them at once.

        Raises:
            InkganError: a job cannot be begun at all.
            KeyboardInterrupt: after Ctrl-C, when the last job at work has ended. A second Ctrl-C
                ends them at once.
        """

    def has_gpus(self) -> bool:
        """Return whether jobs could use a GPU."""


def choose_executor(
    on: On = "local", workers: int | None = None, address: str | None = None
) -> Executor:
    """Return what does the jobs.

    Args:
        on: processes of this machine (local), or a Ray cluster (ray).
        workers: the most jobs at a time; None is as many as there are cores for.
        address: of the cluster, such as auto or ray://HOST:10001; None starts one on this machine.

    Raises:
        ConfigError: an impossible value, or Ray is not installed.
    """
    check_workers(workers)
    if on == "ray":
        return RayCluster(address, workers)
    if on != "local":
        raise ConfigError(f"`on` must be local or ray, not {on!r}")
    if address is not None:
        raise ConfigError(f"`address={address!r}` is that of a Ray cluster: use `on='ray'`")
    return LocalProcesses(workers)


def check_workers(workers: int | None) -> None:
    """Refuse an impossible number of jobs at a time; None is as many as there are cores for.

    Raises:
        ConfigError: names the range.
    """
    if workers is not None and not 1 <= workers <= MAX_THREADS:
        raise ConfigError(f"`workers` must be from 1 to {MAX_THREADS:,}, not {workers}")
