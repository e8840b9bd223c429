"""What it costs a run to be watched, and how many pictures a second its watcher gets.

    python -m benchmarks.studio_cost                              # two recipes, about five minutes
    python -m benchmarks.studio_cost --recipes vanilla --pairs 8

A studio serves a folder in which one process trains. A client follows the run as a page does, its
event stream and every picture, for some seconds, and looks away for as long, in the order A B B A.
The speeds of two such blocks side by side make a pair. At the end the same short run is trained
once watched and once not, and the weights are compared.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.studio_client import Pictures, event_stream, studio
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override, to_toml
from inkgan.io.live_folder import Control, LiveFolder
from inkgan.io.run_paths import RunPaths
from inkgan.metrics.stats.intervals import Interval, t_interval
from inkgan.studio.serve import Address

SETTLE_SECONDS = 0.7  # at the beginning of each block, which do not count
WARM_UP_SECONDS = 6.0
TIMES = "times.npy"
RARELY = {"schedule.sample_interval": 10**9, "schedule.evaluation_interval": 10**9}
TRAINED_IMAGES = 6400  # of the runs whose weights are compared


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
        same_weights: whether the watched run ended with the same bytes.
    """

    name: str
    ratios: list[float] = field(default_factory=list)
    pictures: int = 0
    seconds: float = 0.0
    renewed: int = 0
    tiles: int = 0
    step: float = 0.0
    same_weights: bool = False

    @property
    def interval(self) -> Interval:
        """The mean cost with its 95 % interval (Student's t over the pairs)."""
        return t_interval(self.ratios)

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.pictures / max(self.seconds, 1e-9)

    def __str__(self) -> str:
        cost = self.interval
        sweep = self.tiles * self.seconds / max(self.renewed, 1)
        return (
            f"{self.name}: {1000 * self.step:.1f} ms an update; {self.rate:.1f} pictures/s, each "
            f"tile drawn again after {sweep:.1f} s; watched costs {cost.value:+.1%} "
            f"[{cost.low:+.1%}, {cost.high:+.1%}] of {len(self.ratios)} pairs, median "
            f"{statistics.median(self.ratios):+.1%}; weights "
            f"{'the same' if self.same_weights else 'DIFFERENT'}"
        )


@dataclass(frozen=True)
class Block:
    """Some seconds in which the run was watched, or was not."""

    watched: bool
    begin: float
    end: float


def measure(
    recipe: Recipe, pairs: int, seconds: float, trained_images: int = TRAINED_IMAGES
) -> Cost:
    """Measure one recipe.

    Args:
        recipe: to train.
        pairs: of blocks.
        seconds: of a block.
        trained_images: of the two runs whose weights are compared.
    """
    cost = Cost(recipe.name)
    with tempfile.TemporaryDirectory() as name, studio(Path(name)) as (address, _):
        runs = Path(name)
        endless = override(recipe, {"schedule.epochs": 10_000, "schedule.images": None} | RARELY)
        with _training(runs / "speed", endless) as process:
            watcher = _Watcher(address, runs / "speed")
            blocks = asyncio.run(watcher.take_turns(pairs, seconds, cost))
            watcher.live.write_control(Control("stop"))
            process.wait(120)
        compare(cost, np.load(runs / "speed" / TIMES), blocks)
        bundles = []
        for watched in (False, True):
            run = runs / f"watched-{watched}"
            short = override(recipe, {"schedule.images": trained_images} | RARELY)
            with _training(run, short) as process:
                if watched:
                    asyncio.run(_Watcher(address, run).until_end(process))
                process.wait(600)
            bundles.append(RunPaths(run).bundle_path.read_bytes())
        cost.same_weights = bundles[0] == bundles[1]
    return cost


@contextmanager
def _training(run: Path, recipe: Recipe) -> Iterator[subprocess.Popen[bytes]]:
    """Train in a process of its own, which writes down when each update has ended."""
    run.mkdir()
    RunPaths(run).recipe_path.write_text(to_toml(recipe), encoding="utf-8")
    words = [sys.executable, "-m", "benchmarks.watched_training", str(run), str(run / TIMES)]
    process = subprocess.Popen(words)
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
    """

    def __init__(self, address: Address, run: Path) -> None:
        self.live = LiveFolder(run)
        self._address, self._name = address, run.name
        self._frames: list[tuple[float, int, int]] = []  # moment, tiles drawn again, tiles

    async def take_turns(self, pairs: int, seconds: float, cost: Cost) -> list[Block]:
        """Watch, look away, look away, watch ...; return the blocks."""
        while not self.live.process().get("images"):  # the first update may take half a minute
            await asyncio.sleep(0.2)
        await asyncio.sleep(WARM_UP_SECONDS)
        blocks = []
        for place in range(2 * pairs):
            watched = place % 4 in (0, 3)
            begin = time.monotonic()
            if watched:
                await self._watch(begin + seconds)
                self.live.watch_path.unlink(missing_ok=True)  # or it would count for 3 s more
            else:
                await asyncio.sleep(seconds)
            blocks.append(Block(watched, begin + SETTLE_SECONDS, time.monotonic()))
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

    async def _watch(self, end: float) -> None:
        pictures, kind = Pictures(self._address, self._name), ""
        try:
            async with (
                event_stream(self._address, self._name) as reader,
                asyncio.timeout(end - time.monotonic()),
            ):
                while line := (await reader.readline()).decode():
                    key, _, value = line.strip().partition(": ")
                    kind = value if key == "event" else kind
                    if key == "data" and kind == "frame" and json.loads(value)["frame"]:
                        frame = json.loads(value)["frame"]
                        if await pictures.fetch():
                            moment, tiles = time.monotonic(), len(frame["logits"])
                            self._frames.append((moment, frame["renewed"], tiles))
        except TimeoutError:
            pass
        finally:
            pictures.close()


def compare(cost: Cost, times: npt.NDArray[np.float64], blocks: Sequence[Block]) -> None:
    """Compare the speeds of blocks side by side."""
    ends = times[1:]
    durations = np.diff(times)

    def mean(block: Block) -> float:
        inside = (ends > block.begin) & (ends <= block.end)
        if not inside.any():
            raise RuntimeError("no update ended in a block: make the blocks longer")
        return float(durations[inside].mean())

    for one, other in zip(blocks[::2], blocks[1::2], strict=True):
        watched, alone = (one, other) if one.watched else (other, one)
        cost.ratios.append(mean(watched) / mean(alone) - 1)
    cost.step = statistics.median(mean(block) for block in blocks if not block.watched)


def main() -> None:
    """Measure from the command line; the exit code is 1 where watching has changed weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", default="flagship-quick,vanilla")
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3.0, help="of a block")
    arguments = parser.parse_args()
    costs = []
    for name in arguments.recipes.split(","):
        costs.append(measure(get_recipe(name), arguments.pairs, arguments.seconds))
        print(costs[-1], flush=True)
    sys.exit(not all(cost.same_weights for cost in costs))


if __name__ == "__main__":
    main()
