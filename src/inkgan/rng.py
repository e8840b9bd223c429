"""Randomness that is addressed, not streamed.

Every random draw belongs to an address: a seed, a purpose and counters, for example
(seed, "latent", step). The same address gives the same numbers whatever was drawn before, so
resuming a run, changing a batch size or reordering samples changes nothing.

`words`, `normal` and `integers` compute numbers from their addresses with the counter-based
Philox generator, for many seeds at once. They only use integers, so every device and the exported
page's JavaScript give the same bits. `generator` and `scoped` are for what torch draws itself;
`for_batch` is for a process that computes only a part of the batch.
"""

import functools
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch

from inkgan import inverse_normal

Address = str | int

MASK = 0xFFFFFFFF
VERSION = 2  # of what an address gives; 1, of inkgan 0.1, drew samples with torch.randn
ROUNDS = 10
CACHED_WORDS = 1 << 16  # at once on a CPU, so that their intermediate results stay in its cache
# Salmon et al. 2011, table 2 and section 3.3: multipliers, and increments of the key.
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
KEY_INCREMENTS = 0x9E3779B9, 0xBB67AE85


@dataclass(frozen=True)
class BatchPart:
    """Which samples of each batch this process computes: `rank` of `size` equal parts.

    Attributes:
        rank: of this process, from 0.
        size: the number of processes.
        groups: batches that lie one behind the other in what is drawn; each is divided.
    """

    rank: int = 0
    size: int = 1
    groups: int = 1

    def of(self, whole: torch.Tensor, dim: int = 0) -> torch.Tensor:
        """Return this part of the samples that lie along `dim`."""
        if self.size == 1:
            return whole
        parts: torch.Tensor = whole.unflatten(dim, (self.groups, self.size, -1))
        return parts.select(dim + 1, self.rank).flatten(dim, dim + 1)


WHOLE = BatchPart()
_global_generators = threading.RLock()
_part: ContextVar[BatchPart] = ContextVar("batch_part", default=WHOLE)


@contextmanager
def batch_part(part: BatchPart) -> Iterator[None]:
    """Inside the block, `for_batch` draws for this part of the batch."""
    token = _part.set(part)
    try:
        yield
    finally:
        _part.reset(token)


@contextmanager
def concatenated(groups: int) -> Iterator[None]:
    """Inside the block, a batch is `groups` batches one behind the other, as (real, generated)."""
    part = _part.get()
    with batch_part(BatchPart(part.rank, part.size, groups)):
        yield


def is_batch_divided() -> bool:
    """Return whether this process computes only a part of each batch."""
    return _part.get().size > 1


def for_batch(count: int, draw: Callable[[int], torch.Tensor], dim: int = 0) -> torch.Tensor:
    """Draw random numbers for a batch, the same for each sample with any number of processes.

    A process that computes a part of the batch draws the numbers of all samples, as one process
    would, and keeps those of its own.

    Args:
        count: samples that this process computes.
        draw: returns the numbers of as many samples as it is called with.
        dim: along which samples lie in what `draw` returns.

    Examples:
        >>> for_batch(len(images), lambda n: torch.rand(n, 1, 1, 1))
    """
    part = _part.get()
    return part.of(draw(count * part.size), dim)


