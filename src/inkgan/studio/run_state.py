"""What a run folder says about its run: queued, training, paused, complete, crashed ..."""

import functools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field

from inkgan.config import Recipe
from inkgan.config.serialize import read_recipe
from inkgan.errors import ArtifactError, InkganError
from inkgan.io.live_folder import LiveFolder, LiveRecord, read_record
from inkgan.io.run_paths import RunPaths
from inkgan.studio.command_text import is_job_of, time_limit
from inkgan.studio.process_check import end_process, find_process, runs_command
from inkgan.studio.row_tail import parse_row

State = Literal[
    "queued",
    "starting",
    "training",
    "pausing",
    "paused",
    "stopping",
    "stopped",
    "complete",
    "failed",
    "crashed",
]
ACTIVE = frozenset({"starting", "training", "pausing", "paused", "stopping"})
TAIL_BYTES = 16_384  # of a log or of metrics
LOG_LINES = 12
KEPT = 512  # files that are not read again while they stay the same
T = TypeVar("T")
Stamp = tuple[int, int, int]
OUT_OF_TIME = "time is up"  # the reason for which a run has ended


class JobRecord(LiveRecord):
    """The content of a job's file: what is to be started, and as which process it was."""

    arguments: list[str]
    state: Literal["queued", "started"]
    queued_at: float = 0.0
    pid: Annotated[int, Field(gt=0, lt=2**31)] | None = None
    recorded: float = 0.0


