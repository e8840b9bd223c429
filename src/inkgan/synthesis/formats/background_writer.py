"""Compress in a thread of its own, while the caller prepares what comes next."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol


class Writable(Protocol):
    """What bytes can be written to."""

    def write(self, content: bytes, /) -> int:
        """Write bytes, and return how many."""


class BackgroundWriter:
    """Writes one piece at a time, in order; an error is raised at the next call.

    Args:
        stream: that is written to; zlib compresses without Python's lock.
        pool: of one thread.
    """

    def __init__(self, stream: Writable, pool: ThreadPoolExecutor) -> None:
        self._stream, self._pool = stream, pool
        self._pending: Future[int] | None = None

    def write(self, content: bytes) -> None:
        """Wait until the last piece is written, then begin with this one."""
        self.wait()
        self._pending = self._pool.submit(self._stream.write, content)

    def wait(self) -> None:
        """Wait until everything is written.

        Raises:
            OSError: it could not be.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()


@contextlib.contextmanager
def in_background(stream: Writable) -> Iterator[BackgroundWriter]:
    """Write to a stream in a thread that has ended, without error, when the context ends."""
    with ThreadPoolExecutor(1, thread_name_prefix="compress") as pool:
        writer = BackgroundWriter(stream, pool)
        yield writer
        writer.wait()
