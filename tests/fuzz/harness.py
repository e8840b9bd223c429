"""The rule for every reader, and what tries it with one damaged input after another.

The rule: an input is refused with one line (an InkganError), or it is accepted and the value is the
undamaged one, or one that the reader's `check` allows. Never a traceback, a hang, or a silent
change.

To add a reader, subclass `Reader` in a module of `tests/fuzz/readers/` and decorate it:

    @register
    class NotesReader(FileReader):
        name, file = "notes", "notes.json"

        def prepare(self, folder: Path) -> None:
            files.write_json(folder / self.file, {"a": 1})

        def read(self, folder: Path) -> object:
            return files.read_json(folder / self.file)

        def check(self, value: object, intact: object, warned: bool) -> None:
            assert isinstance(value, dict)

Input number i of a reader depends only on the seed, the reader's name and i, so one that fails can
be tried again alone: `python -m tests.fuzz notes --seed S --first i --inputs 1`.
"""

import dataclasses
import importlib
import os
import pkgutil
import shutil
import signal
import time
import traceback
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, ClassVar, Literal, TypeVar

from inkgan.errors import InkganError
from tests.fuzz.mutators import mutate_file

Verdict = Literal["refused", "accepted", "failed"]
LONGEST_MESSAGE = 2000  # characters that one line may have
READERS: dict[str, "Reader"] = {}


class Reader(ABC):
    """One reader under test.

    Attributes:
        name: on the command line and in the table.
        file: that a refusal must name; empty where there is none.
        inputs: how many are tried in CI.
        seconds: of processor time that one input may take; ten times as many on the clock.
    """

    name: ClassVar[str]
    file: ClassVar[str] = ""
    inputs: ClassVar[int] = 60
    seconds: ClassVar[float] = 10.0

    @abstractmethod
    def prepare(self, folder: Path) -> None:
        """Write an intact input into an empty folder, once."""

    @abstractmethod
    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage the input in the folder, a fresh copy each time; return in words what was done."""

    @abstractmethod
    def read(self, folder: Path) -> Any:
        """Read the input; an InkganError refuses it."""

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Assert that an accepted value is right.

        Args:
            value: of the damaged input.
            intact: of the intact one.
            warned: whether a warning was given.
        """
        assert value == intact


class FileReader(Reader):
    """A reader of one file, whose bytes, numbers and words are changed."""

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage the file."""
        return mutate_file(chance, folder / self.file)


R = TypeVar("R", bound=type[Reader])


def register(reader: R) -> R:
    """Add a reader (a decorator of its class)."""
    assert reader.name not in READERS
    READERS[reader.name] = reader()
    return reader


def load_readers() -> dict[str, Reader]:
    """Import every module of `tests/fuzz/readers/`; return the readers by name."""
    package = importlib.import_module("tests.fuzz.readers")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return READERS


class HangError(BaseException):
    """An input took too long; no `except Exception` can swallow it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one input.

    Attributes:
        verdict: refused, accepted or failed.
        number: of the input.
        damage: what was done to it.
        detail: the message of a refusal, or why it failed.
        seconds: of processor time that it took.
    """

    verdict: Verdict
    number: int
    damage: str
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Tally:
    """The outcomes of one reader."""

    counts: dict[str, int] = field(
        default_factory=lambda: {"refused": 0, "accepted": 0, "failed": 0}
    )
    failures: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """Count an outcome, and keep it if it failed."""
        self.counts[outcome.verdict] += 1
        self.seconds += outcome.seconds
        if outcome.verdict == "failed":
            self.failures.append(outcome)

    @property
    def total(self) -> int:
        """How many inputs were tried."""
        return sum(self.counts.values())


def outcomes(reader: Reader, folder: Path, seed: int, first: int = 0) -> Iterator[Outcome]:
    """Try inputs without end, from number `first`, in an empty folder."""
    intact_folder, work = folder / "intact", folder / "work"
    intact_folder.mkdir(parents=True)
    reader.prepare(intact_folder)
    shutil.copytree(intact_folder, work)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        intact = reader.read(work)
    number = first
    while True:
        began = _processor_seconds()
        shutil.rmtree(work)
        shutil.copytree(intact_folder, work)
        chance = Random(f"{seed} {reader.name} {number}")
        outcome = _try_one(reader, work, chance, intact, number)
        yield dataclasses.replace(outcome, seconds=_processor_seconds() - began)
        number += 1


def _processor_seconds() -> float:
    """Return the processor time of this process, and of those that it started and that ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def _try_one(reader: Reader, work: Path, chance: Random, intact: Any, number: int) -> Outcome:
    damage = reader.mutate(chance, work)
    try:
        with warnings.catch_warnings(record=True) as caught, _time_limit(reader.seconds):
            warnings.simplefilter("always")
            value = reader.read(work)
            reader.check(value, intact, bool(caught))
    except InkganError as error:
        complaint = _complaint(str(error), reader.file)
        verdict: Verdict = "failed" if complaint else "refused"
        return Outcome(verdict, number, damage, f"{complaint}{error}")
    except HangError:
        return Outcome("failed", number, damage, f"took more than {reader.seconds} s")
    except (Exception, SystemExit):
        return Outcome("failed", number, damage, traceback.format_exc(limit=-4))
    return Outcome("accepted", number, damage)


def _complaint(message: str, file: str) -> str:
    """Say what is wrong with a refusal; nothing if it is as it should be."""
    if not message or "\n" in message.strip("\n") or len(message) > LONGEST_MESSAGE:
        return f"the refusal is not one line ({len(message)} characters): "
    return "" if file in message else f"the refusal does not name {file}: "


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise HangError in the block after some processor time, or ten times that of waiting.

    A clock that ticks each second counts what it saw itself: neither a busy machine nor a process
    that was stopped for a while is a hang. On POSIX, in the main thread.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    end, ticks = time.process_time() + seconds, 0

    def tick(number: int, frame: FrameType | None) -> None:
        nonlocal ticks
        ticks += 1
        if time.process_time() > end or ticks > 10 * seconds:
            raise HangError

    before: Callable[..., Any] | int | None = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
