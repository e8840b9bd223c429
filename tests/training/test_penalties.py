"""Penalties against closed forms and finite differences, and what they are for: the Dirac-GAN."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

import inkgan
from inkgan.config import Objective, Penalties, Recipe
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.training.losses import LOSSES
from inkgan.training.penalties import PENALTIES, squared_gradients, weighted_penalties

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class Linear(nn.Module):
    """D(x) = w.x: its gradient is w everywhere."""

    def __init__(self, weights: torch.Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ self.weights


IMAGES = torch.randn(5, 1, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LABELS = torch.zeros(5, dtype=torch.int64)
WEIGHTS = torch.arange(1.0, 7.0, dtype=torch.float64)


@pytest.mark.parametrize("name", PENALTIES)
def test_a_linear_critic_has_one_slope(name: str) -> None:
    penalty, source = PENALTIES[name]
    found = penalty(Linear(WEIGHTS), IMAGES, -IMAGES, LABELS)
    slope = float(WEIGHTS.norm())
    expected = 0.5 * slope**2 if name in ("r1", "r2") else (slope - 1) ** 2
    torch.testing.assert_close(found, torch.full((5,), expected, dtype=torch.float64))
    assert any(character.isdigit() for character in source)


@pytest.mark.parametrize("name", PENALTIES)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Softplus(), nn.Linear(4, 1)).double()
    weights = [parameter.detach().clone().requires_grad_() for parameter in critic.parameters()]
    names = [key for key, _ in critic.named_parameters()]

    def total(*values: torch.Tensor) -> torch.Tensor:
        def d(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            held = dict(zip(names, values, strict=True))
            logits: torch.Tensor = torch.func.functional_call(critic, held, (images,))
            return logits[:, 0]

        torch.manual_seed(1)  # the same points between real and fake at every call
        return PENALTIES[name][0](d, IMAGES, -IMAGES, LABELS).mean()

    assert torch.autograd.gradcheck(total, weights)


def test_only_weighted_penalties_are_chosen() -> None:
    assert list(weighted_penalties(Penalties())) == []
    (found,) = weighted_penalties(Penalties(r2=0.5))
    assert found == (0.5, PENALTIES["r2"][0])


# --- the Dirac-GAN (Mescheder et al. 2018, section 2): real at 0, fakes at theta, D(x) = psi x ---


def dirac_step(
    psi: torch.Tensor, theta: torch.Tensor, loss_name: str, gamma: float, rate: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Move both players at once, by automatic differentiation of our losses and penalty."""
    loss = LOSSES[loss_name]
    critic = Linear(psi.clone().view(1))
    fake = theta.clone().view(1, 1, 1, 1).requires_grad_()
    real, label = torch.zeros(1, 1, 1, 1, dtype=torch.float64), LABELS[:1]
    d_value = loss.d(critic(real, label), critic(fake.detach(), label)).mean()
    d_value = d_value + gamma * PENALTIES["r1"][0](critic, real, fake, label).mean()
    g_value = loss.g(critic(real, label).detach(), critic(fake, label)).mean()
    (d_gradient,) = torch.autograd.grad(d_value, critic.weights)
    (g_gradient,) = torch.autograd.grad(g_value, fake)
    return psi - rate * d_gradient[0], theta - rate * g_gradient.flatten()[0]


def field(psi: float, theta: float, gamma: float) -> tuple[float, float]:
    """Return the analytic vector field of the non-saturating loss with R1.

    d_loss = log 2 + log(1 + exp(psi theta)) + gamma / 2 psi^2, g_loss = log(1 + exp(-psi theta)).
    """
    sigmoid = 1 / (1 + math.exp(-psi * theta))
    return -(theta * sigmoid + gamma * psi), psi * (1 - sigmoid)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
