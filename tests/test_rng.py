"""Addressed randomness."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from inkgan import rng

addresses = st.tuples(st.integers(0, 2**63 - 1), st.text(max_size=5), st.integers(0, 10**9))


@given(addresses, addresses)
def test_same_address_same_seed_other_address_other_seed(one: tuple, other: tuple) -> None:  # type: ignore[type-arg]
    assert (rng.seed_for(*one) == rng.seed_for(*other)) == (one == other)
    assert 0 <= rng.seed_for(*one) < 2**63


def test_neighbouring_addresses_are_independent() -> None:
    draws = torch.stack([torch.randn(1000, generator=rng.generator(0, "x", i)) for i in range(50)])
    correlation = torch.corrcoef(draws) - torch.eye(50)
    assert correlation.abs().max() < 0.2  # 1225 pairs, standard error 0.032


def test_scope_is_addressed_and_leaves_the_caller_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with rng.scoped(1, "dropout", 2):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with rng.scoped(1, "dropout", 2):
        assert torch.equal(torch.rand(3), first)
