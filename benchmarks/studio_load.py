"""Load of the studio's event stream: many pages, some slow, some that vanish and come back.

A process writes rows and pictures as training does; clients follow them and connect again at
random moments with the id of their last event. In the end every client must have every row once.

    python -m benchmarks.studio_load                      # 100 clients for 30 minutes
    python -m benchmarks.studio_load --clients 20 --seconds 60

A computer that sleeps in between, or a job that is suspended, measures on afterwards: the time that
it slept does not count, and a silence across it is nobody's fault.
"""

import argparse
import asyncio
import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.studio_client import event_stream, studio
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import to_toml
from inkgan.io.live_folder import LiveFolder
from inkgan.studio.serve import Address

RUN = "run"
ROWS_PER_SECOND = 20
PICTURES_PER_SECOND = 5
PICTURE_BYTES = 12_000  # as the forty tiles of a run have early in training
STAY_SECONDS = 5.0  # mean time until a client connects again
SLOW_SHARE = 0.1  # of the clients, which take nothing
SILENCE = 15.0  # seconds without a word of the server, whose heartbeat comes more often
SLEPT = 5.0  # seconds by which a tick is late where everything was suspended


@dataclass
class Load:
    """What a load has shown.

    Attributes:
        rows: written.
        lost: rows that a client has not received.
        doubled: rows that a client has received twice.
        connections: of all clients together.
        pictures: frames that were announced to all clients together.
        memory: of the server in bytes: after a tenth of the time, and the most after that.
        longest_write: seconds that the writer was held up at most.
        slept: seconds during which everything was suspended.
        slept_until: when that last ended, on the monotonic clock.
        failures: what went wrong, once for each time.
    """

    rows: int = 0
    lost: int = 0
    doubled: int = 0
    connections: int = 0
    pictures: int = 0
    memory: tuple[int, int] = (0, 0)
    longest_write: float = 0.0
    slept: float = 0.0
    slept_until: float = -math.inf
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        before, most = (value / 2**20 for value in self.memory)
        return (
            f"{self.rows:,} rows, {self.connections:,} connections, {self.pictures:,} pictures; "
            f"lost {self.lost}, doubled {self.doubled}, failures {len(self.failures)}; "
            f"memory {before:.1f} MB, then at most {most:.1f} MB ({most / before - 1:+.1%}); "
            f"longest write {1000 * self.longest_write:.1f} ms"
            + (f"; suspended for {self.slept:.0f} s" if self.slept else "")
        )


def measure(clients: int, seconds: float, seed: int = 0) -> Load:
    """Put a studio under load and say what happened.

    Args:
        clients: pages that are open at the same time.
        seconds: how long.
        seed: of the moments at which clients connect again.
    """
    with tempfile.TemporaryDirectory() as name:
        runs = Path(name)
        (runs / RUN).mkdir()
        (runs / RUN / "recipe.toml").write_text(to_toml(RECIPES["dcgan"]), encoding="utf-8")
        with studio(runs) as (address, pid):
            return asyncio.run(_run(address, runs / RUN, pid, clients, seconds, seed))


async def _run(
    address: Address, run: Path, pid: int, clients: int, seconds: float, seed: int
) -> Load:
    load = Load()
    received: list[list[int]] = [[] for _ in range(clients)]
    slow = max(1, round(SLOW_SHARE * clients))
    tasks = [
        asyncio.ensure_future(_client(address, received[index], load, random.Random(seed + index)))
        for index in range(clients)
    ]
    tasks += [asyncio.ensure_future(_take_nothing(address)) for _ in range(slow)]
    tasks += [asyncio.ensure_future(_memory(pid, load, seconds))]
    tasks += [asyncio.ensure_future(_notice_sleep(load))]
    await _write(run, load, seconds)
    deadline = time.monotonic() + 30
    while any(len(rows) < load.rows for rows in received) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # transports close
    for rows in received:
        load.lost += load.rows - len(set(rows))
        load.doubled += len(rows) - len(set(rows))
    return load


