"""Write the pictures of a watched run beside training, which waits for no disk."""

import threading
import time
from collections.abc import Callable

from inkgan.images import png_bytes
from inkgan.types import UInt8

Document = dict[str, object]


class FrameWriter:
    """Encodes and writes pictures in a thread of its own.

    To replace a file takes a disk 1 to 20 milliseconds, longer than to draw what is in it. A
    picture that still waits when the next one comes is left out.

    Args:
        write: writes one picture, a PNG, with what belongs to it.

    Attributes:
        spent: seconds of a processor so far.
    """

    def __init__(self, write: Callable[[bytes, Document], None]) -> None:
        self.spent = 0.0
        self._write = write
        self._changed = threading.Condition()
        self._waiting: tuple[UInt8, Document] | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, picture: UInt8, document: Document) -> None:
        """Write a picture (H, W) or (H, W, 3) soon; neither it nor the document may change."""
        with self._changed:
            self._waiting = picture, document
            self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="frames", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what waits, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (frame := self._next()) is not None:
            picture, document = frame
            self._write(png_bytes(picture, fast=True), document)
            self.spent = time.thread_time()

    def _next(self) -> tuple[UInt8, Document] | None:
        """Return the picture that waits, or None after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._closed)
            frame, self._waiting = self._waiting, None
        return frame
