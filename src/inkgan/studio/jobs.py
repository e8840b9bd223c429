"""Jobs: processes that outlive the page and the server, and the queue in which they wait.

One job computes at a time. Jobs start in the order in which they were queued; a run that was
started elsewhere, in a terminal for example, also has its turn until it ends. A paused run keeps
its turn. The queue is in the run folders, so a restarted server goes on with it.
"""

import contextlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkgan import files
from inkgan.config import Recipe, serialize
from inkgan.errors import ArtifactError, ConfigError
from inkgan.folder_lock import is_locked
from inkgan.io.live_folder import Control, LiveFolder
from inkgan.io.run_paths import RECIPE, RunPaths
from inkgan.studio.command_text import training_arguments, without_time_limit
from inkgan.studio.process_check import end_process, find_process
from inkgan.studio.run_folders import RunFolders, check_new_name
from inkgan.studio.run_state import ACTIVE, OUT_OF_TIME, JobFile, RunEntry, read_entry

NO_OPTIONS: Mapping[str, Any] = {}
DETACHED = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # on Windows
KINDS = ("train", "evaluate")
ORDER = "One job computes at a time; the others wait in the order in which they were queued."
ACTIONS = ("pause", "step", "resume", "stop", "end", "cancel")

_children: list[subprocess.Popen[bytes]] = []
"""Processes that this one has started: the system keeps them until they are asked for."""


