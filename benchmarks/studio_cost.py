"""What it costs a run to be watched, and how many pictures a second its watcher gets.

    python -m benchmarks.studio_cost                              # two recipes, about eight minutes
    python -m benchmarks.studio_cost --recipes vanilla --pairs 8

A studio serves a folder in which one process trains. A client follows the run as a page does, its
event stream and every picture, and leaves after a second or two; for as long nobody watches. The
order is A B B A, and two such blocks side by side are a pair. A block counts from the moment at
which its first SETTLE_SECONDS are over, and no pair is left out.

The cost is the median over the pairs of the time of an update, watched over unwatched. Its interval
is that of the sign test, which takes nothing for granted of how speeds scatter. Threads wait for
each other in the same way in all blocks (`--waiting`): they spin, as on a quiet machine, or sleep.
The processor time of the processes is measured, too; another load hardly changes it.

At the end the same short run is trained once watched and once not, and the weights are compared.
"""

import argparse
import asyncio
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import psutil
from scipy import stats

from benchmarks.studio_client import event_stream, studio
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override, to_toml
from inkgan.io.live_folder import Control, LiveFolder
from inkgan.io.run_paths import RunPaths
from inkgan.metrics.stats.intervals import Interval
from inkgan.openmp import ENVIRONMENT
from inkgan.studio.serve import Address

SETTLE_SECONDS = 0.4  # in which the run notices that somebody watches, or nobody
WARM_UP_SECONDS = 6.0
TIMES = "times.npy"
RARELY = {"schedule.sample_interval": 10**9, "schedule.evaluation_interval": 10**9}
TRAINED_IMAGES = 6400  # of the runs whose weights are compared
WAITING = {"spin": ENVIRONMENT, "sleep": {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}}
LEVEL = 0.95


class ProcessorTimes(NamedTuple):
    """Seconds of a processor, or what is used of one in a second.

    Attributes:
        trainer: of the process that trains.
        server: of the studio.
        client: of the process that watches.
    """

    trainer: float
    server: float
    client: float


NOTHING = ProcessorTimes(0, 0, 0)


@dataclass(frozen=True)
class Block:
    """Some seconds in which the run was watched, or was not.

    Attributes:
        watched: whether it was.
        begin: when it began to count, of time.monotonic.
        end: when it ended.
        used: of the processors in between, if that was measured.
    """

    watched: bool
    begin: float
    end: float
    used: ProcessorTimes = NOTHING


@dataclass
class Cost:
    """What was measured of one recipe.

    Attributes:
        name: of the recipe.
        ratios: time of an update, watched over unwatched, minus one: one for each pair.
        pictures: that the client got, and the seconds in which it did.
        renewed: tiles that were drawn again in these pictures, all together.
        tiles: of a picture.
        step: median seconds of an update while nobody watches.
        watched: what the processes use of a processor in a second of being watched.
        alone: the same while nobody watches.
        same_weights: whether the watched run ended with the same bytes.
    """

    name: str
    ratios: list[float] = field(default_factory=list)
    pictures: int = 0
    seconds: float = 0.0
    renewed: int = 0
    tiles: int = 0
    step: float = 0.0
    watched: ProcessorTimes = NOTHING
    alone: ProcessorTimes = NOTHING
    same_weights: bool = False

    @property
    def interval(self) -> Interval:
        """The median cost with its 95 % interval."""
        return median_interval(self.ratios)

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.pictures / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        cost = self.interval
        sweep = self.tiles * self.seconds / max(self.renewed, 1)
        lines = [
            f"{self.name}: watched costs {cost.value:+.1%} [{cost.low:+.1%}, {cost.high:+.1%}], "
            f"the median of {len(self.ratios)} pairs (mean {statistics.mean(self.ratios):+.1%}, "
            f"standard deviation {statistics.pstdev(self.ratios):.1%})",
            f"  {1000 * self.step:.1f} ms an update; {self.rate:.1f} pictures/s, each tile drawn "
            f"again after {sweep:.1f} s; weights "
            f"{'the same' if self.same_weights else 'DIFFERENT'}",
        ]
        for name, watched, alone in zip(
            ProcessorTimes._fields, self.watched, self.alone, strict=True
        ):
            lines.append(f"  {name}: {watched:.1%} of a processor, {alone:.1%} unwatched")
        return "\n".join(lines)


