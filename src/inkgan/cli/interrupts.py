"""Ctrl-C and SIGTERM where several jobs are at work: the first one lets them save."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

NOTE = "stopping when everything is saved; once more to stop at once"


@contextlib.contextmanager
def announced_interrupts() -> Iterator[None]:
    """Say what a first Ctrl-C or SIGTERM does; both raise KeyboardInterrupt."""
    signals = (signal.SIGINT, signal.SIGTERM)
    old = {number: signal.getsignal(number) for number in signals}
    said: list[str] = []

    def interrupt(number: int, frame: object) -> None:
        if not said:
            said.append(NOTE)
            with contextlib.suppress(OSError, ValueError):
                os.write(sys.stderr.fileno(), f"\r\x1b[K{NOTE}\n".encode() if _tty() else _line())
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def _tty() -> bool:
    return sys.stderr.isatty()


def _line() -> bytes:
    return f"\n{NOTE}\n".encode()
