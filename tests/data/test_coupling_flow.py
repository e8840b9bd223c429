"""A flow of couplings turns scores into standard-normal ones that tell nothing of their context."""

import pytest
import torch
from scipy import stats

from inkgan.data.coupling_flow import Context, CouplingFlow, fit_flow


def turned(count: int, seed: int) -> tuple[torch.Tensor, Context]:
    """Draw two moons in a plane and two columns that follow from them (n, 4), a label each."""
    numbers = torch.Generator().manual_seed(seed)
    angles = torch.pi * torch.rand(count, generator=numbers)
    side = torch.randint(0, 2, (count,), generator=numbers) * 2 - 1
    moons = torch.stack([angles.cos() + side / 2, side * angles.sin()], dim=1)
    noise = torch.randn(count, 4, generator=numbers)
    scores = torch.cat([moons, moons.square()], dim=1) + 0.1 * noise
    return (scores - scores.mean(dim=0)) / scores.std(dim=0), Context(
        torch.zeros(count, 0), (side + 1) // 2
    )


def alone(count: int) -> Context:
    """Return the context of scores of which nothing is known."""
    return Context(torch.zeros(count, 0), torch.zeros(count, dtype=torch.int64))


def distance_from_normal(scores: torch.Tensor) -> float:
    """Return the largest Kolmogorov-Smirnov statistic along fifty directions."""
    directions = torch.randn(4, 50, generator=torch.Generator().manual_seed(1))
    along = scores @ (directions / directions.norm(dim=0))
    return max(float(stats.kstest(column, "norm").statistic) for column in along.T.numpy())


def test_any_distribution_becomes_a_standard_normal_one_whatever_the_context() -> None:
    scores, moon = turned(4000, seed=0)
    flow = fit_flow(scores, moon)
    for count, seed, limit in ((4000, 0, 0.08), (2000, 7, 0.1)):  # the fitted ones, and others
        scores, moon = turned(count, seed)
        normal = flow(scores, moon)[0]
        for label in (0, 1):
            of_moon = moon.labels == label
            assert distance_from_normal(scores[of_moon]) > 0.25
            assert distance_from_normal(normal[of_moon]) < limit
            assert torch.allclose(torch.corrcoef(normal[of_moon].T), torch.eye(4), atol=0.2)


def test_the_determinant_is_that_of_the_jacobian() -> None:
    torch.manual_seed(0)
    flow = CouplingFlow(5, 2, 3).double()
    for parameter in flow.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    scores = torch.randn(3, 5).double()
    context = Context(torch.randn(3, 2).double(), torch.tensor([2, 0, 1]))
    logs = flow(scores, context)[1]
    for place in range(3):
        one = context.at(torch.tensor([place]))
        jacobian = torch.autograd.functional.jacobian(
            lambda row, one=one: flow(row[None], one)[0][0], scores[place]
        )
        assert logs[place].item() == pytest.approx(torch.linalg.slogdet(jacobian)[1].item())


def test_a_new_flow_changes_nothing() -> None:
    scores = torch.randn(7, 3)
    same, logs = CouplingFlow(3, 0, 1)(scores, alone(7))
    assert torch.equal(same, scores)
    assert torch.equal(logs, torch.zeros(7))


def test_few_scores_are_not_followed_one_by_one() -> None:
    """Normal scores stay what they are: nothing that a held-out tenth denies is learned."""
    scores = torch.randn(300, 4, generator=torch.Generator().manual_seed(0))
    found = fit_flow(scores, alone(300))(scores, alone(300))[0]
    assert (found - scores).square().mean().sqrt() < 0.3
    lone = fit_flow(scores[:3], alone(3))
    assert torch.equal(lone(scores[:3], alone(3))[0], scores[:3])


def test_the_same_scores_give_the_same_flow_and_no_global_generator_moves() -> None:
    scores, moon = turned(500, seed=0)
    before = torch.random.get_rng_state()
    first, second = (fit_flow(scores, moon)(scores, moon)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_is_known_no_longer_shows() -> None:
    """A column that follows from a known number follows from it no more."""
    numbers = torch.Generator().manual_seed(0)
    known = torch.randn(2000, 1, generator=numbers)
    scores = known.square() + torch.randn(2000, 1, generator=numbers) * (0.3 + known.abs())
    scores = (scores - scores.mean()) / scores.std()
    context = alone(2000)._replace(known=known)
    found = fit_flow(scores, context)(scores, context)[0][:, 0]
    for part in found[known[:, 0].argsort()].chunk(8):
        assert part.mean().abs() < 0.25
        assert part.std() == pytest.approx(1, abs=0.25)
