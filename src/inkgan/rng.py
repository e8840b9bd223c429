"""Randomness that is addressed, not streamed.

Every random draw belongs to an address: a seed, a purpose and counters, for example
(seed, "latent", step). The same address gives the same numbers whatever was drawn before, so
resuming a run, changing a batch size or reordering samples changes nothing.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch

Address = str | int


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
    text = "/".join([str(int(seed)), *map(str, address)])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, *address: Address) -> torch.Generator:
    """Return a CPU generator at the beginning of the stream of its address."""
    return torch.Generator().manual_seed(seed_for(seed, *address))


@contextmanager
def scoped(seed: int, *address: Address, device: torch.device | None = None) -> Iterator[None]:
    """Point torch's global generators at an address, and restore the caller's state afterwards.

    For code that can only draw from the global generators: dropout and initialization.
    """
    value = seed_for(seed, *address)
    on_cuda = device is not None and device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        torch.default_generator.manual_seed(value)
        if on_cuda:
            torch.cuda.manual_seed(value)
        elif device is not None and device.type == "mps":
            torch.mps.manual_seed(value)
        yield
