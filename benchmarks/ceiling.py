"""What the machine can do at best, and what a training step asks of it.

The ceilings are measured, not looked up: the same processor gives other numbers under another
library, on another virtual machine, beside another process.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from inkgan import rng
from inkgan.config import Recipe
from inkgan.data.batches import Batch
from inkgan.images import Shape
from inkgan.models.torch_internals import flop_formulas
from inkgan.training.state import new_state
from inkgan.training.step import num_latent_batches, train_step

GEMM_SIDE = 1536  # 7 GFLOP a product: long enough to hide its start, short enough to repeat
TRIAD_FLOATS = 16 * 2**20  # three arrays of 64 MiB, beyond the cache of common processors
MIN_REPEATS = 3


def gemm_gflops(threads: int, seconds: float = 1.0, side: int = GEMM_SIDE) -> float:
    """Return GFLOP/s of the best of several float32 matrix products with `threads` threads.

    The best, not the mean: other processes can only take away from what the machine can do. And
    the better of two libraries: `torch.mm` asks the BLAS, which on a processor of another maker may
    run at half of what oneDNN reaches, the library behind the convolutions.
    """
    left, right = torch.ones(side, side), torch.ones(side, side)
    routes: list[Callable[[], object]] = [lambda: torch.mm(left, right)]
    if torch.backends.mkldnn.is_available():
        packed, weight = left.to_mkldnn(), right.to_mkldnn()
        routes.append(lambda: F.linear(packed, weight))
    with _threads(threads), torch.no_grad():
        best = min(_best_seconds(route, seconds / len(routes)) for route in routes)
    return 2 * side**3 / best / 1e9


def memory_bandwidth(
    threads: int | None = None, seconds: float = 0.5, floats: int = TRIAD_FLOATS
) -> float:
    """Return GB/s of the best STREAM triad a = b + s * c, three arrays counted once each.

    `threads` None uses the threads that torch now has.
    """
    b, c, a = torch.ones(floats), torch.ones(floats), torch.zeros(floats)
    with _threads(threads or torch.get_num_threads()):
        best = _best_seconds(lambda: torch.add(b, c, alpha=3.0, out=a), seconds)
    return 3 * 4 * floats / best / 1e9


def step_flops(recipe: Recipe, shape: Shape) -> int:
    """Count the floating-point operations of one of the engine's steps at the recipe's batch.

    Only products count (linear layers and convolutions, both directions; a multiplication and
    its addition are two): they are nearly all the work, and what the GEMM ceiling measures.
    """
    state = new_state(recipe, shape, torch.device("cpu"))
    count = recipe.schedule.batch_size
    noise = rng.generator(recipe.seed, "flops")
    images = torch.rand(count, *shape, generator=noise) * 2 - 1
    shape_of_latents = (num_latent_batches(recipe), count, recipe.model.latent_dim)
    latents = torch.randn(shape_of_latents, generator=noise)
    real = Batch(images, torch.zeros(count, dtype=torch.int64), torch.zeros(count, 0))
    with FlopCounterMode(display=False, custom_mapping=flop_formulas()) as counter:
        train_step(state, recipe, real, latents)
    return int(counter.get_total_flops())


def _best_seconds(work: Callable[[], object], seconds: float) -> float:
    work()  # allocates, packs, wakes the threads
    times: list[float] = []
    while len(times) < MIN_REPEATS or sum(times) < seconds:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