@dataclass(frozen=True)
class JobFile:
    """The files of one job of a run: what is to be started, and what it printed.

    Attributes:
        run: the run folder.
        kind: train or evaluate.
    """

    run: Path
    kind: str = "train"

    @property
    def path(self) -> Path:
        """The command, its state and its process."""
        return LiveFolder(self.run).path / f"{self.kind}-job.json"

    @property
    def log_path(self) -> Path:
        """What the process printed."""
        return LiveFolder(self.run).path / f"{self.kind}.log"

    def read(self) -> dict[str, Any]:
        """Read the job (`JobRecord`); empty where there is none, or none of this folder.

        A folder may come from somewhere else, and with it a job that nobody here has queued.
        """
        job = read_record(self.path, JobRecord)
        return job if is_job_of(self.run, self.kind, job.get("arguments", [])) else {}

    def write(self, document: dict[str, Any]) -> None:
        """Replace the job, whole or not at all.

        Raises:
            ArtifactError: it cannot be written.
        """
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_text(json.dumps(document), encoding="utf-8")
                temporary.replace(self.path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise ArtifactError(f"cannot write {self.path}: {error.strerror or error}") from error

    def end(self, *, at_once: bool = False) -> bool:
        """End the job's process, if it is still the one; return whether there was one."""
        job = self.read()
        return runs_command(job, job.get("arguments", [])) and end_process(job, at_once=at_once)

    def log_tail(self, lines: int = LOG_LINES) -> list[str]:
        """Return the last lines that the process printed."""
        text = _tail(self.log_path).decode("utf-8", "replace")
        return [line for line in text.splitlines() if line.strip()][-lines:]


@dataclass(frozen=True)
class RunEntry:
    """A run as the list shows it.

    Attributes:
        name: of its folder.
        state: what happens with it now.
        message: why it ended, where something went wrong.
        recipe: what is trained; None where recipe.toml cannot be read.
        images: seen so far.
        total_images: of the whole run, if known.
        changed: when it last wrote, in seconds of the epoch.
        metrics: the newest row of losses.
        health: the health monitor's newest sentence, if it has found something.
        log: the last lines of a job that failed.
        has_generator: it can draw.
        position: in the queue, from 1; 0 where it does not wait.
        minutes: the time limit of its training, if it has one.
    """

    name: str
    state: State
    message: str = ""
    recipe: Recipe | None = None
    images: int = 0
    total_images: int | None = None
    changed: float = 0.0
    metrics: dict[str, Any] = field(default_factory=dict)
    health: str = ""
    log: tuple[str, ...] = ()
    has_generator: bool = False
    position: int = 0
    minutes: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON has it."""
        recipe = self.recipe
        shown = {key: value for key, value in vars(self).items() if key != "recipe"}
        return shown | {
            "log": list(self.log),
            "recipe": recipe and recipe.name,
            "data": recipe and recipe.data.name,
            "classes": recipe and recipe.model.classes,
            "loss": recipe and recipe.objective.loss,
            "seed": recipe and recipe.seed,
        }


@dataclass(frozen=True)
class NewestRows:
    """What the end of metrics.jsonl says: the newest losses, the newest finding, images seen."""

    losses: dict[str, Any]
    health: str
    images: int


class Reading(Generic[T]):
    """What was read of a file, kept until the file changes; the list of runs is made every second.

    Args:
        read: the file.
        path: of the file; it need not exist.
    """

    def __init__(self, read: Callable[[Path], T], path: Path) -> None:
        self._read, self._path = read, path
        self._kept: tuple[Stamp, T] | None = None

    def now(self) -> T:
        """Return what the file says now."""
        stamp = _stamp(self._path)
        kept = self._kept  # threads may ask at the same time
        if kept is None or kept[0] != stamp:
            self._kept = kept = stamp, self._read(self._path)
        return kept[1]


@functools.lru_cache(maxsize=KEPT)
def _reading(read: Callable[[Path], T], path: Path) -> Reading[T]:
    return Reading(read, path)


def read_entry(run: Path, position: int = 0) -> RunEntry:
    """Read the state of one run folder."""
    paths, live = RunPaths(run), LiveFolder(run)
    process, job = live.process(), JobFile(run).read()
    state, message = _state(live, process, job, has_generator=paths.bundle_path.is_file())
    newest = _reading(_newest_rows, paths.metrics_path).now()
    recipe = _reading(_recipe, paths.recipe_path).now()
    failed = state in ("failed", "crashed")
    images = newest.images
    total = process.get("total_images") or (recipe.schedule.images if recipe else None)
    if state in ACTIVE or process.get("state") == "ended":
        images = max(images, process.get("images") or 0)
    return RunEntry(
        name=run.name,
        state=state,
        message=message,
        recipe=recipe,
        images=images,
        total_images=total,
        changed=_changed(paths),
        metrics=newest.losses,
        health=newest.health,
        log=tuple(JobFile(run).log_tail()) if failed else (),
        has_generator=paths.bundle_path.is_file(),
        position=position,
        minutes=time_limit(job.get("arguments", [])),
    )


def _state(
    live: LiveFolder, process: dict[str, Any], job: dict[str, Any], *, has_generator: bool
) -> tuple[State, str]:
    """Return the state of a run, and why it ended where something went wrong."""
    ended = process.get("state") == "ended"
    if not ended and find_process(process):
        wish = live.control().wish
        if wish == "stop":
            return "stopping", ""
        if process.get("state") == "paused" and wish == "pause":
            return "paused", ""
        return ("pausing", "") if wish == "pause" else ("training", "")
    if job.get("state") == "queued":
        return "queued", ""
    started = job.get("recorded", 0.0) if job.get("state") == "started" else 0.0
    is_older = process.get("recorded", 0.0) < started
    if started and find_process(job):
        return ("starting", "") if is_older else ("stopping", "")
    if started and is_older:
        return "failed", "The process ended before training began."
    if ended:
        return _ended(str(process.get("reason")), str(process.get("message", "")))
    if process:
        return "crashed", "The process ended without a word: it was killed, or the memory was full."
    return ("complete", "") if has_generator else ("stopped", "")


def _ended(reason: str, message: str) -> tuple[State, str]:
    """Return the state of a run whose process has said why it ended."""
    if reason == "failed":
        return "failed", message
    if reason == OUT_OF_TIME:
        return "stopped", "Its time is up. Resuming it lifts the limit."
    return ("complete", "") if reason == "complete" else ("stopped", "")


def _recipe(path: Path) -> Recipe | None:
    """Read a recipe, or nothing where it cannot be read."""
    try:
        return read_recipe(path, unregistered=True)
    except InkganError:
        return None


def _changed(paths: RunPaths) -> float:
    times = [0.0]
    for path in (paths.recipe_path, paths.metrics_path):
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return min(max(times), time.time())


def _newest_rows(path: Path) -> NewestRows:
    """Find the newest rows of each kind in the last bytes of metrics.jsonl."""
    *lines, _ = _tail(path).split(b"\n")
    rows = [row for row in map(parse_row, lines) if row]
    losses: dict[str, Any] = next((row for row in reversed(rows) if "d_loss" in row), {})
    health: dict[str, Any] = next((row for row in reversed(rows) if "health" in row), {})
    images = max([row.get("images") or 0 for row in rows], default=0)
    return NewestRows(losses, str(health.get("message", "")), images)


def _stamp(path: Path) -> Stamp:
    """Return what changes with a file: its number, its size and when it was written."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


def _tail(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - TAIL_BYTES))
            return stream.read()
    except OSError:
        return b""
