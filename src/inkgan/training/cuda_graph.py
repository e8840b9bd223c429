"""The training step as one CUDA graph: recorded once, replayed with no launch costs.

Small networks keep a GPU waiting for the next launch; a graph launches all of a step at once. What
a step reads lies on the GPU for many steps: batches, latents, learning rates and the other factors
that change. The recording itself goes from one step to the next, so the host only counts.
`record` is the one seam to CUDA: everything else here runs, and is tested, on any device.
"""

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from inkgan import rng
from inkgan.config import Recipe
from inkgan.data.batches import Batch, Batches
from inkgan.errors import ConfigError
from inkgan.training.factors import Factors, factors_at, paired_share_at
from inkgan.training.latents import Latents
from inkgan.training.state import EmaUpdate, TrainState
from inkgan.training.step import train_step

WARM_UP = 3  # steps run one by one first, so that libraries have chosen and allocated
STEPS_AT_ONCE, BYTES_AT_ONCE = 64, 1 << 26  # whose inputs lie on the GPU: the lower of the two
Replay = Callable[[int], None]  # does a step; takes the seed of what torch draws in it


def record(function: Callable[[], None], device: torch.device, pool: Any) -> Replay:
    """Record what a function does on CUDA, without doing it.

    What torch's global generator draws in it comes from a state of this recording alone, so that
    several runs can train in threads of one process.

    Args:
        function: what is to be replayed.
        device: of all its tensors.
        pool: of the memory that recordings share which are never replayed at the same time.
    """
    graph = torch.cuda.CUDAGraph()
    current, stream = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    with rng.global_generators(), torch.cuda.stream(stream):
        drawing = torch.cuda.default_generators[current.device.index]
        before, own = drawing.graphsafe_get_state(), drawing.clone_state()
        drawing.graphsafe_set_state(own)
        stream.wait_stream(current)
        # other threads go on: those of other runs, and NCCL's, which asks for earlier exchanges
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            function()
        except BaseException:
            with contextlib.suppress(RuntimeError):
                graph.capture_end()
            raise
        finally:
            drawing.graphsafe_set_state(before)
        graph.capture_end()
    current.wait_stream(stream)

    def replay(seed: int) -> None:
        own.manual_seed(seed)
        graph.replay()

    return replay


