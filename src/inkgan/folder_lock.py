"""The lock of a folder, which keeps other processes out while one of them writes there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from inkgan.errors import ArtifactError
from inkgan.files import why_not


@contextmanager
def locked(folder: Path, doing: str = "writing to", *, wait: bool = False) -> Iterator[None]:
    """Keep other processes out of a folder while the block runs; make the folder if it is missing.

    Args:
        folder: gets a hidden file `.lock`.
        doing: completes "another process is ... FOLDER" in the message.
        wait: until the other process has finished, instead of raising.

    Raises:
        ArtifactError: the folder cannot be written, or another process has the lock.
    """
    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        raise ArtifactError(
            f"another process is {doing} {folder}; wait for it or choose another folder"
        ) from None
    except OSError as error:
        raise ArtifactError(f"cannot write {folder}: {why_not(folder, error)}") from error
    try:
        yield
    finally:
        lock.release()


def is_locked(folder: Path) -> bool:
    """Return whether a process works in a folder now (`locked`)."""
    if not (folder / ".lock").is_file():
        return False
    try:
        with FileLock(folder / ".lock", timeout=0):
            return False
    except Timeout:
        return True
