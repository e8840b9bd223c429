"""The health monitor's words."""

import pytest
import torch

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.images import Shape
from inkgan.training import health
from inkgan.training.state import TrainState, new_state

WELL = {
    "d_loss": 1.2,
    "g_loss": 0.9,
    "d_real_accuracy": 0.7,
    "d_fake_accuracy": 0.75,
    "d_grad_norm": 1.0,
    "g_grad_norm": 1.0,
    "real_pixel_std": 0.38,
    "fake_pixel_std": 0.35,
}

CLASSES = ("boot", "sneaker")


@pytest.fixture
def state(tiny: Recipe) -> TrainState:
    return new_state(tiny, Shape(1, 12, 12), torch.device("cpu"))


def examine(metrics: dict[str, float], state: TrainState) -> list[health.Finding]:
    return health.examine(metrics, state, RECIPES["vanilla"])


def examine_scores(scores: dict[str, float], state: TrainState) -> list[health.Finding]:
    return health.examine_scores(scores, state, RECIPES["cgan"], CLASSES)


def kinds(state: TrainState, *windows: dict[str, float]) -> list[str]:
    return [finding.kind for window in windows for finding in examine(window, state)]


def test_a_well_run_is_left_in_peace(state: TrainState) -> None:
    assert kinds(state, *[WELL] * 50) == []


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"d_real_accuracy": 0.999, "d_fake_accuracy": 1.0}, "d-wins", "discriminator wins"),
        ({"d_real_accuracy": 0.0, "d_fake_accuracy": 0.01}, "d-lost", "fooled"),
        ({"fake_pixel_std": 0.05}, "collapse", "collapsed"),
        ({"g_grad_norm": 1e-9}, "frozen", "vanished"),
        ({"g_loss": float("nan")}, "nan", "no longer a number"),
        ({"d_grad_norm": float("inf")}, "nan", "no longer a number"),
    ],
)
def test_each_symptom_is_named_once_with_advice(
    state: TrainState, change: dict[str, float], kind: str, words: str
) -> None:
    ill = WELL | change
    findings = [finding for _ in range(30) for finding in examine(ill, state)]
    assert [finding.kind for finding in findings] == [kind]
    assert words in str(findings[0])
    assert "Try: " in str(findings[0])
    assert findings[0].fatal == (kind == "nan")


def test_a_short_spell_is_no_illness_and_a_second_one_is_named_again(state: TrainState) -> None:
    ill = WELL | {"fake_pixel_std": 0.01}
    assert kinds(state, *[ill] * 7, WELL, *[ill] * 7, WELL) == []
    assert kinds(state, *[ill] * 12, WELL, *[ill] * 12) == ["collapse", "collapse"]


def test_streaks_belong_to_the_saved_state(state: TrainState) -> None:
    ill = WELL | {"fake_pixel_std": 0.01}
    kinds(state, ill, ill, ill)
    assert state.counters()["streaks"]["collapse"] == 3


def test_a_class_that_collapses_is_named(state: TrainState) -> None:
    scores = {"e3_distance": 9.0, "class_variety": 0.2, "least_varied": 1.0}
    found = [f for _ in range(4) for f in examine_scores(scores, state)]
    assert [finding.kind for finding in found] == ["class-collapse"]
    assert "class sneaker vary 20 % as much" in found[0].message
    assert examine_scores({"e3_distance": 9.0}, state) == []
    assert examine_scores(scores | {"class_variety": 0.9}, state) == []


def advice(kind: str, recipe: Recipe) -> str:
    symptoms = {symptom.kind: symptom for symptom in (*health.SYMPTOMS, *health.EVALUATED)}
    return health.advise(symptoms[kind], recipe)


def test_advice_is_something_that_the_recipe_lacks(tiny: Recipe) -> None:
    assert tiny.optim.beta1 == 0.5
    assert "beta1" not in advice("collapse", tiny)
    assert "`optim.beta1=0.5`" in advice("collapse", override(tiny, ["optim.beta1=0.9"]))
    assert "dropout" not in advice("d-wins", tiny)  # it has 0.3
    plain = override(tiny, ["model.discriminator.dropout=0", "data.augment={}"])
    assert "`model.discriminator.dropout=0.3`" in advice("d-wins", plain)
    assert "`data.augment=shift:2`" in advice("d-wins", plain)
    assert "non-saturating" not in advice("d-wins", plain)
    assert "non-saturating" in advice("frozen", override(tiny, ["objective.loss=minimax"]))
    assert "conditional-bn" not in advice("class-collapse", tiny)  # it knows no classes


def test_every_recipe_gets_some_advice() -> None:
    for recipe in RECIPES.values():
        for symptom in (*health.SYMPTOMS, *health.EVALUATED):
            assert health.advise(symptom, recipe), (recipe.name, symptom.kind)
