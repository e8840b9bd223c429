"""Files that appear whole or not at all, JSON, the cache folder, and the lock of a folder."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock, Timeout

from inkgan.errors import ArtifactError


def cache_folder() -> Path:
    """Return the user's cache folder, or that which the variable INKGAN_CACHE names."""
    moved = os.environ.get("INKGAN_CACHE")
    return Path(moved) if moved else Path(platformdirs.user_cache_dir("inkgan", appauthor=False))


def is_offline() -> bool:
    """Return whether INKGAN_OFFLINE forbids the network."""
    return os.environ.get("INKGAN_OFFLINE", "") not in ("", "0")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    The file is written to disk before it is renamed, so that a crash leaves the old file or the
    new one.

    Raises:
        ArtifactError: the folder cannot be written (no space, no permission); `path` is untouched.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _sync(temporary)
        temporary.replace(path)
        if os.name == "posix":  # the rename itself is durable only once the folder is
            _sync(path.parent)
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        ArtifactError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"cannot read {path}: {error}") from error


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
        raise ArtifactError(f"cannot write {folder}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
