"""Does an objective find every mode? Two mixtures of Gaussians in the plane, learnt in seconds.

The ring of 8 (Metz et al. 2017, section 3.1) and the grid of 25 (Srivastava et al. 2017, section
4.1) with their papers' spreads, shrunk to what the generator's tanh can reach. A point is an image
of two channels and one pixel, and the engine's own loop trains two small fully connected networks.

Run it with: python -m benchmarks.mixtures --help
"""

import argparse
import math
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from inkgan import rng
from inkgan.config import (
    Augment,
    MlpDiscriminatorConfig,
    MlpGeneratorConfig,
    Model,
    Optim,
    Recipe,
    Schedule,
)
from inkgan.config.serialize import override
from inkgan.data.batches import Batch, Batches
from inkgan.data.dataset import Dataset
from inkgan.device import compute_settings
from inkgan.errors import ConfigError, InkganError, did_you_mean
from inkgan.files import write_json
from inkgan.training.loop import train
from inkgan.training.state import TrainState, new_state

SAMPLES = 10_000
NEAR = 3  # standard deviations; 98.9 % of a Gaussian in the plane lie within
REACH = 0.8  # where the outermost centres lie, of tanh's 1


class Score(NamedTuple):
    """How many modes have a sample near them, and which share of the samples lies near one."""

    modes: int
    high_quality: float


