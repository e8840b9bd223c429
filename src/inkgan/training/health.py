"""The health monitor: what is wrong with a run, and what to try.

It examines the mean metrics of each window, and the scores of each evaluation. A symptom is
reported when it has lasted for some windows, and again only after it has gone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inkgan.training.state import TrainState

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class Finding:
    """A symptom with its meaning; `fatal` means that further steps are pointless."""

    kind: str
    message: str
    advice: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.message} Try: {self.advice}"


@dataclass(frozen=True)
class Symptom:
    """A test of one window and how many windows in a row must show it."""

    kind: str
    shows: Callable[[Metrics], bool]
    patience: int
    say: Callable[[Metrics], str]
    advice: str
    fatal: bool = False


def _not_finite(metrics: Metrics) -> bool:
    return not all(math.isfinite(value) for value in metrics.values())


def _d_wins(metrics: Metrics) -> bool:
    return min(metrics["d_real_accuracy"], metrics["d_fake_accuracy"]) > 0.99


def _d_lost(metrics: Metrics) -> bool:
    return max(metrics["d_real_accuracy"], metrics["d_fake_accuracy"]) < 0.05


def _collapsed(metrics: Metrics) -> bool:
    return metrics["fake_pixel_std"] < 0.25 * metrics["real_pixel_std"]


def _frozen(metrics: Metrics) -> bool:
    return metrics["g_grad_norm"] < 1e-6


SYMPTOMS = (
    Symptom(
        "nan",
        _not_finite,
        1,
        lambda m: "A loss or gradient is no longer a number: the weights are lost.",
        "a lower `optim.lr`, or `on_trouble=rollback`",
        fatal=True,
    ),
    Symptom(
        "d-wins",
        _d_wins,
        8,
        lambda m: (
            f"The discriminator wins: it classifies {_percent(m)} of the images correctly, so "
            "the generator gets hardly any gradient."
        ),
        "`model.discriminator.dropout=0.3`, a lower `optim.lr`, `data.augment=shift:2`, or "
        "`objective.loss=non-saturating` if it is minimax",
    ),
    Symptom(
        "d-lost",
        _d_lost,
        8,
        lambda m: "The discriminator is fooled by everything and teaches nothing.",
        "less dropout, a wider discriminator, or a lower `optim.lr`",
    ),
    Symptom(
        "collapse",
        _collapsed,
        8,
        lambda m: (
            f"The generator has collapsed: the standard deviation of its pixels is "
            f"{m['fake_pixel_std']:.3f}, that of real images {m['real_pixel_std']:.3f}; it draws "
            "nearly the same image each time."
        ),
        "a lower `optim.lr`, `optim.beta1=0.5`, more dropout in the discriminator, or another "
        "`seed`",
    ),
    Symptom(
        "frozen",
        _frozen,
        4,
        lambda m: "The generator's gradient has vanished: it no longer learns.",
        "`objective.loss=non-saturating` or least-squares, or a weaker discriminator",
    ),
)


EVALUATED = (
    Symptom(
        "class-collapse",
        lambda m: m.get("class_variety", 1.0) < 0.35,
        3,
        lambda m: (
            f"One class has collapsed: the images of class {m['least_varied']:.0f} vary "
            f"{100 * m['class_variety']:.0f} % as much as real ones do, even if the grid looks "
            "good."
        ),
        "`model.generator.conditioning=conditional-bn`, a longer `schedule.ema_half_life`, "
        "`objective.penalties`, or another `seed`",
    ),
)


def examine(metrics: Metrics, state: TrainState) -> list[Finding]:
    """Examine the metrics of one window; `state` keeps the streaks, so resuming keeps them."""
    return _examine(SYMPTOMS, metrics, state)


def examine_scores(scores: Metrics, state: TrainState) -> list[Finding]:
    """Examine the scores of one evaluation in the same way."""
    return _examine(EVALUATED, scores, state)


def _examine(symptoms: Sequence[Symptom], metrics: Metrics, state: TrainState) -> list[Finding]:
    findings = []
    for symptom in symptoms:
        streak = state.streaks.get(symptom.kind, 0) + 1 if symptom.shows(metrics) else 0
        state.streaks[symptom.kind] = streak
        if streak == symptom.patience:
            message = symptom.say(metrics)
            findings.append(Finding(symptom.kind, message, symptom.advice, symptom.fatal))
    return findings


def _percent(metrics: Metrics) -> str:
    return f"{50 * (metrics['d_real_accuracy'] + metrics['d_fake_accuracy']):.1f} %"
