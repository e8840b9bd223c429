"""Start several processes for one run by torchrun, and pass on what happens in them.

Process 0 sends its events through a pipe, so that a caller follows them as those of one process.
In the other direction there is one wish, to stop, which a file expresses.
"""

import contextlib
import os
import pickle  # between processes of this program only
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from inkgan.config import Recipe
from inkgan.data.batches import check_parts
from inkgan.data.dataset import load_dataset
from inkgan.device import default_threads
from inkgan.errors import ConfigError, ProcessLostError
from inkgan.models.custom import CustomNetworks, class_name
from inkgan.runs.events import Event, Finished
from inkgan.runs.process_group import is_one_of_several, number_of_processes
from inkgan.runs.trainer import Trainer
from inkgan.training import diffaug, losses
from inkgan.types import silent

JOB, STOP, LOG = "job", "stop", "log.txt"  # files of the folder that the processes share
PATIENCE = 60.0  # seconds for the processes to save and end
OWN_SCRIPT = "start your script by torchrun instead, and leave `processes` out"


def is_launch_needed(processes: int | None) -> bool:
    """Return whether so many processes have to be started.

    Args:
        processes: the caller's choice; None joins those that a launcher has started already.

    Raises:
        ConfigError: it is less than 1, or a launcher has started another number.
    """
    if processes is None or processes == 1:
        return False
    if processes < 1:
        raise ConfigError(f"`processes` must be at least 1, not {processes}")
    if not is_one_of_several():
        return True
    if processes != number_of_processes():
        raise ConfigError(
            f"`processes={processes}`, but this process is one of {number_of_processes()} that "
            "have been started together; leave `processes` out"
        )
    return False


def launched(trainer: Trainer, processes: int) -> Iterator[Event]:
    """Train in several processes of this machine, and yield the events of the run.

    Args:
        trainer: what is trained.
        processes: how many; each computes its part of every batch.

    Raises:
        InkganError: as `Trainer.events` does, or a process was ended from outside.
    """
    check_parts(trainer.recipe, processes)
    _check_own_code(trainer.recipe, trainer.networks)
    given = trainer.options
    load_dataset(trainer.recipe.data, "train", given.data_dir, given.report)  # downloaded once
    options = replace(given, report=silent, should_stop=_never, processes=None)
    job = replace(trainer, options=options)
    with tempfile.TemporaryDirectory(prefix="inkgan-") as name:
        folder = Path(name)
        (folder / JOB).write_bytes(pickle.dumps(job))
        with (folder / LOG).open("wb") as log, _started(folder, processes, log, trainer) as pipe:
            finished = False
            for event in _received(pipe):
                finished = isinstance(event, Finished)
                yield event
                if given.should_stop():
                    (folder / STOP).touch()
        if not finished:
            raise ProcessLostError(_what_happened((folder / LOG).read_text(errors="replace")))


def _never() -> bool:
    return False


@contextlib.contextmanager
def _started(folder: Path, processes: int, log: IO[bytes], trainer: Trainer) -> Iterator[IO[bytes]]:
    """Start torchrun; yield what process 0 sends. Afterwards no process is left."""
    threads = trainer.options.threads or max(1, default_threads() // processes)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*torchrun, f"--nproc-per-node={processes}", "-m", "inkgan.runs.worker", str(folder)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        start_new_session=True,  # Ctrl-C reaches this process alone, which passes it on
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        (folder / STOP).touch()
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the processes have ended; what they still send is dropped."""
    assert process.stdout is not None
    deadline = time.monotonic() + PATIENCE
    try:
        with contextlib.suppress(EOFError, pickle.UnpicklingError):
            while time.monotonic() < deadline:
                pickle.load(process.stdout)
        process.wait(max(0.0, deadline - time.monotonic()))
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    finally:
        process.stdout.close()


def _received(pipe: IO[bytes]) -> Iterator[Event]:
    """Yield the events that process 0 sends, and raise its error."""
    while True:
        try:
            message = pickle.load(pipe)
        except (EOFError, pickle.UnpicklingError):
            return
        if isinstance(message, Warning):
            warnings.warn(message, stacklevel=2)
            continue
        if isinstance(message, ProcessLostError):
            return  # torchrun's report says which process it was
        if isinstance(message, BaseException):
            raise message
        yield message


def _check_own_code(recipe: Recipe, networks: CustomNetworks) -> None:
    """Refuse code that only the caller's process has."""
    objective = recipe.objective
    registered = {
        "loss": objective.loss not in losses.BUILT_IN,
        "penalty": bool(objective.penalties.custom),
        "augmentation": not diffaug.BUILT_IN.issuperset(objective.augment),
    }
    for what, is_own in registered.items():
        if is_own:
            raise ConfigError(
                f"`processes` starts processes that do not know a {what} of your own; {OWN_SCRIPT}"
            )
    for factory in (networks.generator, networks.discriminator):
        if factory is not None:
            raise ConfigError(
                f"`processes` starts processes that do not know {class_name(factory)}; {OWN_SCRIPT}"
            )


def _what_happened(log: str) -> str:
    """Say which process has ended and how, as torchrun's report has it.

    One that a signal has ended comes first: the others may have failed because of it.
    """
    found = re.findall(r"rank\s*:\s*(\d+) .*?exitcode\s*:\s*(-?\d+)", log, re.DOTALL)
    rank, status = min(found, key=lambda one: int(one[1]) >= 0, default=("", ""))
    which = f"process {rank}" if rank else "a process"
    how = f" with exit status {status}" if status else ""
    return (
        f"{which} of the run ended{how}, and so the others did; is there enough memory? The same "
        "call resumes from the newest checkpoint"
    )
