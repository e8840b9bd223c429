"""The health monitor's words."""

import pytest
import torch

from inkgan.config import Recipe
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


@pytest.fixture
def state(tiny: Recipe) -> TrainState:
    return new_state(tiny, Shape(1, 12, 12), torch.device("cpu"))


def kinds(state: TrainState, *windows: dict[str, float]) -> list[str]:
    return [finding.kind for window in windows for finding in health.examine(window, state)]


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
    findings = [finding for _ in range(30) for finding in health.examine(ill, state)]
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
    scores = {"e3_distance": 9.0, "class_variety": 0.2, "least_varied": 7.0}
    found = [f for _ in range(4) for f in health.examine_scores(scores, state)]
    assert [finding.kind for finding in found] == ["class-collapse"]
    assert "class 7 vary 20 % as much" in found[0].message
    assert health.examine_scores({"e3_distance": 9.0}, state) == []
    assert health.examine_scores(scores | {"class_variety": 0.9}, state) == []
