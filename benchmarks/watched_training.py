"""Train in a process of its own, as `inkgan train` does, and write down when each update ended.

python -m benchmarks.watched_training RUN TIMES    # RUN has a recipe.toml; TIMES is an .npy

Where OpenMP's variables are set its threads wait as these say, and otherwise as the machine's load
asks for.
"""

import sys
import time
from pathlib import Path

from inkgan.device import compute_settings


def main() -> None:
    """Train the run of the first argument; save the times to the second."""
    run, written = Path(sys.argv[1]), Path(sys.argv[2])
    times = []
    with compute_settings(keep_memory=True, adapt_waiting=True):
        import numpy as np  # after OpenMP's variables are set, and torch with it

        from inkgan.cli.command import all_cores
        from inkgan.runs.api import train_iter
        from inkgan.runs.events import Updated

        with all_cores():
            for event in train_iter(run / "recipe.toml", out=run):
                if isinstance(event, Updated):
                    times.append(time.monotonic())  # one clock for all processes
        np.save(written, np.array(times))


if __name__ == "__main__":
    main()