def words(
    seeds: Sequence[int] | torch.Tensor,
    count: int,
    *address: Address,
    counter: int | torch.Tensor = 0,
    device: torch.device | None = None,
) -> torch.Tensor:
    """Draw random words of 32 bits, a row for each seed.

    Args:
        seeds: whole numbers of 64 bits (n,); the key of the Philox generator.
        count: words of each seed.
        address: the purpose, and counters that are part of its name.
        counter: below 2**32, such as the step; a tensor (n,) has one for each row.
        device: where to compute; by default that of the seeds, or the CPU.

    Returns:
        int64 (n, count), each from 0 to 2**32 - 1. Fewer words of the same address are the first
        of these.

    Example:
        >>> words([0, 1], 3, "example")[1].equal(words([1], 3, "example")[0])
        True
    """
    keys = torch.as_tensor(seeds, dtype=torch.int64, device=device).view(-1, 1)
    blocks = torch.arange(-(-count // 4), device=keys.device).expand(len(keys), -1)
    stream = _stream(*address)
    inputs = torch.stack(
        [
            blocks,
            torch.as_tensor(counter, device=keys.device).view(-1, 1).expand_as(blocks),
            torch.full_like(blocks, stream & MASK),
            torch.full_like(blocks, stream >> 32),
        ]
    )
    halves = keys & MASK, (keys >> 32) & MASK
    if keys.device.type == "cpu":  # numpy starts an operation in half the time
        drawn = philox(inputs.numpy(), [half.numpy() for half in halves])
        drawn = [torch.from_numpy(word) for word in drawn]
    else:
        drawn = philox(inputs, halves)
    return torch.stack(drawn, dim=2).flatten(1)[:, :count]


def normal(
    seeds: Sequence[int] | torch.Tensor,
    count: int,
    *address: Address,
    counter: int | torch.Tensor = 0,
    device: torch.device | None = None,
) -> torch.Tensor:
    """Draw standard normal numbers, a row for each seed.

    Each word of 32 bits becomes a number by the inverse of the distribution function, so it lies
    within 6.4 standard deviations.

    Args:
        seeds: whole numbers of 64 bits (n,).
        count: numbers of each seed.
        address: the purpose, as for `words`.
        counter: below 2**32, as for `words`.
        device: where to compute, as for `words`.

    Returns:
        float32 (n, count).

    Example:
        >>> normal(range(64), 100, "sample").shape
        torch.Size([64, 100])
    """
    keys = torch.as_tensor(seeds, dtype=torch.int64, device=device)
    counters = torch.as_tensor(counter, device=keys.device).expand_as(keys)
    on_cpu = keys.device.type == "cpu"
    rows = max(1, CACHED_WORDS // count) if on_cpu else len(keys)
    parts = [
        inverse_normal.from_words(words(part, count, *address, counter=numbers))
        for part, numbers in zip(keys.split(rows), counters.split(rows), strict=True)
    ]
    return torch.cat(parts)


def integers(
    seeds: Sequence[int] | torch.Tensor,
    below: int,
    count: int,
    *address: Address,
    device: torch.device | None = None,
) -> torch.Tensor:
    """Draw whole numbers from 0 to `below` - 1, all alike to 2**-32, a row for each seed.

    The upper half of the product of a word and `below` (Lemire 2019, without his rejection).

    Args:
        seeds: whole numbers of 64 bits (n,).
        below: from 1 to 2**31.
        count: numbers of each seed.
        address: the purpose, as for `words`.
        device: where to compute, as for `words`.

    Returns:
        int64 (n, count).
    """
    return (words(seeds, count, *address, device=device) * below) >> 32


def philox(counter: Iterable[Any], key: Iterable[Any]) -> list[Any]:
    """Apply Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").

    Args:
        counter: four words of 32 bits, each in an int64 array of numpy or tensor of torch.
        key: two words, which broadcast against the counter.

    Returns:
        Four words of 32 bits in arrays like the counter's, a bijection of it for each key.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(ROUNDS):
        # products wrap at 64 bits; the upper bits of c1 and c3 are left until the next mask
        first, second = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c2 = second >> 32, first >> 32
        c0 ^= c1
        c0 ^= k0
        c0 &= MASK
        c2 ^= c3
        c2 ^= k1
        c2 &= MASK
        c1, c3 = second, first
        k0, k1 = (k0 + KEY_INCREMENTS[0]) & MASK, (k1 + KEY_INCREMENTS[1]) & MASK
    return [c0, c1 & MASK, c2, c3 & MASK]


def seed_for(seed: int, *address: Address) -> int:
    """Hash a seed and an address into a seed for a generator.

    BLAKE2b (RFC 7693) keeps neighboring addresses independent, which `seed + step` would not.

    Args:
        seed: of the run or of the sample.
        address: the purpose, and counters such as the step.

    Returns:
        A number of 63 bits.

    Examples:
        >>> noise = torch.randn(2, 64, generator=generator(seed, "latent", step))
    """
    return _hash(str(int(seed)), *address) >> 1


def generator(seed: int, *address: Address) -> torch.Generator:
    """Return a CPU generator at the beginning of the stream of its address."""
    return torch.Generator().manual_seed(seed_for(seed, *address))


@contextmanager
def scoped(seed: int, *address: Address, device: torch.device | None = None) -> Iterator[None]:
    """Point torch's global generators at an address, and restore the caller's state afterwards.

    For code that can only draw from the global generators: dropout and initialization. One thread
    at a time has them.
    """
    value = seed_for(seed, *address)
    on_cuda = device is not None and device.type == "cuda"
    with _global_generators, torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(value)
        if on_cuda:
            torch.cuda.manual_seed(value)
        elif device is not None and device.type == "mps":
            torch.mps.manual_seed(value)
        yield


@contextmanager
def global_generators() -> Iterator[None]:
    """Keep torch's global generators for this thread inside the block."""
    with _global_generators:
        yield


@functools.lru_cache(maxsize=1024)
def _stream(*address: Address) -> int:
    """Hash an address into 64 bits, the upper half of Philox's counter."""
    return _hash(*address)


def _hash(*address: Address) -> int:
    digest = hashlib.blake2b("/".join(map(str, address)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