class Jobs:
    """Starts, steers and lists the jobs of a folder of runs.

    Args:
        folders: of the runs.
        options: of every command, such as a device.
    """

    def __init__(self, folders: RunFolders, options: Mapping[str, Any] = NO_OPTIONS) -> None:
        self.folders = folders
        self._options = {**options}
        self._acting = threading.Lock()

    # --- what there is ---

    def entries(self) -> list[RunEntry]:
        """List every run, the newest first."""
        waiting = [job.run.name for job in self._queued() if job.kind == "train"]
        places = {name: place + 1 for place, name in enumerate(waiting)}
        entries = [read_entry(run, places.get(run.name, 0)) for run in self.folders.paths()]
        return sorted(entries, key=lambda entry: -entry.changed)

    def entry(self, name: str) -> RunEntry:
        """Read one run.

        Raises:
            KeyError: there is no such run.
        """
        run = self.folders.find(name)
        waiting = [job.run.name for job in self._queued() if job.kind == "train"]
        return read_entry(run, waiting.index(name) + 1 if name in waiting else 0)

    # --- changes ---

    def create(self, name: str, recipe: Recipe, options: Mapping[str, Any] = NO_OPTIONS) -> None:
        """Make the folder of a new run and queue its training.

        Args:
            name: of the folder; there must be none of this name.
            recipe: what to train.
            options: further options of the command, such as {"minutes": 5}.

        Raises:
            ConfigError: the name cannot be used or is taken.
        """
        check_new_name(name)
        run = self.folders.root / name
        try:
            run.mkdir(parents=True)
        except FileExistsError:
            raise ConfigError(f"`name`: there is a run {name!r} already; choose another") from None
        except OSError as error:
            raise ArtifactError(f"cannot write {run}: {error.strerror or error}") from error
        try:
            files.write_text(run / RECIPE, serialize.to_toml(recipe))
            self.queue(run, "train", training_arguments(run, {**self._options, **options}))
        except ArtifactError:  # the disk is full
            shutil.rmtree(run, ignore_errors=True)
            raise

    def continue_run(self, name: str) -> None:
        """Queue a run again; it goes on exactly where it was interrupted.

        A time limit that has been reached is lifted.

        Raises:
            ConfigError: it is being trained or waits already.
        """
        entry, run = self.entry(name), self.folders.find(name)
        if entry.state in ACTIVE or entry.state == "queued":
            raise ConfigError(f"the run {name!r} is {entry.state}")
        usual = training_arguments(run, self._options)
        chosen = JobFile(run).read().get("arguments", usual)
        if LiveFolder(run).process().get("reason") == OUT_OF_TIME:
            chosen = without_time_limit(chosen)
        self.queue(run, "train", chosen)

    def queue(self, run: Path, kind: str, arguments: Sequence[str]) -> None:
        """Put a job at the end of the queue."""
        JobFile(run, kind).write(
            {"arguments": [*arguments], "state": "queued", "queued_at": time.time()}
        )
        with contextlib.suppress(ArtifactError):  # the job waits for the next tick
            self.tick()

    def act(self, name: str, action: str) -> None:
        """Pause, resume, stop ... a run, one action after the other.

        Args:
            name: of the run.
            action: pause; step, which is one update of both networks; resume; stop, after which
                everything is saved; end, which kills a process that does not answer; cancel, for a
                run that waits.

        Raises:
            KeyError: there is no such run.
            ConfigError: the run is in no state for it.
        """
        with self._acting:
            self._act(name, action)

    def _act(self, name: str, action: str) -> None:
        entry, run = self.entry(name), self.folders.find(name)
        live = LiveFolder(run)
        if action not in ACTIONS:
            raise ConfigError(f"`action` must be one of {', '.join(ACTIONS)}, not {action!r}")
        if action == "resume" and entry.state not in ("paused", "pausing"):
            self.continue_run(name)
        elif action == "cancel" and entry.state == "queued":
            self._cancel(run)
        elif action == "cancel" or entry.state not in ACTIVE:
            raise ConfigError(f"the run {name!r} is {entry.state}: there is nothing to {action}")
        elif action == "end":
            self._end(run)
        elif action == "stop" and entry.state == "starting":
            JobFile(run).end()
        else:
            wish = {"pause": "pause", "step": "pause", "resume": "run", "stop": "stop"}[action]
            steps = live.control().steps + (action == "step")
            live.write_control(Control(wish, steps))  # type: ignore[arg-type]

    # --- the queue ---

    def tick(self) -> None:
        """Notice what has ended, and start what comes next."""
        _children[:] = [child for child in _children if child.poll() is None]
        queued = self._queued()
        if queued and not self._is_busy():
            self._start(queued[0])

    def waiting(self) -> list[JobFile]:
        """List the jobs that wait, the next one first."""
        return self._queued()

    def is_running(self, job: JobFile) -> bool:
        """Return whether the process of a job is running."""
        document = job.read()
        return document.get("state") == "started" and find_process(document) is not None

    def _queued(self) -> list[JobFile]:
        found = []
        for job in self._jobs():
            document = job.read()
            if document.get("state") == "queued":
                found.append((document.get("queued_at", 0.0), str(job.path), job))
        return [job for _, _, job in sorted(found, key=lambda item: item[:2])]

    def _jobs(self) -> Iterator[JobFile]:
        for run in self.folders.paths():
            for kind in KINDS:
                yield JobFile(run, kind)

    def _is_busy(self) -> bool:
        for run in self.folders.paths():
            process = LiveFolder(run).process()
            if process.get("state") in ("training", "paused") and find_process(process):
                return True
        return any(self.is_running(job) for job in self._jobs())

    def _start(self, job: JobFile) -> None:
        """Start a process that does not end with this one."""
        document = job.read()
        job.write(document)  # a full disk shows before a process is started that nobody could find
        LiveFolder(job.run).clear()
        with job.log_path.open("wb") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "inkgan", *document["arguments"]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=DETACHED,
            )
        _children.append(child)
        job.write(document | {"state": "started", "pid": child.pid, "recorded": time.time()})

    def _cancel(self, run: Path) -> None:
        JobFile(run).path.unlink(missing_ok=True)
        paths = RunPaths(run)
        written = {path.name for path in run.iterdir()} - {RECIPE, ".live", ".lock"}
        if not written and not paths.metrics_path.exists():  # it has never begun
            shutil.rmtree(run)

    def _end(self, run: Path) -> None:
        """Kill what trains here; in a folder from elsewhere, any process may be named."""
        with contextlib.suppress(OSError):
            if is_locked(run):
                end_process(LiveFolder(run).process(), at_once=True)
            JobFile(run).end(at_once=True)