class Inputs(NamedTuple):
    """What several steps read, in tensors with an axis of steps in front.

    Attributes:
        batch: the training images.
        latents: of both players.
        factors: float32 (steps, 4), each step's `Factors.numbers`.
    """

    batch: Batch
    latents: torch.Tensor
    factors: torch.Tensor

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All of them."""
        return [*self.batch, self.latents, self.factors]


class CapturedSteps:
    """Does steps as the plain loop does, from recordings once it is warm.

    A recording holds the addresses of all tensors. So the inputs of many steps are copied to fixed
    places, from which it takes those of its step by a counter, learning rates are tensors (see
    TrainState), and where a checkpoint has been restored the step is recorded again. Steps with
    and without penalties, and with and without the sampled metrics, are recordings of their own.

    Args:
        recipe: what is trained.
        batches: of the training images.
        state: changed in place.
        latents: of the recipe.
        update_ema: of the state's average.
        last: the number of steps of the whole run.
        plain: does the next step without a recording.
    """

    def __init__(
        self,
        recipe: Recipe,
        batches: Batches,
        state: TrainState,
        latents: Latents,
        update_ema: EmaUpdate,
        last: int,
        plain: Callable[[], None],
    ) -> None:
        self.recipe, self.batches, self.state, self.latents = recipe, batches, state, latents
        self.update_ema, self.last, self.plain = update_ema, last, plain
        self.device = batches.dataset.images.device
        self.pool = self._new_pool()
        self.at_once = self._steps_at_once()
        self.place = torch.zeros(1, dtype=torch.int64, device=self.device)  # in the inputs
        self.inputs: Inputs | None = None
        self._recorded: dict[tuple[bool, bool], Replay] = {}
        self._warmed = 0
        self._first = self._next = -1  # steps: of the inputs, and that `place` counts to
        self._penalized: list[bool] = []  # which of these steps are
        self._restorations = state.restorations

    def __call__(self) -> None:
        """Do the next step of both players.

        Raises:
            ConfigError: the step cannot be recorded, as that of a network which asks the host.
        """
        state, index = self.state, self.state.step
        if self._restorations != state.restorations:
            self._forget()
        if self._warmed < WARM_UP:
            self._warmed += 1
            self.plain()
            return
        if index != self._next or index >= self._first + self.at_once:
            self._fill(index)
        sampled, count = state.averager.samples_next, state.averager.count
        penalized = self._penalized[index - self._first]
        kind = penalized, sampled
        if kind not in self._recorded:
            self._recorded[kind] = self._record(penalized, sampled)
        self._recorded[kind](rng.seed_for(self.recipe.seed, "dropout", index))
        # a recording repeats what the device did, not what Python did
        state.step = self._next = index + 1
        state.averager.count = count + 1

    def _forget(self) -> None:
        """Begin again: tensors of the state may lie elsewhere."""
        self._recorded.clear()
        self.pool = self._new_pool()  # that of recordings which are gone cannot be used again
        self._warmed, self._restorations = 0, self.state.restorations
        self._first = self._next = -1

    def _record(self, penalized: bool, sampled: bool) -> Replay:
        try:
            return record(lambda: self._step(penalized, sampled), self.device, self.pool)
        except RuntimeError as error:
            reason = str(error).partition("\n")[0]
            raise ConfigError(
                f"a step of this recipe cannot be recorded as a CUDA graph ({reason}); train it "
                "without: `capture=False`"
            ) from error

    def _fill(self, first: int) -> None:
        """Put the inputs of the next steps where the recordings read them."""
        steps = range(first, first + self.at_once)
        factors = [factors_at(self.recipe, self.state, step, self.last) for step in steps]
        batch = self.batches.block(first, self.at_once)
        latents = self.latents.block(first, self.at_once)
        shares = [paired_share_at(self.recipe, step, self.last) for step in steps]
        if any(shares):
            each = zip(latents, batch.coordinates, shares, strict=True)
            latents = torch.stack([self.latents.paired(*of_step) for of_step in each])
        found = Inputs(
            batch,
            latents,
            torch.tensor([each.numbers for each in factors], device=self.device),
        )
        self._penalized = [each.penalty_scale is not None for each in factors]
        if self.inputs is None:
            self.inputs = found
        else:
            for place, part in zip(self.inputs.tensors, found.tensors, strict=True):
                place.copy_(part)
        self.place.zero_()
        self._first = self._next = first

    def _step(self, penalized: bool, sampled: bool) -> None:
        """Do the step whose inputs `place` counts to: all that a recording repeats."""
        assert self.inputs is not None
        *real, latents, numbers = (t.index_select(0, self.place)[0] for t in self.inputs.tensors)
        factors, state = Factors.of_numbers(numbers, penalized), self.state
        state.set_learning_rates(factors.learning_rates)
        with rng.batch_part(state.world.part):
            batch, scale = Batch(*real), factors.penalty_scale
            metrics = train_step(state, self.recipe, batch, latents, scale, sampled)
        state.averager.update(metrics)
        self.update_ema(factors.ema_weight)
        self.place += 1

    def _new_pool(self) -> Any:
        return torch.cuda.graph_pool_handle() if self.device.type == "cuda" else None

    def _steps_at_once(self) -> int:
        image = self.batches.dataset.images[0].numel() * torch.float32.itemsize
        step = image * self.batches.batch_size // self.state.world.size
        return max(1, min(STEPS_AT_ONCE, BYTES_AT_ONCE // step))
