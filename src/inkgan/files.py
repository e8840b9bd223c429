"""Files that appear whole or not at all, JSON, and the cache folder."""

import contextlib
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from inkgan.errors import ArtifactError
from inkgan.printable import brief, is_utf8, utf8


def cache_folder() -> Path:
    """Return the user's cache folder, or that which the variable INKGAN_CACHE names."""
    moved = os.environ.get("INKGAN_CACHE")
    return Path(moved) if moved else Path(platformdirs.user_cache_dir("inkgan", appauthor=False))


class CacheWarning(UserWarning):
    """The user's cache cannot be written; the work goes on."""


class DamagedFileWarning(UserWarning):
    """A damaged file, or a part of it, is left out or made again; the work goes on."""


def cache_folders() -> tuple[Path, ...]:
    """Return where cached files may be: the user's, and one that stands in for it."""
    cache = cache_folder()
    if _looks_writable(cache):
        return (cache,)
    standing_in = _stand_in()
    return (cache, standing_in) if standing_in and _is_own_folder(standing_in) else (cache,)


def writable_cache_folder() -> Path:
    """Return the user's cache, or with a CacheWarning a temporary folder where that is read-only.

    Where no temporary folder can be written either, it is the user's cache after all: writing
    there raises ArtifactError.
    """
    return _writable_cache(cache_folder())


@functools.cache
def _writable_cache(cache: Path) -> Path:
    try:
        _try_to_write(cache)
    except OSError as error:
        reason = "it is a file" if cache.is_file() else error.strerror or str(error)
    else:
        return cache
    given = f"the cache {cache} cannot be written ({reason})"
    way_out = "INKGAN_CACHE names another"
    standing_in = _stand_in()
    try:
        if standing_in is None:
            raise OSError
        standing_in.mkdir(mode=0o700, exist_ok=True)
        if not _is_own_folder(standing_in):
            raise OSError
        _try_to_write(standing_in)
    except OSError:
        warnings.warn(f"{given}; nothing is kept; {way_out}", CacheWarning, stacklevel=3)
        return cache
    note = f"{given}; {standing_in} is used instead; {way_out}"
    warnings.warn(note, CacheWarning, stacklevel=3)
    return standing_in


def _stand_in() -> Path | None:
    """Return the temporary folder for a read-only cache; None where there can be none."""
    user = os.getuid() if hasattr(os, "getuid") else 0  # Windows: every user has a folder
    try:
        return Path(tempfile.gettempdir()) / f"inkgan-cache-{user}"
    except OSError:
        return None


def _is_own_folder(path: Path) -> bool:
    """Return whether nobody else can have put files there."""
    if not path.is_dir() or path.is_symlink():
        return False
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()


def _looks_writable(folder: Path) -> bool:
    """Return whether files could be made in a folder, or in the folders that it needs."""
    nearest = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), folder)
    return os.access(f"{nearest}{os.sep}", os.W_OK | os.X_OK)  # False of a file


def _try_to_write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def require_writable(folder: Path) -> None:
    """Make a folder if it is missing, and refuse one in which no file can be made.

    Raises:
        ArtifactError: it cannot be written.
    """
    try:
        _try_to_write(folder)
    except OSError as error:
        raise ArtifactError(f"cannot write {folder}: {why_not(folder, error)}") from error


def why_not(path: Path, error: OSError) -> str:
    """Say why a path cannot be written; a link that leads nowhere is named, with where it leads."""
    for place in (path, *path.parents):
        if place.is_symlink() and not place.exists():
            which = "it" if place == path else str(place)
            return f"{which} is a link to {place.readlink()}, which does not exist"
    return error.strerror or str(error)


def require_no_dead_link(path: Path) -> None:
    """Refuse a link that leads nowhere: writing would lose it, or make a file that nobody named."""
    with contextlib.suppress(OSError):  # a name too long: whoever writes there says so
        if path.is_symlink() and not path.exists():
            reason = why_not(path, FileNotFoundError())
            raise ArtifactError(f"cannot write {path}: {reason}; remove it, or use another name")


def cache_json(name: str, value: Any, folder: Path | None = None) -> None:
    """Keep a value in the cache as JSON; where it cannot be written, a CacheWarning says so.

    Args:
        name: path of the file in the cache, such as "styles/1234.json".
        value: of plain values.
        folder: that takes the place of the user's cache.
    """
    try:
        write_json((folder or writable_cache_folder()) / name, value)
    except ArtifactError as error:
        text = f"{error}; the result is not kept; INKGAN_CACHE names another cache"
        warnings.warn(text, CacheWarning, stacklevel=2)