def median_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Bound the median of independent values by the sign test: two of the values themselves.

    A value lies below the median with probability 1/2, so the number of those below it is binomial
    (Thompson 1936). Few values bound nothing.
    """
    ordered, count = sorted(values), len(values)
    below = int(stats.binom.ppf((1 - level) / 2, count, 0.5))  # P(fewer) is at most (1 - level) / 2
    low, high = -np.inf, np.inf
    if below > 0:
        low, high = ordered[below - 1], ordered[count - below]
    return Interval(statistics.median(ordered), float(low), float(high))


def measure(
    recipe: Recipe,
    pairs: int,
    seconds: float,
    trained_images: int = TRAINED_IMAGES,
    waiting: str = "spin",
) -> Cost:
    """Measure one recipe.

    Args:
        recipe: to train.
        pairs: of blocks.
        seconds: of a block.
        trained_images: of the two runs whose weights are compared.
        waiting: how threads wait for each other, spin or sleep.
    """
    cost = Cost(recipe.name)
    with tempfile.TemporaryDirectory() as name, studio(Path(name)) as (address, server):
        runs = Path(name)
        endless = override(recipe, {"schedule.epochs": 10_000, "schedule.images": None} | RARELY)
        with _training(runs / "speed", endless, waiting) as process:
            watcher = _Watcher(address, runs / "speed", (process.pid, server))
            blocks = asyncio.run(watcher.take_turns(pairs, seconds, cost))
            watcher.live.write_control(Control("stop"))
            process.wait(120)
        compare(cost, np.load(runs / "speed" / TIMES), blocks)
        bundles = []
        for watched in (False, True):
            run = runs / f"watched-{watched}"
            short = override(recipe, {"schedule.images": trained_images} | RARELY)
            with _training(run, short, waiting) as process:
                if watched:
                    asyncio.run(_Watcher(address, run).until_end(process))
                process.wait(600)
            bundles.append(RunPaths(run).bundle_path.read_bytes())
        cost.same_weights = bundles[0] == bundles[1]
    return cost


@contextmanager
def _training(run: Path, recipe: Recipe, waiting: str) -> Iterator[subprocess.Popen[bytes]]:
    """Train in a process of its own, which writes down when each update has ended."""
    run.mkdir()
    RunPaths(run).recipe_path.write_text(to_toml(recipe), encoding="utf-8")
    words = [sys.executable, "-m", "benchmarks.watched_training", str(run), str(run / TIMES)]
    process = subprocess.Popen(words, env=os.environ | WAITING[waiting])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class _Watcher:
    """A page that looks at a run, and away from it.

    Args:
        address: of the studio.
        run: the run folder.
        processes: that train and serve, whose processor time is measured.
    """

    def __init__(self, address: Address, run: Path, processes: tuple[int, ...] = ()) -> None:
        self.live = LiveFolder(run)
        self._address, self._name = address, run.name
        self._processes = [psutil.Process(pid) for pid in processes]
        self._frames: list[tuple[float, int, int]] = []  # moment, tiles drawn again, tiles
        self._last_id = ""

    async def take_turns(self, pairs: int, seconds: float, cost: Cost) -> list[Block]:
        """Watch, look away, look away, watch ...; return the blocks."""
        while not self.live.process().get("images"):  # the first update may take half a minute
            await asyncio.sleep(0.2)
        await self._watch(time.monotonic() + WARM_UP_SECONDS)
        blocks = [await self._block(place % 4 in (0, 3), seconds) for place in range(2 * pairs)]
        for block in blocks:
            if block.watched:
                frames = [frame for frame in self._frames if block.begin < frame[0] < block.end]
                cost.pictures += len(frames)
                cost.seconds += block.end - block.begin
                cost.renewed += sum(renewed for _, renewed, _ in frames)
        cost.tiles = self._frames[-1][2] if self._frames else 0
        return blocks

    async def until_end(self, process: subprocess.Popen[bytes]) -> None:
        """Watch a run until its process has ended."""
        while process.poll() is None:
            await self._watch(time.monotonic() + 1.0)

    async def _block(self, watched: bool, seconds: float) -> Block:
        begin = time.monotonic() + SETTLE_SECONDS
        end = begin - SETTLE_SECONDS + seconds
        watching = asyncio.create_task(self._watch(end)) if watched else None
        await asyncio.sleep(begin - time.monotonic())
        before, begin = self._used(), time.monotonic()
        await asyncio.sleep(end - time.monotonic())
        after, end = self._used(), time.monotonic()
        if watching is not None:
            await watching
            self.live.watch_path.unlink(missing_ok=True)  # or it would count for 3 s more
        used = ProcessorTimes(*(b - a for a, b in zip(before, after, strict=True)))
        return Block(watched, begin, end, used)

    def _used(self) -> ProcessorTimes:
        times = [process.cpu_times() for process in self._processes]
        trainer, server = (t.user + t.system for t in times)
        return ProcessorTimes(trainer, server, time.process_time())

    async def _watch(self, end: float) -> None:
        kind = ""
        try:
            async with (
                event_stream(self._address, self._name, self._last_id) as reader,
                asyncio.timeout(end - time.monotonic()),
            ):
                while line := (await reader.readline()).decode():
                    key, _, value = line.strip().partition(": ")
                    self._last_id = value if key == "id" else self._last_id
                    kind = value if key == "event" else kind
                    if key == "data" and kind == "frame" and json.loads(value)["frame"]:
                        frame = json.loads(value)["frame"]
                        base64.b64decode(frame["picture"])
                        moment, tiles = time.monotonic(), len(frame["logits"])
                        self._frames.append((moment, frame["renewed"], tiles))
        except TimeoutError:
            pass


def compare(cost: Cost, times: npt.NDArray[np.float64], blocks: Sequence[Block]) -> None:
    """Compare the speeds of blocks side by side, and what all of them used of the processors."""
    numbers = np.arange(len(times))

    def step(block: Block) -> float:
        """Seconds of an update, of which the first and the last are in the block in part."""
        first, last = np.interp([block.begin, block.end], times, numbers)
        return float((block.end - block.begin) / (last - first))

    for one, other in zip(blocks[::2], blocks[1::2], strict=True):
        watched, alone = (one, other) if one.watched else (other, one)
        cost.ratios.append(step(watched) / step(alone) - 1)
    cost.step = statistics.median(step(block) for block in blocks if not block.watched)
    cost.watched, cost.alone = (
        _shares([block for block in blocks if block.watched is watched])
        for watched in (True, False)
    )


def _shares(blocks: Sequence[Block]) -> ProcessorTimes:
    """Return what the processes use of a processor in a second."""
    seconds = sum(block.end - block.begin for block in blocks)
    return ProcessorTimes(
        *(sum(used) / seconds for used in zip(*(block.used for block in blocks), strict=True))
    )


def main() -> None:
    """Measure from the command line; the exit code is 1 where watching has changed weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", default="flagship-quick,vanilla")
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=1.6, help="of a block")
    parser.add_argument("--waiting", choices=WAITING, default="spin", help="of OpenMP's threads")
    arguments = parser.parse_args()
    costs = []
    for name in arguments.recipes.split(","):
        recipe = get_recipe(name)
        costs.append(measure(recipe, arguments.pairs, arguments.seconds, waiting=arguments.waiting))
        print(costs[-1], flush=True)
    sys.exit(not all(cost.same_weights for cost in costs))


if __name__ == "__main__":
    main()
