"""Time how fast a generator draws: its network, whole images, the classifier, and a data set.

python -m benchmarks.drawing [--generator flagship] [--rounds 5] [--seconds 2] [--json FILE]

The parts take turns within a round, so that what slows the machine slows all of them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

import inkgan
from benchmarks.ceiling import gemm_gflops
from benchmarks.machine import describe_machine
from inkgan import device
from inkgan.config.recipe import Precision
from inkgan.generation.sampling import CHUNK
from inkgan.metrics.features.extractors import classify
from inkgan.models.torch_internals import flop_formulas
from inkgan.types import UInt8

CLASSIFIED = 2000
PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")
Part = Callable[[], int]  # draws or reads some images; returns how many


def parts(name: str) -> dict[str, Part]:
    """Return what is timed without a file being written."""
    pixels = inkgan.load(name).sample(seeds=range(CLASSIFIED))
    timed: dict[str, Part] = {}
    for precision in PRECISIONS:
        generator = inkgan.load(name, precision=precision)
        timed[f"network, {precision}"] = _network(generator)
        timed[f"sample, {precision}"] = _sample(generator)
        timed[f"classify, {precision}"] = _classify(pixels, precision)
    return timed


def _inputs(generator: inkgan.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    latents = torch.from_numpy(generator.latents(range(CHUNK)))
    return latents, torch.arange(CHUNK) % max(1, generator.bundle.recipe.model.classes)


def _network(generator: inkgan.Generator) -> Part:
    latents, labels = _inputs(generator)
    halved = generator.precision == "bfloat16"

    def draw() -> int:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=halved):
            generator.forward(latents, labels)
        return CHUNK

    return draw


def _sample(generator: inkgan.Generator) -> Part:
    return lambda: len(generator.sample(seeds=range(20 * CHUNK)))


def _classify(pixels: UInt8, precision: Precision) -> Part:
    return lambda: len(classify(pixels, precision=precision).predicted)


def rate(part: Part, seconds: float) -> float:
    """Return images/s of a part that is repeated for about `seconds`."""
    count, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds or not count:
        count += part()
    return count / passed


def flops(generator: inkgan.Generator) -> int:
    """Count the operations of one image: products and convolutions, an addition counts too."""
    latents, labels = _inputs(generator)
    formulas = flop_formulas()
    with torch.no_grad(), FlopCounterMode(display=False, custom_mapping=formulas) as counter:
        generator.forward(latents, labels)
    return int(counter.get_total_flops()) // CHUNK


def synth_seconds(name: str, per_class: int, precision: Precision) -> float:
    """Return the seconds that `inkgan synth --plain` takes from the shell."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "inkgan", "synth", str(Path(folder) / "set")]
        command += ["--from", name, "--per-class", str(per_class), "--plain"]
        began = time.perf_counter()
        subprocess.run([*command, "--precision", precision], check=True, capture_output=True)
        return time.perf_counter() - began


def summarize(rounds: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """Return the median of each part's rounds, with the lowest and the highest."""
    return {
        part: {"median": statistics.median(values), "min": min(values), "max": max(values)}
        for part, values in rounds.items()
    }


def main() -> None:
    """Print images/s of each part, and the network's share of the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generator", default="flagship")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--per-class", type=int, default=5000, help="of synth; 0 leaves it out")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    ceiling = gemm_gflops(torch.get_num_threads())
    rounds: dict[str, list[float]] = {}
    with device.compute_settings(keep_memory=True):
        timed = parts(arguments.generator)
        for part in timed.values():
            part()  # packs weights, wakes threads
        for _ in range(arguments.rounds):
            for what, part in timed.items():
                rounds.setdefault(what, []).append(rate(part, arguments.seconds))
    if arguments.per_class:
        for _ in range(arguments.rounds):
            for precision in PRECISIONS:
                took = synth_seconds(arguments.generator, arguments.per_class, precision)
                images = 10 * arguments.per_class
                rounds.setdefault(f"synth, {precision}", []).append(images / took)
    found = summarize(rounds)
    for what, values in found.items():
        spread = f"{values['min']:,.0f} to {values['max']:,.0f}"
        print(f"{what:24} {values['median']:10,.0f} images/s  ({spread})")
    network = flops(inkgan.load(arguments.generator)) * found["network, float32"]["median"] / 1e9
    share = network / ceiling
    print(f"network, float32: {network:.0f} GFLOP/s, {share:.0%} of {ceiling:.0f} GFLOP/s (GEMM)")
    if arguments.json:
        machine = describe_machine("")
        result = {"images_per_second": found, "gflops": network, "gemm": ceiling}
        arguments.json.write_text(json.dumps({"machine": machine} | result, indent=1))


if __name__ == "__main__":
    main()
