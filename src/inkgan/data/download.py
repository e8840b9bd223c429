"""Finding a data set's files on disk, or downloading them whole or not at all.

pooch checks the SHA-256 and moves a finished download into place; what it lacks, resuming and
trying one mirror after the other, is added here.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch
import requests

from inkgan.errors import ArtifactError, DataError, DataNotFoundError
from inkgan.files import cache_folders, is_offline
from inkgan.folder_lock import locked
from inkgan.types import Progress, silent

CONNECT_SECONDS, READ_SECONDS = 10, 60


@dataclass(frozen=True)
class RemoteFile:
    """A file with its SHA-256 and the HTTPS addresses that serve it."""

    name: str
    sha256: str
    mirrors: tuple[str, ...]
    max_bytes: int = 1 << 30


def search_roots(data_dir: Path | None) -> list[Path]:
    """List the folders to look in: `data_dir` alone, or else INKGAN_DATA and the user's cache.

    Raises:
        DataError: `data_dir` is given and is no folder.
    """
    if data_dir is not None:
        if not data_dir.is_dir():
            raise DataError(f"`data_dir` {data_dir} is no folder")
        return [data_dir]
    from_environment = os.environ.get("INKGAN_DATA")
    return [*([Path(from_environment)] if from_environment else []), *cache_folders()]


def candidate_folders(
    name: str, folder_names: tuple[str, ...], data_dir: Path | None
) -> list[list[Path]]:
    """List where a set may be, for each root: ROOT/name, torchvision's ROOT/Name/raw, ROOT itself.

    The cache has a folder for each set; other roots may be the folder of the set.
    """
    caches = cache_folders()
    groups = []
    for root in search_roots(data_dir):
        parts = [name, *(f"{folder}/raw" for folder in folder_names), *folder_names]
        itself = [] if root in caches else [root, root / "raw"]
        groups.append([root / parts[0], *itself, *(root / part for part in parts[1:])])
    return groups


def refuse_incomplete(
    name: str, wanted: Sequence[str], groups: Sequence[Sequence[Path]], data_dir: Path | None
) -> None:
    """Refuse to take a set from elsewhere where the named folder holds a part of it, or none.

    Args:
        name: of the set.
        wanted: names of its files.
        groups: the folders of one root each, as `candidate_folders` lists them.
        data_dir: that the user named.

    Raises:
        DataError: a folder holds some files only, or `data_dir` holds none.
    """
    for folder in (folder for group in groups for folder in group):
        missing = [file for file in wanted if find_file(folder, file) is None]
        if 0 < len(missing) < len(wanted):
            raise DataError(
                f"{folder} lacks {', '.join(missing)} of {name} (with or without .gz); add what is "
                f"missing, or use `data.name=idx:{folder}` for files of your own"
            )
    if data_dir is not None:
        raise DataError(
            f"`data_dir` {data_dir} holds no {name}: {', '.join(wanted)} (with or without .gz) are "
            f"looked for there and in its folder {name}; without `data_dir` they are downloaded"
        )


def spellings(name: str) -> tuple[str, ...]:
    """List the names under which people keep an IDX file: zipped, plain, with Kaggle's dot."""
    plain = name.removesuffix(".gz")
    return (name, plain, plain.replace("-idx", ".idx"))


def find_file(folder: Path, name: str) -> Path | None:
    """Return the file in the folder under any of its spellings."""
    found = (folder / spelling for spelling in spellings(name))
    return next((path for path in found if path.is_file()), None)


def download(
    files: tuple[RemoteFile, ...], folder: Path, data_set: str, progress: Progress = silent
) -> dict[str, Path]:
    """Download the files that a folder lacks; concurrent processes download them once.

    Args:
        files: names, hashes and mirrors.
        folder: to put them into.
        data_set: its name, for messages.
        progress: called with (file name, bytes so far, bytes in all or 0).

    Returns:
        The path of each file, by name.

    Raises:
        DataNotFoundError: no mirror has a file with the right hash; the message lists all attempts.
        DataError: the folder cannot be written.
    """
    found: dict[str, Path] = {}
    with locked_cache(folder):
        for file in files:
            found[file.name] = find_file(folder, file.name) or _fetch(
                file, folder, data_set, progress
            )
    return found