@dataclass(frozen=True)
class Mixture:
    """Equally likely round Gaussians with their centres (m, 2) and one standard deviation."""

    name: str
    centres: torch.Tensor
    spread: float

    def draw(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw points (n, 2) and the modes (n,) that they belong to."""
        modes = torch.randint(len(self.centres), (count,), generator=generator)
        noise = torch.randn(count, 2, generator=generator)
        return self.centres[modes] + self.spread * noise, modes

    def score(self, points: torch.Tensor) -> Score:
        """Score points (n, 2); near is within 3 standard deviations (Srivastava et al. 2017)."""
        distances, nearest = torch.cdist(points, self.centres).min(dim=1)
        near = distances <= NEAR * self.spread
        return Score(len(nearest[near].unique()), float(near.float().mean()))


def ring() -> Mixture:
    """Place 8 centres on a circle; radius 2 and standard deviation 0.02 in the paper."""
    angles = torch.arange(8) * (math.pi / 4)
    return Mixture("ring", REACH * torch.stack([angles.cos(), angles.sin()], dim=1), REACH / 100)


def grid() -> Mixture:
    """Place 5 x 5 centres; from -4 to 4 with standard deviation 0.05 in the paper."""
    places = torch.linspace(-REACH, REACH, 5)
    return Mixture("grid", torch.cartesian_prod(places, places), REACH / 80)


MIXTURES = {"ring": (ring(), 1000), "grid": (grid(), 2000)}  # with the steps that they are given

BASE = Recipe(
    name="mixtures",
    model=Model(
        latent_dim=2,
        generator=MlpGeneratorConfig(widths=(64, 64)),
        discriminator=MlpDiscriminatorConfig(widths=(64, 64, 64), negative_slope=0.0),
    ),
    optim=Optim(lr=4e-3, d_lr=2e-3, final_factor=0.0, beta1=0.0, beta2=0.9),
    schedule=Schedule(batch_size=256, ema_half_life=5000),
)
# Penalties are weaker than for images: in the plane distances are short, so slopes are steep.
SETUPS: dict[str, tuple[str, ...]] = {
    "non-saturating + R1": ("objective.penalties.r1=0.01",),
    "relativistic + R1 + R2": (
        "objective.loss=relativistic",
        "objective.penalties.r1=0.01",
        "objective.penalties.r2=0.01",
    ),
    "hinge + spectral": (
        "objective.loss=hinge",
        "model.discriminator.spectral_norm=true",
        "optim.lr=1e-3",
        "optim.d_lr=1e-3",
    ),
    "wasserstein + gradient": (
        "objective.loss=wasserstein",
        "objective.penalties.wgan_gp=0.1",
        "schedule.d_steps=2",
        "optim.d_lr=4e-3",
    ),
    "non-saturating alone": (),
    # what is known to fail
    "minimax, too fast": ("objective.loss=minimax", "optim.lr=2e-2", "optim.beta1=0.9"),
    "wasserstein, clip 0.001": ("objective.loss=wasserstein", "objective.weight_clip=0.001"),
}


class Points(Batches):
    """Endless batches of fresh points, each a step's own, as images (n, 2, 1, 1)."""

    def __init__(self, mixture: Mixture, batch_size: int, seed: int) -> None:
        count = len(mixture.centres)
        nothing = torch.zeros(batch_size, 2, 1, 1, dtype=torch.uint8)
        names = tuple(f"mode {index}" for index in range(count))
        stand_in = Dataset(mixture.name, nothing, torch.zeros(batch_size, dtype=torch.int64), names)
        super().__init__(stand_in, batch_size, seed, Augment())
        self.mixture = mixture

    def at(self, step: int) -> Batch:
        """Return the batch of a step."""
        generator = rng.generator(self.seed, "mixture", step)
        points, modes = self.mixture.draw(self.batch_size, generator)
        return super().at(step)._replace(images=points[:, :, None, None], labels=modes)


class Result(NamedTuple):
    """What one run reached, and the processor time in seconds that it took."""

    score: Score
    seconds: float


def learn(mixture: Mixture, changes: Sequence[str], steps: int, seed: int = 0) -> Result:
    """Train on a mixture by the engine's loop, and score the averaged generator's samples."""
    recipe = override(BASE, [*changes, f"schedule.epochs={steps}", f"seed={seed}"])
    points = Points(mixture, recipe.schedule.images_per_step, recipe.seed)
    state = new_state(recipe, points.dataset.shape, torch.device("cpu"))
    began = time.process_time()
    for _ in train(recipe, points, state):
        pass
    return Result(mixture.score(samples(state, recipe)), time.process_time() - began)


@torch.no_grad()
def samples(state: TrainState, recipe: Recipe) -> torch.Tensor:
    """Draw points (SAMPLES, 2) from the averaged generator."""
    generator = rng.generator(recipe.seed, "samples")
    latents = torch.randn(SAMPLES, recipe.model.latent_dim, generator=generator)
    points: torch.Tensor = state.ema(latents, None).flatten(1)
    return points


def evenly_spread(mixture: Mixture) -> Score:
    """Score points that know nothing but the square in which the centres lie."""
    points = torch.rand(SAMPLES, 2, generator=rng.generator(0, "even")) * 2 - 1
    return mixture.score(points * REACH)


def run_all(names: Sequence[str], seeds: int) -> list[dict[str, Any]]:
    """Train every set-up on both mixtures under several seeds; return one row each."""
    jobs = [(name, key) for name in names for key in MIXTURES]
    rows = []
    for name, key in track(jobs, "mixtures", console=Console(stderr=True)):
        mixture, steps = MIXTURES[key]
        results = [learn(mixture, SETUPS[name], steps, seed) for seed in range(seeds)]
        rows.append(
            {
                "setup": name,
                "mixture": key,
                "of": len(mixture.centres),
                "modes": [result.score.modes for result in results],
                "high_quality": [result.score.high_quality for result in results],
                "seconds": [result.seconds for result in results],
            }
        )
    return rows


def show(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """Print the table that a person reads: the fewest modes, and means."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("set-up")
    for heading in ("mixture", "modes", "high quality", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["setup"],
            row["mixture"],
            f"{min(row['modes'])} of {row['of']}",
            f"{statistics.mean(row['high_quality']):.1%}",
            f"{statistics.mean(row['seconds']):.1f}",
        )
    for key, (mixture, _) in MIXTURES.items():
        score = evenly_spread(mixture)
        table.add_row(
            "evenly spread points",
            key,
            f"{score.modes} of {len(mixture.centres)}",
            f"{score.high_quality:.1%}",
            "-",
        )
    console.print(table)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mixtures",
        description="Count the modes that each objective finds.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--only", help=f"some of these, with semicolons: {'; '.join(SETUPS)}")
    add("--seeds", type=int, choices=range(1, 101), metavar="N", default=3, help="runs of each")
    add("--json", type=Path, help="write everything into this file")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, or 2 for a user's error."""
    options = _parse(arguments)
    names = [name.strip() for name in options.only.split(";")] if options.only else list(SETUPS)
    try:
        for name in names:
            if name not in SETUPS:
                raise ConfigError(f"--only: no set-up {name!r}{did_you_mean(name, SETUPS)}")
        with compute_settings(threads=1):  # a second thread only waits: the networks are tiny
            rows = run_all(names, options.seeds)
        if options.json is not None:
            write_json(options.json, {"rows": rows})
    except InkganError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    show(rows, Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
