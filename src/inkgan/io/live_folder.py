"""How a training process and those who watch it speak to each other: small files in its run.

A run in RUN/ has a hidden folder RUN/.live:

    process.json     which process trains, and how the last one ended   written by training
    frame.json       the fixed latents as they are drawn now            written by training
    control.json     run, pause or stop, and how many single steps      written by watchers
    watch            its time of change says that somebody watches      touched by watchers
    evaluation.json  how far an evaluation of the run is              written by it

Nothing here is needed to resume a run: the folder may be deleted at any time. This module does not
import torch.
"""

import base64
import contextlib
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from inkgan.documents import Count, Document, ShortText
from inkgan.files import parse_json

Wish = Literal["run", "pause", "stop"]
WATCHED_SECONDS = 3.0  # after the last touch of a watcher


@dataclass(frozen=True)
class Control:
    """What a watcher wants of the training process.

    Attributes:
        wish: run, pause or stop.
        steps: single steps that were wanted since the process began; a paused run does them.
    """

    wish: Wish = "run"
    steps: int = 0


class LiveRecord(Document):
    """Base of the small documents; what another version may add is ignored."""

    model_config = ConfigDict(extra="ignore")


class ProcessRecord(LiveRecord):
    """The content of process.json."""

    state: Literal["training", "paused", "ended"]
    pid: Annotated[int, Field(gt=0, lt=2**31)] | None = None
    recorded: float = 0.0
    images: Count = 0
    total_images: Count | None = None
    reason: ShortText = ""
    message: str = ""


class ControlRecord(LiveRecord):
    """The content of control.json."""

    wish: Wish
    steps: Count


class EvaluationRecord(LiveRecord):
    """The content of evaluation.json."""

    share: Annotated[float, Field(ge=0, le=1)]
    stage: ShortText
    recorded: float


class LiveFolder:
    """The files of one run by which it is watched and steered.

    Losing one of them loses a picture or a click, never training: they are not synced to disk, and
    a file that cannot be written is left out.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self.path = run / ".live"
        self.process_path = self.path / "process.json"
        self.frame_path = self.path / "frame.json"
        self.control_path = self.path / "control.json"
        self.watch_path = self.path / "watch"
        self.evaluation_path = self.path / "evaluation.json"

    # --- the training process ---

    def write_process(self, document: dict[str, Any]) -> None:
        """Say which process trains, and how far it is or how it ended."""
        self._write_json(self.process_path, document)

    def write_frame(self, picture: bytes, document: dict[str, Any]) -> None:
        """Show a picture (PNG) with what belongs to it, both in one file."""
        encoded = base64.b64encode(picture).decode()
        self._write_json(self.frame_path, {**document, "picture": encoded})

    def write_evaluation(self, share: float, stage: str) -> None:
        """Say how far the evaluation of the run is.

        Args:
            share: that is done, from 0 to 1.
            stage: what is being computed.
        """
        document = {"share": round(share, 4), "stage": stage, "recorded": time.time()}
        self._write_json(self.evaluation_path, document)

    def is_watched(self) -> bool:
        """Return whether somebody has watched in the last seconds."""
        try:
            passed = time.time() - self.watch_path.stat().st_mtime
        except OSError:
            return False
        return -WATCHED_SECONDS < passed < WATCHED_SECONDS

    def clear(self) -> None:
        """Forget pictures and wishes of an earlier process; make the folder."""
        with contextlib.suppress(OSError):
            self.path.mkdir(parents=True, exist_ok=True)
        for path in (self.control_path, self.frame_path):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    # --- those who watch ---

    def watch(self) -> None:
        """Ask for pictures for the next seconds."""
        with contextlib.suppress(OSError):
            self.path.mkdir(parents=True, exist_ok=True)
            self.watch_path.touch()

    def write_control(self, control: Control) -> None:
        """Ask the training process to run, pause or stop."""
        self._write_json(self.control_path, asdict(control))

    def control(self) -> Control:
        """Read what is wanted; where nothing can be read, that is to run."""
        return Control(**read_record(self.control_path, ControlRecord))

    def process(self) -> dict[str, Any]:
        """Read which process trains (`ProcessRecord`); empty where none ever has."""
        return read_record(self.process_path, ProcessRecord)

    def evaluation(self) -> dict[str, Any]:
        """Read how far an evaluation is (`EvaluationRecord`); empty where none ever was."""
        return read_record(self.evaluation_path, EvaluationRecord)

    # --- writing ---

    def _write_json(self, path: Path, document: dict[str, Any]) -> None:
        try:
            text = json.dumps(document, allow_nan=False)
        except ValueError:
            text = json.dumps(finite(document))
        self._write(path, text.encode())

    def _write(self, path: Path, data: bytes) -> None:
        """Write a file whole, without waiting for the disk; a full disk loses it."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            try:
                _write_once(temporary, data)
            except FileNotFoundError:  # the folder was deleted
                self.path.mkdir(parents=True, exist_ok=True)
                _write_once(temporary, data)
            temporary.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _write_once(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as stream:
        if stream.write(data) != len(data):
            raise OSError("the disk is full")


def read_document(path: Path) -> dict[str, Any]:
    """Read a JSON object; a file that is missing or damaged is an empty one."""
    try:
        document = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def read_record(path: Path, schema: type[LiveRecord]) -> dict[str, Any]:
    """Read the fields that a document has; one that is missing or damaged is empty."""
    try:
        return schema.model_validate(read_document(path)).model_dump(exclude_unset=True)
    except ValidationError:
        return {}


def finite(value: Any) -> Any:
    """Return a document in which numbers that JSON does not have are None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
