"""Where the files of a report go: the cache, the user's folder, or what of these can be written."""

import functools
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.evaluation.report_document import (
    PAGE,
    REPORT,
    Report,
    copy_file,
    is_report,
    read_report,
)

KEPT = "evaluations"  # in the cache, by a key of all that decides a report


@dataclass(frozen=True)
class ReportContent:
    """A report that has not been written yet.

    Attributes:
        document: of report.json.
        page: the text of report.html.
    """

    document: Mapping[str, Any]
    page: str

    def write(self, folder: Path) -> None:
        """Write both files.

        Raises:
            ArtifactError: the folder cannot be written.
        """
        files.write_text(folder / PAGE, self.page)
        files.write_json(folder / REPORT, dict(self.document))


def refuse_foreign(folder: Path) -> None:
    """Refuse to write over a report.json that is none of ours."""
    path = folder / REPORT
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"`out` must be a folder; {folder} is a file")
    if path.exists() and not is_report(files.read_json(path)):
        raise ArtifactError(f"{path} is no report of inkgan; choose another `out`")


def find_kept(key: str) -> Path | None:
    """Return the folder in the cache with the report of a key, if it is there and whole."""
    for cache in files.cache_folders():
        folder = cache / KEPT / key
        try:
            if (folder / REPORT).is_file() and (folder / PAGE).is_file():
                read_report(folder / REPORT)
                return folder
        except (ArtifactError, OSError):
            continue
    return None


def deliver(key: str, kept: Path | None, content: ReportContent | None, out: Path | None) -> Report:
    """Put a report where the user finds it; a folder that cannot be written is a warning.

    Args:
        key: of the evaluation.
        kept: folder that holds the report from before; None for a new one.
        content: of a new report.
        out: folder for the report; None leaves it in the cache.

    Returns:
        The report, with the paths of its files in `out`, or where that cannot be written in the
        cache, or in a temporary folder.
    """
    cached = kept is not None
    errors: list[ArtifactError] = []
    if content is not None:
        cache = files.writable_cache_folder() / KEPT / key
        kept = _attempt(functools.partial(content.write, cache), cache, errors)
    written = kept
    if out is not None:
        if kept is None and content is not None:
            copied = _attempt(functools.partial(content.write, out), out, errors)
        else:
            copied = _attempt(functools.partial(_copy, kept, out), out, errors)
        written = copied or kept
    if written is None and content is not None:
        written = Path(tempfile.mkdtemp(prefix="inkgan-report-"))
        content.write(written)
    assert written is not None
    if errors and written != out:
        text = f"{errors[-1]}; the report is in {written}; `out` and INKGAN_CACHE name others"
        warnings.warn(text, files.CacheWarning, stacklevel=3)
    return Report(read_report(written / REPORT), written / PAGE, written / REPORT, cached)


def _attempt(write: Callable[[], None], folder: Path, errors: list[ArtifactError]) -> Path | None:
    """Write, and return the folder; add to `errors` and return None where that fails."""
    try:
        write()
    except ArtifactError as error:
        errors.append(error)
        return None
    return folder


def _copy(kept: Path | None, folder: Path) -> None:
    assert kept is not None
    for name in (REPORT, PAGE):
        copy_file(kept / name, folder / name)
