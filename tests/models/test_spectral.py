"""Spectral normalisation against torch's singular values, and what a checkpoint keeps of it."""

import copy
import itertools
from collections.abc import Callable

import pytest
import torch
from torch import nn

from inkgan.config import Data, Model, Recipe
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.build import apply_spectral_norm, build_discriminator
from inkgan.models.conditioning import Head
from inkgan.training.loop import train
from tests.fixtures.training import prepare

CPU = torch.device("cpu")
SHAPE = Shape(1, 12, 12)
FAMILIES: tuple[dict[str, object], ...] = (
    {"family": "mlp", "widths": [48, 32]},
    {"family": "dcgan", "layers": [{"channels": 8}, {"channels": 16}]},
    {"family": "residual", "widths": [8, 16]},
)
Same = Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], bool]


def build(family: dict[str, object], spectral: bool, init: str = "torch") -> nn.Module:
    values = {"init": init, "discriminator": family | {"spectral_norm": spectral}}
    return build_discriminator(Model.model_validate(values), SHAPE, seed=3)


def weights(network: nn.Module) -> list[torch.Tensor]:
    layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    assert len(layers) >= 3
    return [layer.weight.detach().flatten(1) for layer in layers]


def originals(network: nn.Module) -> list[torch.Tensor]:
    parameters = network.named_parameters()
    return [p.detach().flatten(1) for name, p in parameters if name.endswith(".original")]


def images(count: int) -> torch.Tensor:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("init", ["torch", "normal", "glorot"])
def test_the_largest_singular_value_is_one(family: dict[str, object], init: str) -> None:
    """Of every layer, after some forward passes; that of its parameter is another number."""
    network = build(family, True, init)
    with torch.no_grad():
        for _ in range(100):
            network(images(2))
    for normalised, before in zip(weights(network.eval()), originals(network), strict=True):
        largest = torch.linalg.svdvals(before)[0]
        assert abs(largest - 1) > 0.01
        torch.testing.assert_close(
            torch.linalg.svdvals(normalised)[0], torch.tensor(1.0), rtol=0, atol=1e-3
        )
        torch.testing.assert_close(normalised, before / largest, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES[:2])
def test_it_begins_with_the_weights_of_the_plain_network(family: dict[str, object]) -> None:
    pairs = zip(originals(build(family, True)), weights(build(family, False)), strict=True)
    assert all(torch.equal(original, plain) for original, plain in pairs)


def test_a_dense_network_is_one_lipschitz() -> None:
    """No pair of images lies further apart in logits than in pixels (equation 7)."""
    network = build(FAMILIES[0], True)
    with torch.no_grad():
        for _ in range(100):
            network(images(2))
        points = images(64)
        logits = network.eval()(points)
    slopes = [
        float((logits[i] - logits[j]).abs() / (points[i] - points[j]).norm())
        for i, j in itertools.combinations(range(64), 2)
    ]
    assert 0 < max(slopes) <= 1


def test_eval_mode_rests_and_training_mode_moves(same_weights: Same) -> None:
    network = build(FAMILIES[1], True)
    before = copy.deepcopy(network.state_dict())
    first = network.eval()(images(2))
    assert torch.equal(network(images(2)), first)
    assert same_weights(network.state_dict(), before)
    network.train()(images(2))
    moved = {key for key, tensor in network.state_dict().items() if not before[key].equal(tensor)}
    assert {key.rpartition(".")[2] for key in moved} == {"_u", "_v"}


def test_one_pass_is_one_step_of_the_power_iteration() -> None:
    """Algorithm 1 by hand, for the layer of ours that reads its weight more than once."""
    network = build(FAMILIES[0], True)
    state = {key: tensor.double() for key, tensor in network.state_dict().items()}
    matrix = state["layers.0.parametrizations.weight.original"]
    u = nn.functional.normalize(matrix @ state["layers.0.parametrizations.weight.0._v"], dim=0)
    v = nn.functional.normalize(matrix.t() @ u, dim=0)
    network(images(2))
    after = network.state_dict()
    for name, expected in (("_u", u), ("_v", v)):
        found = after[f"layers.0.parametrizations.weight.0.{name}"]
        torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)