def test_the_dirac_gan_follows_its_vector_field(gamma: float) -> None:
    psi = theta = torch.tensor(1.0, dtype=torch.float64)
    for _ in range(50):
        d_psi, d_theta = field(float(psi), float(theta), gamma)
        expected = float(psi) + 0.1 * d_psi, float(theta) + 0.1 * d_theta
        psi, theta = dirac_step(psi, theta, "non-saturating", gamma, 0.1)
        assert (float(psi), float(theta)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("loss", ["minimax", "non-saturating", "wasserstein", "relativistic"])
def test_the_dirac_gan_circles_without_a_penalty_and_settles_with_one(loss: str) -> None:
    distances = {}
    for gamma in (0.0, 1.0):
        psi = theta = torch.tensor(1.0, dtype=torch.float64)
        for _ in range(600):
            psi, theta = dirac_step(psi, theta, loss, gamma, 0.05)
        distances[gamma] = math.hypot(float(psi), float(theta))
    assert distances[1.0] < 0.02
    if loss in ("minimax", "wasserstein"):
        assert distances[0.0] > 0.9  # sqrt(2) at the beginning, and growing with the step size
    else:  # d |.|^2 / dt = psi theta (1 - 2 sigmoid(psi theta)): settles, but not exponentially
        assert distances[0.0] > 20 * distances[1.0]


# --- in training ---


@pytest.mark.parametrize(
    "changes",
    [
        ["objective.loss=relativistic", "objective.penalties.r1=0.1", "objective.penalties.r2=0.1"],
        ["objective.loss=wasserstein", "objective.penalties.wgan_gp=10"],
        ["objective.penalties.dragan=10"],
    ],
)
def test_recipes_train_with_penalties(tiny: Recipe, changes: list[str], tmp_path: object) -> None:
    recipe = override(tiny, changes)
    run = inkgan.train(recipe, out=f"{tmp_path}/a", images=640)
    rows = [row for row in run.rows() if "d_loss" in row]
    assert all(math.isfinite(row["d_loss"]) for row in rows)
    penalised = run.load_checkpoint("last")
    plain = inkgan.train(
        override(tiny, changes[:1]) if "loss=rel" in changes[0] else tiny,
        out=f"{tmp_path}/b",
        images=640,
    ).load_checkpoint("last")
    assert penalised is not None
    assert plain is not None
    key = "discriminator.head.logit.weight"
    assert not torch.equal(penalised[0][key], plain[0][key])


def test_clipping_bounds_all_weights(tiny: Recipe, tmp_path: object) -> None:
    recipe = override(tiny, ["objective.loss=wasserstein", "objective.weight_clip=0.01"])
    saved = inkgan.train(recipe, out=f"{tmp_path}/a", images=640).load_checkpoint("last")
    assert saved is not None
    weights = [t for key, t in saved[0].items() if key.startswith("discriminator.")]
    assert max(float(t.abs().max()) for t in weights) <= 0.01


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["objective.loss=wasserstein"], "only a distance while.*objective.penalties.wgan_gp=10"),
        (["objective.penalties.r1=1", "model.discriminator.norm={}"], "batch normalization"),
        (["objective.penalties.r1=-1"], "greater than or equal to 0"),
        (["objective.weight_clip=0"], "greater than 0"),
        (["optim.max_grad_norm=0"], "greater than 0"),
        (["objective.penalties.r3=1"], "unknown field"),
    ],
)
def test_nonsense_pairs_are_refused_with_the_reason(
    tiny: Recipe, changes: list[str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        override(tiny, changes)


def test_the_objective_alone_has_no_penalty() -> None:
    assert not Objective().penalties.any
    assert list(weighted_penalties(Objective().penalties)) == []


def test_squared_gradients_of_a_quadratic_critic() -> None:
    """D(x) = |x|^2 has the gradient 2 x, so |grad|^2 = 4 |x|^2, for each image its own."""
    found = squared_gradients(lambda images, labels: images.square().sum((1, 2, 3)), IMAGES, LABELS)
    torch.testing.assert_close(found, 4 * IMAGES.square().sum((1, 2, 3)))
