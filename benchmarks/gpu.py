"""How fast does a GPU train and draw? Milliseconds a step, images drawn a second, whole commands.

    python -m benchmarks.gpu --json gpu.json               # every MNIST recipe, some minutes
    python -m benchmarks.gpu --recipes mlp,dcgan --whole mlp,dcgan,flagship

Each recipe is trained step by step (plain) and as recorded graphs (captured), as `inkgan train`
does it: latents, batches, augmentation, the averaged generator and the metrics included. With
`--whole` commands are timed to their end in processes of their own, start included. On a CPU,
where nothing is captured, the same script runs, so that it can be tried before there is a GPU.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.data.batches import batches_for
from inkgan.data.dataset import load_dataset
from inkgan.device import choose_device, describe
from inkgan.evaluation.benchmark_plan import mnist_recipes
from inkgan.models.build import build_generator
from inkgan.training.loop import train
from inkgan.training.state import new_state

WARM = 24  # steps before the first is timed: each kind of step has been recorded by then
CHUNKS = (64, 1024, 8192)  # images drawn at once: the fastest counts
WHOLE = {"flagship": ("--images", "2000000")}  # what else a whole command is given


def milliseconds(recipe: Recipe, device: torch.device, steps: int, capture: bool) -> float:
    """Return the mean time of a step of both players in milliseconds."""
    dataset = load_dataset(recipe.data)
    batches = batches_for(recipe, dataset.to(device))
    state = new_state(recipe, dataset.shape, device)
    updates = train(recipe, batches, state, capture)
    for _ in range(WARM):
        next(updates)
    synchronize(device)
    began = time.perf_counter()
    for _ in range(steps):
        next(updates)
    synchronize(device)
    return 1000 * (time.perf_counter() - began) / steps


@torch.no_grad()
def images_a_second(recipe: Recipe, device: torch.device, seconds: float) -> float:
    """Return how many images the generator alone draws a second, in the fastest chunks."""
    dataset = load_dataset(recipe.data)
    network = build_generator(recipe.model, dataset.shape, 0).to(device).eval()
    best = 0.0
    for chunk in CHUNKS:
        latents = torch.randn(chunk, recipe.model.latent_dim, device=device)
        labels = torch.arange(chunk, device=device) % 10 if recipe.model.classes else None
        for _ in range(3):
            network(latents, labels)
        synchronize(device)
        began, drawn = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            network(latents, labels)
            synchronize(device)
            drawn += chunk
        best = max(best, drawn / (time.perf_counter() - began))
    return best


def whole_command(name: str, device: torch.device) -> float:
    """Return the seconds of `inkgan train NAME`, from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out, extra = str(Path(folder) / "run"), WHOLE.get(name, ())
        command = ["inkgan", "train", name, "--device", device.type, "--out", out, *extra]
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", *command], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


def synchronize(device: torch.device) -> None:
    """Wait for a GPU, which works behind the program's back."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure(recipe: Recipe, device: torch.device, steps: int, seconds: float) -> dict[str, Any]:
    """Measure one recipe."""
    captured = None
    if device.type == "cuda":
        captured = milliseconds(recipe, device, steps, capture=True)
    return {
        "recipe": recipe.name,
        "batch_size": recipe.schedule.batch_size,
        "plain_ms": milliseconds(recipe, device, steps, capture=False),
        "captured_ms": captured,
        "drawn_a_second": images_a_second(recipe, device, seconds),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", default=",".join(mnist_recipes()))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=1.0, help="of drawing, for each chunk")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--whole", default="", help="recipes whose commands are timed to the end")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    device = choose_device(given.device)
    result: dict[str, Any] = {"device": describe(device), "torch": torch.__version__}
    result |= {"recipes": [], "commands": {}}
    print(f"{result['device']}, torch {torch.__version__}")
    print("| recipe | batch | plain, ms | captured, ms | images drawn a second |")
    print("|---|--:|--:|--:|--:|")
    for name in given.recipes.split(","):
        changes = {"data.name": given.data, "schedule.images": None, "schedule.epochs": 1000}
        row = measure(override(get_recipe(name), changes), device, given.steps, given.seconds)
        result["recipes"].append(row)
        captured = "-" if row["captured_ms"] is None else f"{row['captured_ms']:.3f}"
        print(
            f"| {name} | {row['batch_size']} | {row['plain_ms']:.3f} | {captured} | "
            f"{row['drawn_a_second']:,.0f} |",
            flush=True,
        )
    for name in filter(None, given.whole.split(",")):
        result["commands"][name] = seconds = whole_command(name, device)
        print(f"inkgan train {' '.join([name, *WHOLE.get(name, ())])}: {seconds:.1f} s", flush=True)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
