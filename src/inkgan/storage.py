"""Where the files of a very large data set are kept: a folder, or an object store by its URL."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError

EXTRAS = {"s3": "cloud", "s3a": "cloud"}  # of this package, for an address that begins so


class Storage(Protocol):
    """Whole files under names such as "data/train.parquet"; every machine sees the same ones."""

    def create(self, name: str, content: bytes) -> bool:
        """Write a file, unless there is one; return whether this call has written it."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, in the place of an older one."""

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where there is none."""

    def names(self, folder: str) -> list[str]:
        """List the names of the files right in a folder, sorted, without the folder's."""

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with everything in it, if there is one."""


class LocalStorage:
    """Files in a folder, which machines may share.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def create(self, name: str, content: bytes) -> bool:
        """Write a file, unless there is one."""
        path = self.root / name
        with _explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            except FileExistsError:
                return False
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
        return True

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        with files.atomic(self.root / name) as temporary:
            temporary.write_bytes(content)

    def read(self, name: str) -> bytes | None:
        """Return what a file holds."""
        with _explained(self.root / name, "read"):
            try:
                return (self.root / name).read_bytes()
            except FileNotFoundError:
                return None

    def names(self, folder: str) -> list[str]:
        """List the files in a folder; half-written ones are hidden."""
        with _explained(self.root / folder, "read"):
            try:
                entries = [e.name for e in os.scandir(self.root / folder) if e.is_file()]
            except FileNotFoundError:
                return []
        return sorted(name for name in entries if not name.startswith("."))

    def remove(self, name: str) -> None:
        """Remove a file or a folder."""
        with _explained(self.root / name), contextlib.suppress(FileNotFoundError):
            files.remove(self.root / name)


class ObjectStorage:
    """Objects below an address that fsspec knows, such as s3://bucket/data.

    An object appears whole, and cannot be renamed. Credentials come from where the library of the
    store looks for them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.

    Args:
        url: the address.

    Raises:
        ConfigError: fsspec does not know the address, or a library is missing.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        protocol = url.split("://")[0]
        import fsspec

        try:
            kind = fsspec.get_filesystem_class(protocol)
        except ValueError as error:
            raise ConfigError(f"`out` {url}: {protocol}:// is no storage that is known") from error
        except ImportError as error:
            extra = EXTRAS.get(protocol)
            way = f"pip install 'inkgan[{extra}]'" if extra else str(error)
            raise ConfigError(f"`out` {url} needs the extra: {way}") from error
        options: dict[str, Any] = {"use_listings_cache": False} if protocol != "memory" else {}
        self._files = kind(**options)
        self._root = kind._strip_protocol(self.url)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object, unless there is one; the store decides between two that try."""
        with _explained(f"{self.url}/{name}"):
            try:
                self._files.pipe_file(self._path(name), content, mode="create")
            except FileExistsError:
                return False
        return True

    def write(self, name: str, content: bytes) -> None:
        """Write an object."""
        with _explained(f"{self.url}/{name}"):
            self._files.pipe_file(self._path(name), content)

    def read(self, name: str) -> bytes | None:
        """Return what an object holds."""
        with _explained(f"{self.url}/{name}", "read"):
            try:
                content: bytes = self._files.cat_file(self._path(name))
            except FileNotFoundError:
                return None
        return content

    def names(self, folder: str) -> list[str]:
        """List the objects right below a name."""
        place = self._path(folder)
        with _explained(f"{self.url}/{folder}", "read"):
            try:
                found = self._files.ls(place, detail=True)
            except FileNotFoundError:
                return []
        names = [entry["name"] for entry in found if entry["type"] == "file"]
        return sorted(name.rsplit("/", 1)[-1] for name in names if name.strip("/") != place)

    def remove(self, name: str) -> None:
        """Remove an object, or all below a name."""
        with _explained(f"{self.url}/{name}"), contextlib.suppress(FileNotFoundError):
            self._files.rm(self._path(name), recursive=True)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else str(self._root)


def storage_at(place: str | Path) -> Storage:
    """Return the files of a folder, or the objects below an address."""
    return ObjectStorage(str(place)) if is_url(place) else LocalStorage(Path(place))


def is_url(out: object) -> bool:
    """Return whether an output is an address of an object store, and no path."""
    return "://" in str(out)


@contextlib.contextmanager
def _explained(place: str | Path, doing: str = "write") -> Iterator[None]:
    """Turn whatever a file system or a store raises into one line."""
    try:
        yield
    except ArtifactError:
        raise
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise ArtifactError(f"cannot {doing} {place}: {reason}") from error
    except Exception as error:  # of the store's own library, whose classes are not known here
        if type(error).__module__.split(".")[0] in ("inkgan", "builtins"):
            raise
        raise ArtifactError(f"cannot {doing} {place}: {type(error).__name__}: {error}") from error
