"""The training step as one CUDA graph: recorded once, replayed with no launch costs.

Small networks keep a GPU waiting for the next launch; a graph launches all of a step at once.
`record` is the one seam to CUDA: everything else here runs, and is tested, on any device.
"""

from collections.abc import Callable
from functools import partial

import torch

from inkgan.config import Objective
from inkgan.data.batches import Batch
from inkgan.objective.losses import Loss
from inkgan.training.state import TrainState
from inkgan.training.step import train_step

WARM_UP = 3  # steps run one by one first, so that libraries have chosen and allocated
Recorded = tuple[Callable[[], None], torch.Tensor]  # what replays it, and where its result appears


def record(function: Callable[[], torch.Tensor]) -> Recorded:
    """Record what a function does on CUDA, without doing it."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = function()
    return graph.replay, result


class CapturedStep:
    """Trains step by step like `train_step`, from a recording once it is warm.

    A recording holds the addresses of all tensors and the learning rate. So inputs are copied to
    fixed places, and where a checkpoint has been restored the step is recorded anew.
    """

    def __init__(self, state: TrainState, loss: Loss, objective: Objective) -> None:
        self.state = state
        self._step = partial(train_step, state, loss, objective=objective)
        self._recorded: Recorded | None = None
        self._inputs: tuple[Batch, torch.Tensor] | None = None
        self._warmed, self._restorations = 0, state.restorations

    def __call__(self, real: Batch, latents: torch.Tensor) -> torch.Tensor:
        """Update both players; return the metrics, valid until the next call."""
        if self._restorations != self.state.restorations:
            self._recorded, self._warmed = None, 0
            self._restorations = self.state.restorations
        if self._warmed < WARM_UP:
            self._warmed += 1
            return self._step(real, latents)
        step = self.state.step
        if self._recorded is None or self._inputs is None:
            fixed = Batch(real.images.clone(), real.labels.clone()), latents.clone()
            self._inputs = fixed
            self._recorded = record(lambda: self._step(*fixed))
        held, held_latents = self._inputs
        held.images.copy_(real.images)
        held.labels.copy_(real.labels)
        held_latents.copy_(latents)
        replay, metrics = self._recorded
        replay()
        self.state.step = step + 1  # a recording repeats what the device did, not what Python did
        return metrics