def cached_json(name: str, folder: Path | None = None) -> Iterator[Any]:
    """Yield what the cache holds under a name; what cannot be read counts as missing."""
    for place in (folder,) if folder else cache_folders():
        with contextlib.suppress(ArtifactError):
            yield read_json(place / name)


def is_offline() -> bool:
    """Return whether INKGAN_OFFLINE forbids the network."""
    return os.environ.get("INKGAN_OFFLINE", "") not in ("", "0")


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds.

    The file is written to disk before it is renamed, so that a crash leaves the old file or the
    new one. A link is replaced like a file, and what it leads to stays as it is.

    Raises:
        ArtifactError: it cannot be written (no space, no permission), or is a link that leads
            nowhere; `path` is untouched.
    """
    require_no_dead_link(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(str(path.parent.resolve()))
        handle, name = tempfile.mkstemp(
            prefix=_temporary_prefix(path), suffix=path.suffix[:20], dir=path.parent
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
        raise ArtifactError(f"cannot write {path}: {why_not(path, error)}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; rename it to `path` if the block succeeds.

    Args:
        path: of a folder that does not exist, or is empty; a link to such a folder stays a link.

    Raises:
        ArtifactError: the folder cannot be written; `path` is untouched.
    """
    require_no_dead_link(path)
    temporary: Path | None = None
    try:
        target = path.resolve() if path.is_symlink() else path
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(str(target.parent.resolve()))
        name = tempfile.mkdtemp(prefix=_temporary_prefix(target), dir=target.parent)
        temporary = Path(name)
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        if target.is_dir():
            target.rmdir()
        temporary.replace(target)
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {why_not(path, error)}") from error
    except ArtifactError as error:  # names files where they would have been
        raise ArtifactError(str(error).replace(str(temporary), str(path))) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _temporary_prefix(path: Path) -> str:
    """Begin the name of a temporary file beside a path, whose own name may be as long as any."""
    return f".{path.name[:40]}.{_owner()}."


def _owner() -> str:
    """Name this process in the names of its temporary files."""
    return f"{_machine()}-{os.getpid()}"


@functools.cache
def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


@functools.cache
def _remove_leftovers(folder: str) -> None:
    """Remove the temporary files of processes of this machine that were killed; once a folder."""
    if os.name != "posix":  # elsewhere asking whether a process lives may end it
        return
    pattern = re.compile(rf"\..+\.{_machine()}-(\d+)\.\w{{8}}(\.[^.]*)?")
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = pattern.fullmatch(entry.name)
            if match and not _lives(int(match[1])):
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        shutil.rmtree(entry.path)
                    else:
                        Path(entry.path).unlink()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it belongs to somebody else
        return True
    return True


def remove(path: Path) -> None:
    """Remove a file, or a folder with everything in it, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all; bytes of names that are no UTF-8 are escaped."""
    with atomic(path) as temporary:
        temporary.write_text(utf8(text), encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    halves = re.sub("[\ud800-\udfff]", lambda match: json.dumps(utf8(match[0]))[1:-1], text)
    write_text(path, f"{halves}\n")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON in which no key comes twice: of two values nobody can say which one counts.

    Args:
        text: as text, or as bytes of UTF-8.

    Raises:
        ValueError: it is not JSON or not UTF-8, is nested too deeply, has a key twice, or a text
            that UTF-8 cannot hold.

    Example:
        >>> parse_json('{"a": [1, 2]}')
        {'a': [1, 2]}
    """
    try:
        content = text if isinstance(text, str) else text.decode("utf-8")
        value = json.loads(content, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("its values are nested too deeply") from error
    if re.search(r"\\u[dD][89a-fA-F]", content) and not is_utf8(
        json.dumps(value, ensure_ascii=False)
    ):
        raise ValueError("a text in it has half of a character")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON, whose keys must differ."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"it has the key {brief(twice)} twice")
    return found


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        ArtifactError: the file is missing, is not JSON, or has a key twice.
    """
    try:
        return parse_json(path.read_bytes())
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ArtifactError(f"cannot read {path}: it is not UTF-8 text") from error
    except ValueError as error:
        raise ArtifactError(f"cannot read {path}: it is not JSON ({error})") from error


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
