"""The losses against closed forms and torch's own binary cross-entropy."""

import math

import pytest
import torch
import torch.nn.functional as F

from inkgan.config import names
from inkgan.training.losses import LOSSES

REAL, FAKE = torch.linspace(-6, 6, 13).double(), torch.linspace(5, -7, 13).double()


def test_the_table_holds_every_name_of_the_config() -> None:
    assert set(LOSSES) == set(names.LOSSES.built_in)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_per_sample_and_cite_a_source(name: str) -> None:
    loss = LOSSES[name]
    assert loss.d(REAL, FAKE).shape == loss.g(REAL, FAKE).shape == REAL.shape
    assert any(character.isdigit() for character in loss.source)


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_cross_entropy_is_torchs(name: str) -> None:
    ones, zeros = torch.ones_like(REAL), torch.zeros_like(REAL)
    entropy = F.binary_cross_entropy_with_logits
    expected = entropy(REAL, ones, reduction="none") + entropy(FAKE, zeros, reduction="none")
    torch.testing.assert_close(LOSSES[name].d(REAL, FAKE), expected)


def test_generator_losses_against_the_papers() -> None:
    probability = FAKE.sigmoid()
    torch.testing.assert_close(LOSSES["non-saturating"].g(REAL, FAKE), -probability.log())
    torch.testing.assert_close(LOSSES["minimax"].g(REAL, FAKE), (1 - probability).log())


def test_undecided_discriminator_has_loss_two_log_two() -> None:
    zero = torch.zeros(3)
    value = LOSSES["minimax"].d(zero, zero)
    torch.testing.assert_close(value, torch.full((3,), 2 * math.log(2)))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_push_the_right_way(name: str) -> None:
    """D raises real and lowers fake logits; G raises fake ones (all inside the margins).

    The logits lie between the targets of every loss: 0 and 1 for least squares.
    """
    real, fake = (torch.full((1,), 0.5, requires_grad=True) for _ in range(2))
    LOSSES[name].d(real, fake).sum().backward()
    assert real.grad is not None
    assert real.grad.item() < 0
    assert fake.grad is not None
    assert fake.grad.item() > 0
    other = torch.full((1,), 0.5, requires_grad=True)
    LOSSES[name].g(real.detach(), other).sum().backward()
    assert other.grad is not None
    assert other.grad.item() < 0


def test_minimax_saturates_where_non_saturating_does_not() -> None:
    """At a confident D (logit -10) the gradients are sigmoid(-10) and 1 - sigmoid(-10)."""
    gradients = {}
    for name in ("minimax", "non-saturating"):
        logit = torch.tensor([-10.0], dtype=torch.float64, requires_grad=True)
        LOSSES[name].g(logit.detach(), logit).sum().backward()
        assert logit.grad is not None
        gradients[name] = abs(logit.grad.item())
    small = 1 / (1 + math.exp(10))
    assert gradients["minimax"] == pytest.approx(small)
    assert gradients["non-saturating"] == pytest.approx(1 - small)


def test_extreme_logits_stay_finite() -> None:
    huge = torch.tensor([1e4, -1e4])
    for loss in LOSSES.values():
        assert loss.d(huge, -huge).isfinite().all()
        assert loss.g(huge, -huge).isfinite().all()


def test_least_squares_and_hinge_closed_forms() -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([0.5, -2.0])
    torch.testing.assert_close(LOSSES["least-squares"].d(real, fake), torch.tensor([0.625, 2.125]))
    torch.testing.assert_close(LOSSES["least-squares"].g(real, fake), torch.tensor([0.125, 4.5]))
    torch.testing.assert_close(LOSSES["hinge"].d(real, fake), torch.tensor([1.5, 0.5]))
    torch.testing.assert_close(LOSSES["hinge"].g(real, fake), torch.tensor([-0.5, 2.0]))


@pytest.mark.parametrize("name", [name for name in LOSSES if LOSSES[name].threshold is not None])
def test_the_threshold_separates_where_the_loss_leads(name: str) -> None:
    """Logits that descend the discriminator's loss end on the right side of the threshold."""
    loss = LOSSES[name]
    assert loss.threshold is not None
    real, fake = (torch.zeros(1, requires_grad=True) for _ in range(2))
    optimizer = torch.optim.SGD([real, fake], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        loss.d(real, fake).sum().backward()
        optimizer.step()
    margin = 0.3
    assert real.item() > loss.threshold + margin
    assert fake.item() < loss.threshold - margin
