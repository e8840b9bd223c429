"""Readers tried in a process of their own, which may crash or hang."""

import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz.harness import Outcome, Reader, load_readers, outcomes

MEMORY = 6 << 30  # bytes of addresses that a reader may take beyond what its process starts with
PREPARATION = 300.0  # seconds


def work(name: str, seed: int, first: int, folder: str, answers: Connection) -> None:
    """Try inputs in a process of its own until the other end has seen enough."""
    os.environ["INKGAN_CACHE"] = str(Path(folder) / "cache")
    os.environ["INKGAN_OFFLINE"] = "1"
    reader = load_readers()[name]
    _limit_memory()
    with suppress(BrokenPipeError):
        for outcome in outcomes(reader, Path(folder) / "files", seed, first):
            answers.send(outcome)


def _limit_memory() -> None:
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _arrives(answers: Connection, seconds: float) -> bool:
    """Wait for an answer, by seconds in which this process was not stopped itself."""
    return any(answers.poll(1) for _ in range(round(seconds)))


def attempts(reader: Reader, seed: int, first: int) -> Generator[Outcome]:
    """Yield outcomes without end; a process that crashes or hangs is one, and is replaced."""
    while True:
        folder = tempfile.mkdtemp(prefix="inkgan-fuzz-")
        ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
        arguments = (reader.name, seed, first, folder, theirs)
        process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
        process.start()
        theirs.close()
        limit = PREPARATION
        try:
            while _arrives(ours, limit):
                outcome = ours.recv()
                first = outcome.number + 1
                limit = 12 * reader.seconds + 5
                yield outcome
            reason = "hangs where Python cannot interrupt it"
        except EOFError:
            process.join()
            reason = f"ends the process with exit code {process.exitcode}"
        finally:
            process.kill()
            process.join()
            ours.close()
            shutil.rmtree(folder, ignore_errors=True)
        yield Outcome("failed", first, "", reason, limit)
        if limit == PREPARATION:  # it has not even begun
            return
        first += 1
