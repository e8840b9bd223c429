"""A side of the comparison in a process of its own, as if it were all that a person runs.

What the engine asks of the C library, such as to keep freed memory, is then the engine's alone.
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal, Protocol

import torch

from benchmarks.machine import peak_memory
from benchmarks.textbook import make_loader, new_textbook, textbook_loop
from inkgan.config import Recipe
from inkgan.data.batches import Batches
from inkgan.data.dataset import Dataset, load_dataset
from inkgan.device import compute_settings
from inkgan.errors import InkganError
from inkgan.openmp import ENVIRONMENT, SPIN_COUNT, watched_scheduler
from inkgan.training.loop import train
from inkgan.training.state import new_state

Loop = Literal["engine", "textbook"]
Waiting = Literal["adaptive", "passive", "spin", "default"]
# OpenMP's variables of each way to wait; see inkgan.openmp.
VARIABLES: dict[Waiting, dict[str, str]] = {
    "adaptive": ENVIRONMENT,
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin": {"GOMP_SPINCOUNT": str(SPIN_COUNT)},
    "default": {},
}
Updates = Iterator[object]  # one update at each step, its own input pipeline included
WARM_STEPS = 2


@dataclass(frozen=True)
class Task:
    """What a side trains.

    Attributes:
        loop: which of the two.
        threads: of each operation.
        workers: processes of the textbook's loader.
        waiting: how OpenMP's threads wait; `inkgan train` adapts, a notebook has the default.
    """

    loop: Loop
    recipe: Recipe
    data_dir: Path | None
    threads: int
    workers: int = 0
    waiting: Waiting = "default"


class Side(Protocol):
    """A process that trains when it is told to."""

    def timed(self, steps: int) -> float:
        """Run updates and return their seconds."""

    def warm_up(self, seconds: float) -> int:
        """Run untimed, then return the number of updates that take about `seconds`."""

    def peak_memory(self) -> float | None:
        """Return the peak of resident memory in MiB, None where it cannot be had."""

    def close(self) -> None:
        """End the process."""


class Apart:
    """A running side; it ends with `close`, or when this process does."""

    def __init__(self, task: Task) -> None:
        spawn = multiprocessing.get_context("spawn")  # a fresh interpreter on every system
        self._pipe, far = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(far, task))
        with _environment(VARIABLES[task.waiting]):
            self._process.start()
        far.close()

    def timed(self, steps: int) -> float:
        """Run updates and return their seconds.

        Raises:
            InkganError: what stopped the side.
        """
        seconds = self._answer(steps)
        assert seconds is not None
        return seconds

    def warm_up(self, seconds: float) -> int:
        """Run untimed, then return the number of updates that take about `seconds`."""
        self.timed(WARM_STEPS)
        taken, steps = 0.0, 0
        while taken < min(1.0, seconds):
            taken += self.timed(1)
            steps += 1
        return max(1, round(seconds * steps / taken))

    def peak_memory(self) -> float | None:
        """Return the peak of the side's resident memory in MiB, None where it cannot be had."""
        return self._answer(0)

    def close(self) -> None:
        """End the side's process."""
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _answer(self, steps: int) -> float | None:
        try:
            self._pipe.send(steps)
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(10)
            code = self._process.exitcode
            raise InkganError(f"a timed process ended by itself (exit status {code})") from None
        if isinstance(answer, InkganError):
            raise answer
        seconds: float | None = answer
        return seconds


@contextmanager
def sides_apart(starts: Mapping[str, Callable[[], Side]]) -> Iterator[dict[str, Side]]:
    """Start a process for each side; they are gone after the block."""
    with ExitStack() as stack:
        sides = {}
        for name, start in starts.items():
            sides[name] = start()
            stack.callback(sides[name].close)
        yield sides


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Give a process that starts in this block other OpenMP variables than this one has."""
    before = {name: os.environ.pop(name) for name in ENVIRONMENT if name in os.environ}
    os.environ |= variables
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        os.environ |= before


def _serve(pipe: Connection, task: Task) -> None:
    """Do updates when asked and answer with their seconds; 0 asks for the peak of memory."""
    engine = task.loop == "engine"  # `inkgan train` keeps freed memory, a notebook does not
    watching = watched_scheduler() if task.waiting == "adaptive" else nullcontext()
    try:
        with watching, compute_settings(threads=task.threads, keep_memory=engine):
            dataset = load_dataset(task.recipe.data, "train", task.data_dir)
            updates = _UPDATES[task.loop](task, dataset)
            while True:
                steps = pipe.recv()
                pipe.send(_timed(updates, steps) if steps else peak_memory())
    except EOFError:  # nobody asks any more
        return
    except InkganError as error:
        pipe.send(error)


def _timed(updates: Updates, steps: int) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        next(updates)
    return time.perf_counter() - began


def _engine(task: Task, dataset: Dataset) -> Updates:
    recipe = task.recipe
    batches = Batches(dataset, recipe.schedule.batch_size, recipe.seed, recipe.data.augment)
    return train(recipe, batches, new_state(recipe, dataset.shape, torch.device("cpu")))


def _textbook(task: Task, dataset: Dataset) -> Updates:
    torch.manual_seed(task.recipe.seed)  # it draws from the global stream
    textbook = new_textbook(task.recipe, dataset.shape)
    return textbook_loop(textbook, make_loader(task.recipe, dataset, task.workers))


_UPDATES = {"engine": _engine, "textbook": _textbook}
