"""`python -m inkgan.runs.worker FOLDER`: one of the processes that the launcher starts."""

import os
import pickle  # between processes of this program only
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from inkgan.errors import InkganError

LOOK_INTERVAL = 0.1  # seconds between two looks at whether to stop


class StopFile:
    """Tells whether a file exists, by a look at the disk now and then.

    Args:
        path: of the file, which appears when the run is to stop.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._due, self._exists = path, 0.0, False

    def __call__(self) -> bool:
        """Return whether the run is to stop."""
        now = time.monotonic()
        if now >= self._due:
            self._due, self._exists = now + LOOK_INTERVAL, self._path.exists()
        return self._exists


def main(folder: Path) -> int:
    """Train with the other processes; the first one sends the events; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that has started these decides
    with os.fdopen(os.dup(1), "wb") as pipe:
        os.dup2(2, 1)  # whatever is printed here is no event
        from inkgan.device import compute_settings
        from inkgan.runs.process_group import is_leader

        def send(message: Any) -> None:
            if is_leader():
                pickle.dump(message, pipe)
                pipe.flush()

        warnings.showwarning = lambda message, *_: send(message)
        try:
            with compute_settings(keep_memory=True, tf32=True):
                _train(folder, send)
        except InkganError as error:
            send(error)
            return 1
    return 0


def _train(folder: Path, send: Any) -> None:
    from dataclasses import replace

    from inkgan.runs.launcher import JOB, STOP

    trainer = pickle.loads((folder / JOB).read_bytes())
    options = replace(trainer.options, should_stop=StopFile(folder / STOP))
    for event in replace(trainer, options=options).events():
        send(event)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
