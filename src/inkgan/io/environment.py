"""The environment of a run: versions, machine, source revision, data."""

import datetime
import functools
import platform
import subprocess
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import ConfigDict, Field

from inkgan import __version__, files, rng
from inkgan.device import describe, processor_name
from inkgan.documents import Document, Sha256, ShortText, check_document
from inkgan.errors import ArtifactError
from inkgan.plural import counted


class RunEnvironment(Document):
    """The content of environment.json; what a later version may add is ignored."""

    model_config = ConfigDict(extra="ignore")

    inkgan: ShortText
    python: ShortText
    torch: ShortText
    platform: ShortText
    processor: ShortText
    device: ShortText
    threads: Annotated[int, Field(ge=1, le=100_000)]
    threads_follow_load: bool = False
    processes: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    random_numbers: Annotated[int, Field(ge=1)] = 1
    git: ShortText | None
    data_sha256: Sha256
    started: ShortText


def read_environment(path: Path) -> RunEnvironment:
    """Read the environment of a run.

    Raises:
        ArtifactError: it is missing or damaged; the message says how to resume without it.
    """
    way_out = (
        "remove it to resume with the threads of this call, without a check that the images are "
        "still the same"
    )
    try:
        values = files.read_json(path)
    except ArtifactError as error:
        raise ArtifactError(f"{error}; {way_out}") from error
    return check_document(RunEnvironment, values, path, way_out)


def threads_of_run(environment: Path, requested: int | None) -> tuple[int | None, str | None]:
    """Choose the number of threads of a run; the last bits of its weights depend on it.

    Args:
        environment: the run's environment.json, which a new run has not yet.
        requested: by the caller; None takes the number that the run had last.

    Returns:
        The number of threads, None for a new run that takes torch's setting; and a warning where
        this run's bits can no longer equal those of an uninterrupted one.
    """
    if not environment.exists():
        return requested, None
    had = read_environment(environment).threads
    if requested in (None, had):
        return had, None
    return requested, (
        f"the run has trained with {counted(had, 'thread')}; it resumes with {requested}, so its "
        "weights will not equal those of an uninterrupted run to the bit"
    )


def record_threads(environment: Path, threads: int) -> None:
    """Record the number of threads that a run on a CPU has from here on, and resumes with.

    Args:
        environment: the run's environment.json.
        threads: of each operation.
    """
    changes = {"threads": threads, "device": describe(torch.device("cpu"), threads)}
    files.write_json(environment, read_environment(environment).model_dump() | changes)


def random_numbers_note(environment: Path) -> str | None:
    """Return a warning if a run was started with other random numbers than today's.

    Args:
        environment: the run's environment.json, which a new run has not yet.
    """
    if not environment.exists():
        return None
    if read_environment(environment).random_numbers == rng.VERSION:
        return None
    return (
        "the run was started by an earlier inkgan; from here on it draws new random numbers, for "
        "its latents and for its sample grids"
    )


def processes_note(environment: Path, processes: int) -> str | None:
    """Return a warning if a run was started with another number of processes.

    Args:
        environment: the run's environment.json, which a new run has not yet.
        processes: that train it from now on.
    """
    if not environment.exists():
        return None
    started_with = read_environment(environment).processes
    if processes == started_with:
        return None
    before = counted(started_with, "process", "processes")
    return (
        f"the run was started with {before}; it resumes with {processes}, so its weights will "
        "equal those of an uninterrupted run only up to rounding"
    )


def write_environment(
    path: Path,
    device: torch.device,
    data_sha256: str,
    data: str,
    processes: int = 1,
    *,
    threads_follow_load: bool = False,
) -> None:
    """Record how a new run is made, or check that a resumed run still has the same data.

    Args:
        path: the run's environment.json.
        device: that trains.
        data_sha256: digest of the training images and labels.
        data: name of the data set, for the message.
        processes: that train together.
        threads_follow_load: the number of threads changes as other processes come and go.

    Raises:
        ArtifactError: the data have changed since the run was started.
    """
    if not path.exists():
        described = describe_environment(device, data_sha256, processes)
        files.write_json(path, described | {"threads_follow_load": threads_follow_load})
    elif read_environment(path).data_sha256 != data_sha256:
        raise ArtifactError(
            f"{path.parent} was trained on other images than {data} now holds; bring the old data "
            "back or choose another `out`"
        )


def describe_environment(
    device: torch.device, data_sha256: str, processes: int = 1
) -> dict[str, Any]:
    """Describe all that decides whether another run can repeat this one to the bit.

    Args:
        device: that trains.
        data_sha256: digest of the training images and labels.
        processes: that train together.

    Returns:
        JSON values, the content of environment.json.
    """
    return {
        "inkgan": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "processor": processor_name(),
        "device": describe(device),
        "threads": torch.get_num_threads(),
        "processes": processes,
        "random_numbers": rng.VERSION,
        "git": _git_revision(),
        "data_sha256": data_sha256,
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


@functools.cache  # of the source that this process has imported
def _git_revision() -> str | None:
    """Return the revision of the source tree, with + if it was changed; None if there is none."""
    source = Path(__file__)
    if _git(source.parent, "ls-files", "--error-unmatch", source.name) is None:
        return None  # installed somewhere inside another project's repository
    revision = _git(source.parent, "describe", "--always", "--abbrev=12")
    # `describe --dirty` would write the index, even without optional locks
    changes = _git(source.parent, "status", "--porcelain", "--untracked-files=no")
    return f"{revision}+" if revision and changes else revision


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
