"""Whether a process that a file names is still that process."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

CLOCK_SLACK = 2.0  # seconds that the clock may have been moved


def find_process(record: Mapping[str, Any]) -> psutil.Process | None:
    """Return the running process of a record, or None where it has ended.

    A number may belong to another process by now. A process that began after the record was
    written is not the one that the record names.

    Args:
        record: `pid`, and `recorded`: when the record was written, in seconds of the epoch.
    """
    pid, recorded = record.get("pid"), record.get("recorded")
    if not isinstance(pid, int) or not isinstance(recorded, int | float) or pid <= 0:
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        is_same = process.create_time() <= recorded + CLOCK_SLACK
        if is_same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def runs_command(record: Mapping[str, Any], arguments: Sequence[str]) -> bool:
    """Return whether the process of a record was started with these words at its end."""
    process = find_process(record)
    with contextlib.suppress(psutil.Error):
        if process is not None and arguments:
            return process.cmdline()[-len(arguments) :] == [*arguments]
    return False


def end_process(record: Mapping[str, Any], *, at_once: bool = False) -> bool:
    """Ask the process of a record to end, or end it at once; return whether there was one."""
    process = find_process(record)
    if process is None:
        return False
    with contextlib.suppress(psutil.Error):
        process.kill() if at_once else process.terminate()
    return True
