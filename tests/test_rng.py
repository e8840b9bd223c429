"""Addressed randomness."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from inkgan import inverse_normal, rng
from tests.fixtures.philox import PHILOX_VECTORS

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


@pytest.mark.parametrize(("counter", "key", "expected"), PHILOX_VECTORS)
@pytest.mark.parametrize("array", [np.array, torch.tensor])
def test_philox_gives_the_published_vectors(counter, key, expected, array) -> None:  # type: ignore[no-untyped-def]
    drawn = rng.philox([array([word]) for word in counter], [array([word]) for word in key])
    assert [word.item() for word in drawn] == expected


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5), st.integers(1, 20))
def test_a_row_depends_on_its_seed_alone(seeds: list[int], count: int) -> None:
    rows = rng.normal(seeds, count, "x", 3)
    for seed, row in zip(seeds, rows, strict=True):
        assert torch.equal(row, rng.normal([seed], 20, "x", 3)[0, :count])


def test_many_seeds_at_once_give_what_few_do(monkeypatch: pytest.MonkeyPatch) -> None:
    together = rng.normal(range(50), 10, "x", counter=7)
    monkeypatch.setattr(rng, "CACHED_WORDS", 1)
    assert torch.equal(together, rng.normal(range(50), 10, "x", counter=7))
    assert torch.equal(together, rng.normal(torch.arange(50), 10, "x", counter=torch.tensor(7)))


def test_words_differ_between_seeds_addresses_and_counters() -> None:
    """Among 3 x 40,000 words of 32 bits chance alone repeats about 1.7."""
    drawn = [rng.words(range(100), 400, "x"), rng.words(range(100), 400, "y")]
    drawn.append(rng.words(range(100), 400, "x", counter=1))
    assert sum(map(torch.numel, drawn)) - len(torch.cat(drawn).unique()) < 12


def test_words_are_those_of_the_published_generator() -> None:
    """The seed is the key; block, counter and the hash of the address are Philox's counter."""
    stream = rng._hash("a", 5)
    counter = [torch.tensor([word]) for word in (1, 9, stream & rng.MASK, stream >> 32)]
    key = [torch.tensor([word]) for word in (3, 2)]
    expected = [int(word) for word in rng.philox(counter, key)]
    assert rng.words([(2 << 32) + 3], 8, "a", 5, counter=9)[0, 4:].tolist() == expected


def test_normal_numbers_are_within_the_stated_error_of_the_exact_inverse() -> None:
    ends = torch.arange(3000)
    powers = (2 ** torch.arange(31))[:, None] + torch.arange(-2, 3)
    tail = torch.cat([ends, 2**31 - 1 - ends, powers.flatten().clamp(0, 2**31 - 1)])
    tail = torch.cat([tail, torch.arange(0, 2**31, 2**14)])
    exact = ndtri((2.0 * tail.numpy() + 1) / 2**33)
    for sign in (0, 1):
        drawn = inverse_normal.from_words(tail + sign * 2**31)
        assert drawn.dtype == torch.float32
        assert np.abs(drawn.numpy() - (1 - 2 * sign) * -exact).max() < 5e-7


def test_the_table_of_the_package_is_the_fitted_one() -> None:
    np.testing.assert_allclose(inverse_normal.table(), inverse_normal.fit_table(), rtol=2e-6)


def test_normal_numbers_are_normal() -> None:
    """Moments in standard errors, the distribution by Kolmogorov and Smirnov, and the tails."""
    drawn = rng.normal(range(2000), 250, "distribution").numpy().astype(np.float64).ravel()
    count = len(drawn)
    moments = [(drawn**k).mean() for k in (1, 2, 3, 4)]
    errors = np.sqrt(np.array([1, 2, 15, 96]) / count)
    assert (np.abs((np.array(moments) - [0, 1, 0, 3]) / errors) < 4).all()
    assert stats.kstest(drawn, "norm").pvalue > 1e-3
    for bound in (3.0, 4.0):
        share = 2 * stats.norm.sf(bound)
        expected, beyond = count * share, (np.abs(drawn) > bound).sum()
        assert abs(beyond - expected) < 4 * np.sqrt(expected)


def test_normal_numbers_of_neighboring_seeds_and_places_are_uncorrelated() -> None:
    drawn = rng.normal(range(1000), 64, "x")
    for rows in (drawn, drawn.T[:, :200].T.contiguous()):
        count = len(rows)
        correlation = torch.corrcoef(rows.T) - torch.eye(rows.shape[1])
        assert correlation.abs().max() < 5 / count**0.5
    beside = (drawn[:-1] * drawn[1:]).mean() * (999 * 64) ** 0.5
    assert abs(beside) < 4


@pytest.mark.parametrize("below", [1, 3, 10, 1000])
def test_integers_are_uniform(below: int) -> None:
    drawn = rng.integers(range(20_000), below, 2, "label").flatten().numpy()
    assert drawn.min() >= 0
    assert drawn.max() < below
    counts = np.bincount(drawn, minlength=below)
    assert below == 1 or stats.chisquare(counts).pvalue > 1e-3