def _fetch(file: RemoteFile, folder: Path, data_set: str, progress: Progress) -> Path:
    failures = []
    offline = is_offline()
    for url in () if offline else file.mirrors:
        try:
            return _from_mirror(url, file, folder, progress)
        except (requests.RequestException, OSError, ValueError) as error:
            failures.append(f"{url}: {_in_short(error)}")
    tried = ", ".join(failures) or "nothing, since INKGAN_OFFLINE is set"
    raise DataNotFoundError(
        f"{data_set} is not on this machine and cannot be downloaded. Tried for {file.name}: "
        f"{tried}. Put the files into a folder {data_set}/ and name its parent with `data_dir` "
        "or INKGAN_DATA"
    )


def _from_mirror(url: str, file: RemoteFile, folder: Path, progress: Progress) -> Path:
    """Download from one mirror; if a resumed file is wrong, once more from the start."""
    pooch.get_logger().setLevel(logging.WARNING)  # `progress` says what is being downloaded
    downloader = ResumingDownloader(folder / f"{file.name}.part", file, progress)
    resumes = downloader.partial.exists()

    def retrieve() -> Path:
        expected = f"sha256:{file.sha256}"
        return Path(pooch.retrieve(url, expected, file.name, folder, downloader=downloader))

    try:
        return retrieve()
    except ValueError:
        if not resumes:
            raise
    return retrieve()


def _in_short(error: Exception) -> str:
    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off; run again to go on"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, ValueError):
        return "the bytes have another SHA-256 than the published file"
    return str(error)


class ResumingDownloader:
    """A downloader for pooch that resumes a partial file."""

    def __init__(self, partial: Path, file: RemoteFile, progress: Progress) -> None:
        self.partial, self.file, self.progress = partial, file, progress

    def __call__(self, url: str, output_file: str, pooch_instance: Any) -> None:
        """Download the address into pooch's temporary file."""
        have = self.partial.stat().st_size if self.partial.exists() else 0
        headers = {"Accept-Encoding": "identity"}  # a body zipped on the way has another length
        if have:
            headers["Range"] = f"bytes={have}-"
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        with requests.get(url, stream=True, timeout=timeout, headers=headers) as response:
            if response.status_code == 416:  # the partial file is already whole, or longer
                self._hand_over(output_file)
                return
            response.raise_for_status()
            resumed = response.status_code == 206
            self._receive(response, have if resumed else 0, "ab" if resumed else "wb")
        self._hand_over(output_file)

    def _receive(self, response: requests.Response, done: int, mode: str) -> None:
        remaining = response.headers.get("Content-Length")
        total = done + int(remaining) if remaining else None
        with self.partial.open(mode) as stream:
            for chunk in response.iter_content(1 << 16):
                stream.write(chunk)
                done += len(chunk)
                self.progress(self.file.name, done, total or 0)
                if done > self.file.max_bytes:
                    break
        if done > self.file.max_bytes:
            self.partial.unlink()
            raise OSError(f"sent more than {self.file.max_bytes:,} bytes")
        if total is not None and done < total:
            raise OSError(f"broke off after {done:,} of {total:,} bytes; call again to resume")

    def _hand_over(self, output_file: str) -> None:
        shutil.copyfile(self.partial, output_file)
        self.partial.unlink()


@contextlib.contextmanager
def locked_cache(folder: Path) -> Iterator[None]:
    """Lock a folder of the cache, after any other process has finished with it.

    Raises:
        DataError: the folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder, wait=True))
        except ArtifactError as error:
            raise DataError(f"{error}; INKGAN_CACHE names another cache") from error
        yield
