"""The processes that train one model together, each on its part of every batch.

`World` is one process alone: every operation is the identity, and torch.distributed is not
imported. `ProcessGroupWorld` has several processes. Sums are those of gathered values, added in
the order of the ranks, so that every process gets the same bits and every run does.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from inkgan.errors import ProcessLostError
from inkgan.rng import BatchPart


@dataclass(frozen=True)
class World:
    """The processes that train one model; by default this one alone.

    Attributes:
        rank: of this process, from 0.
        size: the number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def part(self) -> BatchPart:
        """The part of each batch that this process computes."""
        return BatchPart(self.rank, self.size)

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """Put the tensors of all processes (n, ...) one behind the other; differentiable."""
        return tensor

    def sum_each(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Add each tensor to those of the other processes, all at once; not differentiable."""
        return tensors

    def mean_each(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Average each tensor with those of the other processes."""
        return tensors

    def average_gradients(self, parameters: Iterable[torch.Tensor]) -> None:
        """Replace the gradients by their means over all processes."""


ALONE = World()


@dataclass(frozen=True)
class ProcessGroupWorld(World):
    """Several processes, connected by torch.distributed.

    Attributes:
        group: of all processes; it transports tensors of the device.
        control: the same for tensors on the CPU.
    """

    group: Any = field(default=None, compare=False)
    control: Any = field(default=None, compare=False)

    def gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """Put the tensors of all processes (n, ...) one behind the other; differentiable."""
        gathered: torch.Tensor = _Gather.apply(tensor, self)  # type: ignore[no-untyped-call]
        return gathered

    def sum_each(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Add each tensor to those of the other processes, all at once; not differentiable."""
        total = _add_in_order(self.collect(_flatten(tensors)))
        return tuple(
            piece.view(tensor.shape).to(tensor.dtype)
            for piece, tensor in zip(_split(total, tensors), tensors, strict=True)
        )

    def mean_each(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Average each tensor with those of the other processes."""
        return tuple(total / self.size for total in self.sum_each(*tensors))

    @torch.no_grad()
    def average_gradients(self, parameters: Iterable[torch.Tensor]) -> None:
        """Replace the gradients by their means over all processes, by one exchange."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        for gradient, mean in zip(gradients, self.mean_each(*gradients), strict=True):
            gradient.copy_(mean)

    def collect(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """Return the tensors of all processes, in the order of their ranks.

        Raises:
            ProcessLostError: another process has ended.
        """
        import torch.distributed as dist

        mine = tensor.detach().contiguous()
        parts = [torch.empty_like(mine) for _ in range(self.size)]
        group = self.control if mine.device.type == "cpu" else self.group
        try:
            dist.all_gather(parts, mine, group=group)
        except RuntimeError as error:
            raise self._lost() from error
        return parts

    def send(self, data: bytes) -> None:
        """Send bytes from rank 0 to all other processes, which call `receive`."""
        self._broadcast(torch.tensor([len(data)]))
        self._broadcast(torch.frombuffer(bytearray(data), dtype=torch.uint8))

    def receive(self) -> bytes:
        """Return what rank 0 sends."""
        length = int(self._broadcast(torch.zeros(1, dtype=torch.int64)))
        return self._broadcast(torch.empty(length, dtype=torch.uint8)).numpy().tobytes()

    def share(self, value: Any) -> list[Any]:
        """Return the JSON values of all processes, in the order of their ranks."""
        data = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        lengths = [int(length) for length in self.collect(torch.tensor([len(data)]))]
        padded = torch.zeros(max(lengths), dtype=torch.uint8)
        padded[: len(data)] = data
        texts = zip(self.collect(padded), lengths, strict=True)
        return [json.loads(text[:length].numpy().tobytes()) for text, length in texts]

    def _lost(self) -> ProcessLostError:
        return ProcessLostError(
            f"process {self.rank} has lost the others of the {self.size}: one of them, or its "
            "machine, has ended; the same command resumes from the newest checkpoint"
        )

    def _broadcast(self, tensor: torch.Tensor) -> torch.Tensor:
        import torch.distributed as dist

        try:
            dist.broadcast(tensor, group=self.control, group_src=0)
        except RuntimeError as error:
            raise self._lost() from error
        return tensor


class _Gather(torch.autograd.Function):
    """Gathers forward; backward adds what all processes send to this one's part.

    The gradient of a sum over processes: each differentiates its own term, and these sums make
    them the gradients of the whole. Backward is written in the same function, so that it can be
    differentiated again.
    """

    @staticmethod
    def forward(context: Any, tensor: torch.Tensor, world: ProcessGroupWorld) -> torch.Tensor:
        context.world, context.count = world, len(tensor)
        return torch.cat(world.collect(tensor))

    @staticmethod
    def backward(context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, None]:
        world, count = context.world, context.count
        all_of_them = world.gather(gradients[0]).unflatten(0, (world.size, world.size, count))
        return _add_in_order(all_of_them[:, world.rank].unbind()), None


def _add_in_order(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


def _flatten(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def _split(flat: torch.Tensor, like: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    pieces: tuple[torch.Tensor, ...] = flat.split([tensor.numel() for tensor in like])
    return pieces
