"""Numpy's random numbers, by address."""

import numpy as np

from inkgan.rng import Address, seed_for


def random_numbers(seed: int, *address: Address) -> np.random.Generator:
    """Return numpy's random numbers at an address of the data set with this seed."""
    return np.random.default_rng(seed_for(seed, "synth", *address))
