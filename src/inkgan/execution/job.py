"""A job: a function by its import path and plain arguments, so that it can be done anywhere."""

import contextlib
import importlib
import platform
import traceback
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan import __version__, errors
from inkgan.errors import ConfigError, InkganError
from inkgan.files import require_writable
from inkgan.storage import is_url, storage_at

Document = dict[str, Any]
ADMISSION = ".jobs-"
MAX_ATTEMPTS = 3  # a job whose process was ended from outside begins again so often


@dataclass(frozen=True)
class Job:
    """A unit of work that depends on nothing but its arguments.

    Doing it twice gives the same files, so that a job of a lost machine is simply done again.

    Attributes:
        id: names the job among those that are done together.
        function: "package.module:function"; it takes the arguments and returns a value of JSON.
        arguments: values of JSON.
        cpus: cores that it uses, as threads of each operation.
        gpus: the share of one GPU that it uses, 0 to 1.
    """

    id: str
    function: str
    arguments: Mapping[str, Any]
    cpus: int = 1
    gpus: float = 0.0

    def __post_init__(self) -> None:
        """Check the requirements."""
        if self.cpus < 1:
            raise ConfigError(f"a job uses at least one core, not {self.cpus}")
        if not 0 <= self.gpus <= 1:
            raise ConfigError(f"a job uses 0 to 1 GPUs, not {self.gpus:g}")

    def document(self, admission: str) -> Document:
        """Return what `perform` takes, as plain values."""
        return {
            "id": self.id,
            "function": self.function,
            "arguments": dict(self.arguments),
            "version": __version__,
            "admission": admission,
        }


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        job: the job.
        value: what its function returned.
        error: why there is no value.
        machine: the name of the machine that did it.
    """

    job: Job
    value: Any = None
    error: InkganError | None = None
    machine: str = ""


class NotAdmittedError(InkganError):
    """The machine of a job cannot see the folder of the work, or the work was stopped."""


@contextlib.contextmanager
def admission_to(folder: Path | str) -> Iterator[str]:
    """Put a file into the folder of the work, without which no job begins; remove it at the end.

    It shows that the machine of a job sees the folder, and keeps jobs from beginning after the work
    was stopped.

    Args:
        folder: a path, or an address of an object store.

    Raises:
        ArtifactError: the folder cannot be written.
    """
    place = str(folder)
    if not is_url(place):
        require_writable(Path(place))
        place = str(Path(place).resolve())
    admission = f"{place}/{ADMISSION}{uuid.uuid4().hex[:12]}"
    storage_at(place).create(admission.rpartition("/")[2], b"")
    try:
        yield admission
    finally:
        withdraw(admission)


def withdraw(admission: str) -> None:
    """Remove the file without which no job begins."""
    folder, _, name = admission.rpartition("/")
    storage_at(folder).remove(name)


def _is_admitted(admission: str) -> bool:
    folder, _, name = admission.rpartition("/")
    return storage_at(folder).read(name) is not None


def perform(document: Document) -> Document:
    """Do a job, in whichever process.

    Args:
        document: of `Job.document`.

    Returns:
        The job's `id`, the name of this machine, and either the `value` or the `error`: the name of
        its class, its message and, of an error that is no InkganError, its traceback.
    """
    return {"id": document["id"], "machine": platform.node()} | _perform(document)


def _perform(document: Document) -> Document:
    machine = platform.node()
    if document["version"] != __version__:
        text = f"{machine} has inkgan {__version__}, not {document['version']}: install the same"
        return {"error": ("InkganError", text, "")}
    if not _is_admitted(document["admission"]):
        folder = document["admission"].rpartition("/")[0]
        text = f"{machine} cannot see `out` {folder}: choose a folder that all machines share"
        return {"error": (NotAdmittedError.__name__, text, "")}
    module, _, name = document["function"].partition(":")
    try:
        value = getattr(importlib.import_module(module), name)(**document["arguments"])
    except InkganError as error:
        return {"error": (type(error).__name__, str(error), "")}
    except Exception as error:
        shown = (type(error).__name__, f"{type(error).__name__}: {error}", traceback.format_exc())
        return {"error": shown}
    return {"value": value}


def outcome_of(job: Job, reply: Document) -> Outcome:
    """Turn what `perform` returned into an outcome.

    Raises:
        NotAdmittedError: the machine cannot see the folder.
    """
    if "error" not in reply:
        return Outcome(job, reply["value"], machine=reply["machine"])
    name, message, trace = reply["error"]
    if name == NotAdmittedError.__name__:
        raise NotAdmittedError(message)
    kind = getattr(errors, name, InkganError)
    is_known = isinstance(kind, type) and issubclass(kind, InkganError)
    error = kind(message) if is_known else InkganError(message)
    if trace:
        error.add_note(f"on {reply['machine']}, in {job.id}:\n{trace}")
    return Outcome(job, error=error, machine=reply["machine"])


def lost(job: Job, how: str) -> Outcome:
    """Return the outcome of a job whose process was ended from outside again and again."""
    text = f"the process of {job.id} ended {MAX_ATTEMPTS} times, the last time with {how}; "
    return Outcome(job, error=InkganError(f"{text}is there enough memory?"))
