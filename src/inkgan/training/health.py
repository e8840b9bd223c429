"""The health monitor: what is wrong with a run, and what to try.

It examines the mean metrics of each window, and the scores of each evaluation. A symptom is
reported when it has lasted for some windows, and again only after it has gone.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inkgan.config import Recipe
from inkgan.config.data_config import Augment
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
class Advice:
    """Something to try, unless a recipe has it already or has no place for it."""

    text: str
    helps: Callable[[Recipe], bool] = lambda recipe: True


@dataclass(frozen=True)
class Symptom:
    """A test of one window and how many windows in a row must show it.

    `say` describes it, from the metrics and the names of the classes.
    """

    kind: str
    shows: Callable[[Metrics], bool]
    patience: int
    say: Callable[[Metrics, Sequence[str]], str]
    advice: tuple[Advice, ...]
    fatal: bool = False


def _dropout(recipe: Recipe) -> float | None:
    """Return the discriminator's dropout, None where it has no such layers."""
    dropout: float | None = getattr(recipe.model.discriminator, "dropout", None)
    return dropout


def _has_other_norm(recipe: Recipe) -> bool:
    """Tell whether the generator has classes, and norms that do not know them."""
    generator = recipe.model.generator
    return recipe.model.classes > 0 and generator.conditioning not in (None, "conditional-bn")


LOWER_RATE = Advice("a lower `optim.lr`")
OTHER_SEED = Advice("another `seed`")


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
        lambda m, classes: "A loss or gradient is no longer a number: the weights are lost.",
        (
            LOWER_RATE,
            Advice("`optim.max_grad_norm=5`", lambda recipe: recipe.optim.max_grad_norm is None),
            Advice("`on_trouble=rollback`"),
        ),
        fatal=True,
    ),
    Symptom(
        "d-wins",
        _d_wins,
        8,
        lambda m, classes: (
            f"The discriminator wins: it classifies {_percent(m)} of the images correctly, so "
            "the generator gets hardly any gradient."
        ),
        (
            Advice("`model.discriminator.dropout=0.3`", lambda recipe: _dropout(recipe) == 0),
            LOWER_RATE,
            Advice("`data.augment=shift:2`", lambda recipe: recipe.data.augment == Augment()),
            Advice(
                "`objective.loss=non-saturating`",
                lambda recipe: recipe.objective.loss == "minimax",
            ),
        ),
    ),
    Symptom(
        "d-lost",
        _d_lost,
        8,
        lambda m, classes: "The discriminator is fooled by everything and teaches nothing.",
        (
            Advice("less `model.discriminator.dropout`", lambda r: bool(_dropout(r))),
            Advice("a wider discriminator"),
            LOWER_RATE,
        ),
    ),
    Symptom(
        "collapse",
        _collapsed,
        8,
        lambda m, classes: (
            f"The generator has collapsed: the standard deviation of its pixels is "
            f"{m['fake_pixel_std']:.3f}, that of real images {m['real_pixel_std']:.3f}; it draws "
            "nearly the same image each time."
        ),
        (
            LOWER_RATE,
            Advice("`optim.beta1=0.5`", lambda recipe: recipe.optim.beta1 > 0.5),
            Advice("more `model.discriminator.dropout`", lambda r: _dropout(r) is not None),
            OTHER_SEED,
        ),
    ),
    Symptom(
        "frozen",
        _frozen,
        4,
        lambda m, classes: "The generator's gradient has vanished: it no longer learns.",
        (
            Advice(
                "`objective.loss=non-saturating`",
                lambda recipe: recipe.objective.loss == "minimax",
            ),
            Advice(
                "`objective.loss=least-squares`",
                lambda recipe: recipe.objective.loss in ("minimax", "non-saturating"),
            ),
            Advice("a weaker discriminator"),
        ),
    ),
)


EVALUATED = (
    Symptom(
        "class-collapse",
        lambda m: m.get("class_variety", 1.0) < 0.35,
        3,
        lambda m, classes: (
            f"One class has collapsed: the images of class {classes[int(m['least_varied'])]} vary "
            f"{100 * m['class_variety']:.0f} % as much as real ones do, even if the grid looks "
            "good."
        ),
        (
            Advice("`model.generator.conditioning=conditional-bn`", _has_other_norm),
            Advice("a longer `schedule.ema_half_life`"),
            Advice("`objective.penalties`", lambda recipe: not recipe.objective.penalties.any),
            OTHER_SEED,
        ),
    ),
)


def examine(metrics: Metrics, state: TrainState, recipe: Recipe) -> list[Finding]:
    """Examine the metrics of one window.

    Args:
        metrics: means over the window.
        state: keeps the streaks, so resuming keeps them.
        recipe: that is trained; what it has already is not advised.
    """
    return _examine(SYMPTOMS, metrics, state, recipe, ())


def examine_scores(
    scores: Metrics, state: TrainState, recipe: Recipe, classes: Sequence[str]
) -> list[Finding]:
    """Examine the scores of one evaluation in the same way; `classes` are the classes' names."""
    return _examine(EVALUATED, scores, state, recipe, classes)


def advise(symptom: Symptom, recipe: Recipe) -> str:
    """Return what can be tried with a recipe, such as "a lower `optim.lr`, or another `seed`"."""
    texts = [advice.text for advice in symptom.advice if advice.helps(recipe)]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])}, or {texts[-1]}"


def _examine(
    symptoms: Sequence[Symptom],
    metrics: Metrics,
    state: TrainState,
    recipe: Recipe,
    classes: Sequence[str],
) -> list[Finding]:
    findings = []
    for symptom in symptoms:
        streak = state.streaks.get(symptom.kind, 0) + 1 if symptom.shows(metrics) else 0
        state.streaks[symptom.kind] = streak
        if streak == symptom.patience:
            message = symptom.say(metrics, classes)
            advice = f"{advise(symptom, recipe)}."
            findings.append(Finding(symptom.kind, message, advice, symptom.fatal))
    return findings


def _percent(metrics: Metrics) -> str:
    return f"{50 * (metrics['d_real_accuracy'] + metrics['d_fake_accuracy']):.1f} %"