def test_a_projection_is_a_matrix_too(same_weights: Same) -> None:
    """The table of a conditional discriminator's labels, which is a parameter and no layer."""
    values = {"classes": 10, "discriminator": FAMILIES[0] | {"conditioning": "projection"}}
    model = Model.model_validate(values)
    plain = build_discriminator(model, SHAPE, seed=3)
    network = build_discriminator(model, SHAPE, seed=3)
    apply_spectral_norm(network)
    for _ in range(200):
        network(images(2), torch.tensor([0, 9]))
    head = network.eval().get_submodule("head")
    assert isinstance(head, Head)
    assert head.projection is not None
    assert torch.linalg.svdvals(head.projection)[0].item() == pytest.approx(1, abs=1e-3)
    biases = [
        {key: t for key, t in part.state_dict().items() if key.endswith("bias")}
        for part in (network, plain)
    ]
    assert len(biases[0]) == 3
    assert same_weights(*biases)


# --- in training ---


@pytest.mark.parametrize("family", ["mlp", "dcgan", "residual"])
@pytest.mark.parametrize(
    "objective",
    [
        ["objective.loss=hinge", "optim.precision=bfloat16"],
        ["objective.loss=wasserstein", "objective.penalties.wgan_gp=10"],
    ],
)
def test_it_resumes_to_the_bit(
    tiny: Recipe, digits: Data, family: str, objective: list[str], same_weights: Same
) -> None:
    """Six steps in one go equal two, a save, a fresh start from it, and four more."""
    changes = [
        "schedule.images=96",
        "schedule.batch_size=16",
        f'data.name="{digits.name}"',
        f'model.discriminator={{family="{family}", spectral_norm=true}}',
    ]
    recipe = override(tiny, changes + objective)
    batches, whole = prepare(recipe)
    list(train(recipe, batches, whole))
    assert whole.step == 6

    batches, first = prepare(recipe)
    for _ in itertools.islice(train(recipe, batches, first), 2):
        pass
    saved = copy.deepcopy((first.tensors(), first.counters()))
    torch.manual_seed(99)
    batches, second = prepare(recipe)
    second.restore(*saved)
    list(train(recipe, batches, second))
    assert same_weights(whole.tensors(), second.tensors())
    assert any(key.endswith("._u") for key in whole.tensors())


def test_it_holds_while_the_weights_move(tiny: Recipe) -> None:
    """One step of the iteration a pass follows Adam at a usual rate.

    Without the division the values wander. At five times the rate the iteration lags behind.
    """
    changes = ["objective.loss=hinge", "schedule.epochs=4", "optim.lr=2e-4"]
    recipe = override(tiny, [*changes, "model.discriminator.spectral_norm=true"])
    batches, state = prepare(recipe)
    list(train(recipe, batches, state))
    for matrix in weights(state.discriminator.eval()):
        assert torch.linalg.svdvals(matrix)[0].item() == pytest.approx(1, abs=0.05)
    assert any(
        abs(torch.linalg.svdvals(matrix)[0] - 1) > 0.2 for matrix in originals(state.discriminator)
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            ["model.discriminator.norm={}"],
            "batch normalization after it cancels.*model.discriminator.norm=none",
        ),
        (["objective.weight_clip=0.01"], "bounds nothing.*objective.weight_clip=none"),
    ],
)
def test_what_would_undo_it_is_refused(tiny: Recipe, changes: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        override(tiny, ["model.discriminator.spectral_norm=true", *changes])


def test_it_holds_a_wasserstein_critic(tiny: Recipe) -> None:
    with pytest.raises(ConfigError, match=r"model\.discriminator\.spectral_norm=true"):
        override(tiny, ["objective.loss=wasserstein"])
    override(tiny, ["objective.loss=wasserstein", "model.discriminator.spectral_norm=true"])