async def _notice_sleep(load: Load) -> None:
    """Add up the time during which this process did not run at all."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.5)
        late = time.monotonic() - before - 0.5
        if late > SLEPT:
            load.slept += late
            load.slept_until = time.monotonic()


async def _write(run: Path, load: Load, seconds: float) -> None:
    """Write rows and pictures as training does."""
    live, number = LiveFolder(run), 0
    picture = random.Random(0).randbytes(PICTURE_BYTES)
    began = time.monotonic()
    while time.monotonic() - began - load.slept < seconds:
        started = time.perf_counter()
        with (run / "metrics.jsonl").open("a", encoding="utf-8") as stream:
            row = {"step": load.rows, "images": 64 * load.rows, "d_loss": 1.0, "g_loss": 2.0}
            stream.write(json.dumps(row) + "\n")
        load.rows += 1
        if load.rows % (ROWS_PER_SECOND // PICTURES_PER_SECOND) == 0:
            number += 1
            live.write_frame(picture, {"number": number, "logits": [0.5] * 40})
        taken = time.perf_counter() - started
        if taken < SLEPT:  # or everything was suspended
            load.longest_write = max(load.longest_write, taken)
        await asyncio.sleep(1 / ROWS_PER_SECOND)


async def _client(address: Address, rows: list[int], load: Load, chance: random.Random) -> None:
    """Follow the run for ever, leaving and coming back now and then."""
    events = _Events(rows, load)
    while True:
        leave_at = time.monotonic() + chance.expovariate(1 / STAY_SECONDS)
        try:
            async with event_stream(address, RUN, events.last) as reader:
                load.connections += 1
                events.begin()
                status = (await asyncio.wait_for(reader.readline(), SILENCE)).decode().strip()
                if status != "HTTP/1.1 200 OK":
                    load.failures.append(status or "no answer")
                    await asyncio.sleep(0.5)
                    continue
                while time.monotonic() < leave_at:
                    line = await asyncio.wait_for(reader.readline(), SILENCE)
                    if not line:
                        break
                    events.take(line.decode().strip())
        except TimeoutError:
            if time.monotonic() - load.slept_until > 2 * SILENCE:
                load.failures.append(f"silence for {SILENCE:.0f} s")
        except OSError as error:
            load.failures.append(str(error))
            await asyncio.sleep(0.5)


class _Events:
    """What a page makes of the lines of its stream."""

    def __init__(self, rows: list[int], load: Load) -> None:
        self.last = ""
        self._rows, self._load = rows, load
        self._identity = self._kind = ""

    def begin(self) -> None:
        """Forget an event that the end of a connection has cut short."""
        self._identity = self._kind = ""

    def take(self, line: str) -> None:
        """Take one line; an event counts when it is complete."""
        key, _, value = line.partition(": ")
        if key == "id":
            self._identity = value
        elif key == "event":
            self._kind = value
        elif key == "data":
            self._complete(value)

    def _complete(self, data: str) -> None:
        if self._kind == "rows":
            self._rows += [row["step"] for row in json.loads(data)["rows"]]
        elif self._kind == "rewind":
            self._load.failures.append("told from the beginning")
            self._rows.clear()
        self._load.pictures += self._kind == "frame"
        self.last = self._identity or self.last
        self._identity = ""


async def _take_nothing(address: Address) -> None:
    """Ask for the stream and never read it; vanish without a word after a while."""
    while True:
        async with event_stream(address, RUN):
            await asyncio.sleep(20)


async def _memory(pid: int, load: Load, seconds: float) -> None:
    """Note the server's memory after a tenth of the time, and the most after that."""
    process = psutil.Process(pid)
    await asyncio.sleep(seconds / 10)
    before = process.memory_info().rss
    while True:
        load.memory = (before, max(load.memory[1], process.memory_info().rss))
        await asyncio.sleep(0.5)


def main() -> None:
    """Measure from the command line; the exit code is 1 where an event was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1800)
    arguments = parser.parse_args()
    load = measure(arguments.clients, arguments.seconds)
    print(load)
    for reason, count in Counter(load.failures).most_common(5):
        print(f"{count} times: {reason}")
    sys.exit(bool(load.lost or load.doubled or load.failures))


if __name__ == "__main__":
    main()
