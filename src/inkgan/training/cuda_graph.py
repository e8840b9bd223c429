"""The training step as one CUDA graph: recorded once, replayed with no launch costs.

Small networks keep a GPU waiting for the next launch; a graph launches all of a step at once.
`record` is the one seam to CUDA: everything else here runs, and is tested, on any device.
"""

from collections.abc import Callable

import torch

from inkgan.config import Recipe
from inkgan.data.batches import Batch
from inkgan.training.state import TrainState
from inkgan.training.step import train_step

WARM_UP = 3  # steps run one by one first, so that libraries have chosen and allocated
Recorded = tuple[Callable[[], None], torch.Tensor]  # what replays it, and where its result appears


def record(function: Callable[[], torch.Tensor], several: bool = False) -> Recorded:
    """Record what a function does on CUDA, without doing it.

    Args:
        function: what is to be replayed.
        several: whether it exchanges tensors with other processes. NCCL's own threads ask for
            the state of earlier exchanges meanwhile, which a recording in torch's default mode
            does not survive.
    """
    graph = torch.cuda.CUDAGraph()
    mode = "thread_local" if several else "global"
    with torch.cuda.graph(graph, capture_error_mode=mode):
        result = function()
    return graph.replay, result


class CapturedStep:
    """Trains step by step like `train_step`, from recordings once it is warm.

    A recording holds the addresses of all tensors. So inputs and the penalties' factor are copied
    to fixed places, learning rates are tensors (see TrainState), and where a checkpoint has been
    restored the step is recorded again. Steps with and without penalties, and with and without
    the sampled metrics, are recordings of their own.
    """

    def __init__(self, state: TrainState, recipe: Recipe) -> None:
        self.state, self.recipe = state, recipe
        self._recorded: dict[tuple[bool, bool], Recorded] = {}
        self._inputs: tuple[Batch, torch.Tensor, torch.Tensor] | None = None
        self._warmed, self._restorations = 0, state.restorations

    def __call__(
        self,
        real: Batch,
        latents: torch.Tensor,
        penalty_scale: float | None = 1.0,
        sampled: bool = True,
    ) -> torch.Tensor:
        """Update both players; return the metrics, valid until the next call."""
        if self._restorations != self.state.restorations:
            self._recorded, self._warmed = {}, 0
            self._restorations = self.state.restorations
        if self._warmed < WARM_UP:
            self._warmed += 1
            return train_step(self.state, self.recipe, real, latents, penalty_scale, sampled)
        step, kind = self.state.step, (penalty_scale is not None, sampled)
        fixed_batch, fixed_latents, scale = self._copy_inputs(real, latents, penalty_scale)
        if kind not in self._recorded:
            inputs = fixed_batch, fixed_latents, None if penalty_scale is None else scale
            self._recorded[kind] = record(
                lambda: train_step(self.state, self.recipe, *inputs, sampled),
                several=self.state.world.size > 1,
            )
        replay, metrics = self._recorded[kind]
        replay()
        self.state.step = step + 1  # a recording repeats what the device did, not what Python did
        return metrics

    def _copy_inputs(
        self, real: Batch, latents: torch.Tensor, penalty_scale: float | None
    ) -> tuple[Batch, torch.Tensor, torch.Tensor]:
        """Copy the inputs to where the recordings read them."""
        if self._inputs is None:
            fixed = Batch(*(part.clone() for part in real))
            self._inputs = fixed, latents.clone(), latents.new_ones(())
        fixed_batch, fixed_latents, scale = self._inputs
        for place, part in zip(fixed_batch, real, strict=True):
            place.copy_(part)
        fixed_latents.copy_(latents)
        scale.fill_(1.0 if penalty_scale is None else penalty_scale)
        return self._inputs
