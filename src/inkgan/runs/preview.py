"""Small pictures of a run while somebody watches it, drawn in a small share of the time.

The averaged generator draws the same latents again and again, and the discriminator rates what it
has drawn. Both networks are only read, in evaluation mode and away from every random stream of
training, so a run that is watched ends with the same weights to the bit.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from inkgan import rng
from inkgan.config import Recipe
from inkgan.data.dataset import Dataset
from inkgan.generation.sampling import GRID_MOST_CLASSES, labels_from_seeds, latents_from_seeds
from inkgan.images import to_array, to_float, to_uint8
from inkgan.io.live_folder import LiveFolder
from inkgan.runs.frame_writer import FrameWriter
from inkgan.training.state import TrainState
from inkgan.types import Float64, UInt8

SHARE = 0.0172  # of the time, at most; to serve the pictures takes half as much again
INTERVAL = 0.21  # seconds between two pictures, where the share allows it
MORE_SHARE = 0.013  # of the time, at most, where a picture has more than one tile
CREDIT = 0.1  # seconds in advance: the first picture shows everything at once
LOOK_INTERVAL = 0.25  # seconds between two looks at whether somebody watches
REMEMBERED = 10.0  # seconds in which who looks away and back, or reloads, gets no second credit
ROWS, COLUMNS = 4, 10  # of tiles; as many columns as classes where these fit
RATING_INTERVAL = 11  # pictures for each rating, and no divisor of the tiles: each has its turn
REAL_IMAGES = 40  # that the discriminator's ratings are compared with
COUNTS = (1, 2, 5, 10, 20, 40)  # tiles at once: few sizes, as each is prepared when first met


class PreviewWriter:
    """Draws the fixed latents of a run for those who watch it.

    Args:
        live: where pictures go.
        recipe: of the run.
        real: real images to compare the discriminator's ratings with.
        state: of the run, which is only read.
        batch_size: images in a step.
    """

    def __init__(
        self, live: LiveFolder, recipe: Recipe, real: Dataset, state: TrainState, batch_size: int
    ) -> None:
        self._live, self._recipe, self._state = live, recipe, state
        self._frames = FrameWriter(live.write_frame)
        self._batch_size = batch_size
        self._latents, self._labels, self._columns = _fixed_latents(recipe)
        self._real = to_float(real.images[:REAL_IMAGES].cpu())
        self._real_labels = real.labels[:REAL_IMAGES].cpu()
        self._label_list = self._labels.tolist() if recipe.model.classes else None
        count = len(self._labels)
        shape = real.shape
        self._tiles = torch.zeros(count, *shape, dtype=torch.uint8)
        self._logits = np.full(count, np.nan)
        self._ratings: dict[str, object] = {}
        self._real_logits = np.full(len(self._real), np.nan)
        self._costs: dict[int, float] = {}
        self._next = self._next_real = self._number = 0
        self._device = state.averager.sums.device
        on_cpu = self._device.type == "cpu"
        # on a busy computer the time that others take is not the cost of drawing
        self._clock = time.thread_time if on_cpu else time.perf_counter
        self._began: float | None = None
        self._left: float | None = None
        self._spent = self._due = self._drawn_at = 0.0

    def after_update(self) -> None:
        """Draw some tiles if somebody watches and the time allows it."""
        now = time.perf_counter()
        if now < self._due:
            return
        if not self._live.is_watched():
            self._due = now + LOOK_INTERVAL
            self._left = self._clock() if self._left is None else self._left
            return
        if self._left is not None:
            self._go_on(self._clock() - self._left)
        if self._began is None:
            self._began, self._spent = self._clock(), -self._frames.spent
            self._draw(len(self._labels))
            return
        used = self._clock()
        spent = self._spent + self._frames.spent
        affordable = CREDIT + SHARE * (used - self._began) - spent
        now_affordable = min(affordable, SHARE * (used - self._drawn_at) + affordable / 8)
        most = self._count_within(now_affordable)
        count = max(min(most, 1), self._count_within(min(now_affordable, MORE_SHARE * INTERVAL)))
        if count:
            self._draw(count)

    def _go_on(self, away: float) -> None:
        """Count on after nobody has watched for a time, or begin again after a long one."""
        self._left = None
        if self._began is not None:
            self._began = self._began + away if away < REMEMBERED else None
            self._drawn_at += away

    def draw_all(self) -> None:
        """Draw every tile: for a paused run, which loses no time."""
        if self._live.is_watched():
            self._draw(len(self._labels))

    def close(self) -> None:
        """Write the last picture, and end."""
        self._frames.close()

    def _count_within(self, seconds: float) -> int:
        """Return how many tiles are drawn in this time; 0 where not even one is."""
        best, every = 0, len(self._labels)
        for count in COUNTS:
            likely = self._costs.get(count, self._costs[every] * count / every)
            if count < every and likely <= seconds:
                best = count
        return every if self._costs[every] <= seconds else best

    def _draw(self, count: int) -> None:
        started = self._clock()
        chosen = (torch.arange(count) + self._next) % len(self._labels)
        self._next = (self._next + count) % len(self._labels)
        self._number += 1
        with (
            _one_thread(self._device),
            torch.no_grad(),
            rng.scoped(self._recipe.seed, "preview", self._state.step, device=self._device),
        ):
            y = self._labels[chosen].to(self._device)
            drawn = self._state.ema(self._latents[chosen].to(self._device), y)
            if count == len(self._labels) or self._number % RATING_INTERVAL == 0:
                self._rate(chosen, drawn, y)
        self._tiles[chosen] = to_uint8(drawn).cpu()
        self._frames.put(self._picture(), self._document(renewed=count))
        self._drawn_at = self._clock()
        cost = self._drawn_at - started
        self._spent += cost
        self._costs[count] = min(cost, 0.5 * (self._costs.get(count, cost) + cost))
        now = time.perf_counter()
        self._due = max(self._due + INTERVAL, now)  # late after a long step, but as often

    def _rate(self, chosen: torch.Tensor, drawn: torch.Tensor, y: torch.Tensor) -> None:
        """Let the discriminator rate the tiles, and some of the real images."""
        beside = -(-len(chosen) // 2)
        real = (torch.arange(beside) + self._next_real) % len(self._real)
        self._next_real = (self._next_real + beside) % len(self._real)
        images = torch.cat([drawn, self._real[real].to(self._device)])
        labels = torch.cat([y, self._real_labels[real].to(self._device)])
        discriminator = self._state.discriminator
        with _evaluation_mode(discriminator):
            logits = discriminator.outputs(images, labels).logits.float().cpu().numpy()
        self._logits[chosen.numpy()] = logits[: len(chosen)]
        self._real_logits[real.numpy()] = logits[len(chosen) :]
        known = np.sort(self._real_logits[np.isfinite(self._real_logits)])
        self._ratings = {
            "logits": [round(value, 3) for value in self._logits.tolist()],
            "realism": _ranks(self._logits, known),
            "real_logit": round(float(known.mean()), 3) if len(known) else None,
        }

    def _picture(self) -> UInt8:
        """Lay the tiles side by side, without gaps."""
        tiles = to_array(self._tiles)
        height, width = tiles.shape[1:3]
        rows = len(tiles) // self._columns
        arranged = tiles.reshape(rows, self._columns, height, width, *tiles.shape[3:])
        return np.ascontiguousarray(np.swapaxes(arranged, 1, 2)).reshape(
            rows * height, self._columns * width, *tiles.shape[3:]
        )

    def _document(self, renewed: int) -> dict[str, object]:
        step = self._state.step
        height, width = self._tiles.shape[2:]
        return {
            "number": self._number,
            "step": step,
            "images": step * self._batch_size,
            "columns": self._columns,
            "tile": [width, height],
            "renewed": renewed,
            "labels": self._label_list,
            **self._ratings,
        }


def _ranks(logits: Float64, real: Float64) -> list[float | None]:
    """Return the share of real images that the discriminator finds less real than each image.

    Args:
        logits: of the images, NaN where one has not been rated.
        real: logits of real images, in ascending order.
    """
    if not len(real):
        return [None] * len(logits)
    below, up_to = (np.searchsorted(real, logits, side) for side in ("left", "right"))
    shares = (below + up_to) / (2 * len(real))
    return [
        round(share, 3) if math.isfinite(logit) else None
        for share, logit in zip(shares.tolist(), logits.tolist(), strict=True)
    ]


def _fixed_latents(recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return the latents, their labels, and the tiles in a row: one seed a row, a class a column.

    Without classes, or with many, each tile has a seed of its own.
    """
    model = recipe.model
    if 0 < model.classes <= GRID_MOST_CLASSES:
        seeds = [row for row in range(ROWS) for _ in range(model.classes)]
        labels = torch.arange(model.classes).repeat(ROWS)
        return latents_from_seeds(seeds, model.latent_dim), labels, model.classes
    numbers = range(ROWS * COLUMNS)
    labels = labels_from_seeds(numbers, model.classes)
    return latents_from_seeds(numbers, model.latent_dim), labels, COLUMNS


@contextmanager
def _one_thread(device: torch.device) -> Iterator[None]:
    """Compute on one thread inside the block: a few images are too little work for more."""
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Switch a network to evaluation inside the block, and each module back afterwards."""
    before = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
