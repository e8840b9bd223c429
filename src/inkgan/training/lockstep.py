"""One process decides, all train: rank 0 announces each step to the others.

Only rank 0 reads the clock and the run folder, examines metrics, draws samples and writes. The
other processes follow its commands, so that all do the same steps: a stop, a rollback or a pause
happens to all of them between the same two steps.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

import torch
from safetensors.torch import load, save

from inkgan.config import Recipe
from inkgan.data.batches import Batches
from inkgan.errors import TrainingStopped
from inkgan.training.distributed import ProcessGroupWorld
from inkgan.training.loop import Update, train
from inkgan.training.state import TrainState

ENDS = ("complete", "time is up", "interrupted", "stopped")


class Command(IntEnum):
    """What rank 0 tells the others to do."""

    WAIT = 0
    STEP = 1
    TAKE_STATE = 2
    END = 3


class Lockstep:
    """Keeps the processes of a run at the same step; with one process it does nothing.

    Args:
        state: of this process, which knows the others.
    """

    def __init__(self, state: TrainState) -> None:
        self._state = state
        self._world = state.world if isinstance(state.world, ProcessGroupWorld) else None
        self.is_stop_requested = self._has_ended = False

    def steps(self, updates: Iterator[Update]) -> Iterator[Update]:
        """Yield the updates of the training loop, each announced to the others before."""
        if self._world is None:
            yield from updates
            return
        while True:
            self.announce(Command.STEP)
            update = next(updates, None)
            if update is None:
                return
            yield update

    def announce(self, command: Command, argument: int = 0) -> None:
        """Give the others a command, and learn whether one of them is asked to stop."""
        if self._world is not None:
            self._exchange(command, argument, False)

    def share_state(self) -> None:
        """Give the others the state of this process."""
        if self._world is None:
            return
        self.announce(Command.TAKE_STATE)
        tensors = {name: t.cpu().contiguous() for name, t in self._state.tensors().items()}
        self._world.send(save(tensors))
        self._world.send(json.dumps(self._state.counters()).encode())

    @contextmanager
    def ended(self) -> Iterator[None]:
        """Let the others end, too, if the block ends early and on purpose."""
        try:
            yield
        except TrainingStopped:
            self.end("stopped")
            raise
        except GeneratorExit:  # the caller stops iterating
            self.end("interrupted")
            raise

    def end(self, how: str) -> None:
        """Let the others end, for one of the reasons in ENDS; once."""
        if self._has_ended:
            return
        self._has_ended = True
        self.announce(Command.END, ENDS.index(how))

    def follow(
        self,
        recipe: Recipe,
        batches: Batches,
        capture: bool,
        should_stop: Callable[[], bool],
    ) -> str:
        """Do what rank 0 says until the run ends; return why it does, one of ENDS.

        Args:
            recipe: what is trained.
            batches: this process's parts of the batches.
            capture: on a CUDA device, replay the step as one graph.
            should_stop: true makes rank 0 save everything and end the run for now.
        """
        updates = train(recipe, batches, self._state, capture)
        while True:
            command, argument = self._exchange(Command.WAIT, 0, should_stop())
            if command == Command.STEP:
                next(updates, None)
            elif command == Command.TAKE_STATE:
                self._take_state()
                # a loop that has come to its end does not begin again
                updates = train(recipe, batches, self._state, capture)
            elif command == Command.END:
                return ENDS[argument]

    def _take_state(self) -> None:
        assert self._world is not None
        tensors, counters = load(self._world.receive()), json.loads(self._world.receive())
        self._state.restore(tensors, counters)

    def _exchange(self, command: Command, argument: int, stop: bool) -> tuple[Command, int]:
        """Send and receive a command and the wishes to stop; return those of rank 0."""
        assert self._world is not None
        mine = torch.tensor([command, argument, stop])
        received = [tuple(values.tolist()) for values in self._world.collect(mine)]
        self.is_stop_requested = any(values[2] for values in received)
        return Command(received[0][0]), received[0][1]
