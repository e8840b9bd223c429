"""Claims: which process makes which part, so that none is made twice and none is left.

A claim is a file that only one process can create. Its owner changes it every few seconds. A claim
that others do not see change any more belongs to a process that was killed or cut off. Then one of
them creates the next generation of the claim, which again only one can. A process that was merely
slow may finish too: parts are pure functions of their number, so both write the same bytes.
"""

import contextlib
import json
import os
import platform
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from inkgan.errors import ArtifactError
from inkgan.files import parse_json
from inkgan.storage import Storage

FOLDER = "claims"
BEAT_SECONDS, STALE_SECONDS = 10.0, 60.0
_ALIVE: set[str] = set()  # ids of the owners in this process


class Claims:
    """The claims of one process, which a thread keeps alive until the block ends.

    Args:
        storage: that all processes see.
        crew: of processes among which a part is given to one at a time, and to another one only
            when the first is lost; their claims give way to each other.
        clock: seconds that only grow; no two machines need to agree on the time.

    Example:
        >>> with Claims(storage) as claims:
        ...     if claims.take("shard-000012"):
        ...         make(12)
        ...         claims.release("shard-000012")
    """

    def __init__(
        self,
        storage: Storage,
        clock: Callable[[], float] = time.monotonic,
        crew: str | None = None,
    ) -> None:
        self._storage, self._clock, self._crew = storage, clock, crew
        self._owner = {"host": _machine(), "pid": os.getpid(), "id": uuid.uuid4().hex}
        self._owner |= {} if crew is None else {"crew": crew}
        _ALIVE.add(str(self._owner["id"]))
        self._mine: dict[str, str] = {}  # file by name
        self._seen: dict[str, tuple[bytes, float]] = {}  # content of others' and since when
        self._lock, self._ended, self._beats = threading.Lock(), threading.Event(), 0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Claims":
        self._thread = threading.Thread(target=self._keep_alive, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        _ALIVE.discard(str(self._owner["id"]))
        with contextlib.suppress(ArtifactError):  # others find out that this process has ended
            for name in list(self._mine):
                self.release(name)

    def take(self, name: str) -> bool:
        """Claim a part; False while another process has it."""
        generation = 0
        files = self._files_of(name)
        if files:
            newest = max(files, key=_generation)
            if not self._is_stale(newest):
                return False
            generation = _generation(newest) + 1
        file = f"{name}.{generation}"
        with self._lock:
            if not self._storage.create(f"{FOLDER}/{file}", self._content()):
                return False
            self._mine[name] = file
        return True

    def taken(self) -> set[str]:
        """Return the names that are claimed by anybody, alive or not."""
        return {file.rpartition(".")[0] for file in self._storage.names(FOLDER)}

    def release(self, name: str) -> None:
        """Give a claim of this process up, and remove older generations of it."""
        with self._lock:
            own = self._mine.pop(name)
            for file in self._files_of(name):
                if _generation(file) <= _generation(own):
                    self._storage.remove(f"{FOLDER}/{file}")

    def beat(self) -> None:
        """Change all claims of this process, which shows others that it lives."""
        with self._lock:
            self._beats += 1
            for file in self._mine.values():
                self._storage.write(f"{FOLDER}/{file}", self._content())

    def _files_of(self, name: str) -> list[str]:
        return [f for f in self._storage.names(FOLDER) if f.rpartition(".")[0] == name]

    def _is_stale(self, file: str) -> bool:
        content = self._storage.read(f"{FOLDER}/{file}")
        if content is None:  # released a moment ago
            return False
        if self._is_dead(content):
            return True
        before, since = self._seen.get(file, (None, 0.0))
        if before != content:
            self._seen[file] = content, self._clock()
            return False
        return self._clock() - since > STALE_SECONDS

    def _is_dead(self, content: bytes) -> bool:
        """Return whether the owner has certainly ended: of this crew, or of this machine."""
        try:
            owner = parse_json(content)
            host, pid, identity = owner["host"], int(owner["pid"]), owner["id"]
        except (ValueError, KeyError, TypeError):  # not written yet
            return False
        if self._crew is not None and owner.get("crew") == self._crew:
            return True
        if host != self._owner["host"] or os.name != "posix":
            return False
        if pid == self._owner["pid"]:
            return identity not in _ALIVE  # a process before this one had the same number
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False

    def _content(self) -> bytes:
        return json.dumps(self._owner | {"beat": self._beats}).encode()

    def _keep_alive(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with contextlib.suppress(ArtifactError):  # the next time may go well
                self.beat()


def _machine() -> str:
    """Name the machine, and on Linux the container, in which process numbers hold."""
    space = ""
    with contextlib.suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink())
    return f"{platform.node()} {space}".strip()


def _generation(file: str) -> int:
    return int(file.rpartition(".")[2])
