"""What a sweep has found: its trials, the best recipe, and the page that shows them."""

import html
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from inkgan.config import Recipe
from inkgan.config.serialize import differences, to_toml
from inkgan.files import write_json, write_text
from inkgan.plural import counted
from inkgan.sweeps.page import SweepPage, render
from inkgan.sweeps.plan import SweepPlan
from inkgan.sweeps.trial_record import TrialRecord

PAGE, BEST, RESULT = "sweep.html", "best.toml", "sweep.json"
UNCHANGED = {"name", "notes"}


@dataclass(frozen=True)
class SweepResult:
    """What `inkgan.sweep` returns; in a notebook it shows its page.

    Attributes:
        plan: what was searched, and how each trial was trained.
        out: the folder of the run folders, of sweep.html and of best.toml.
        trials: in the order in which they began.
        importances: how much of the variation each field explains, in sum 1; empty below ten
            complete trials.
    """

    plan: SweepPlan
    out: Path
    trials: tuple[TrialRecord, ...]
    importances: dict[str, float] = field(default_factory=dict)

    @property
    def ranked(self) -> list[TrialRecord]:
        """The trials, the best complete one first."""
        return sorted(self.trials, key=lambda trial: trial.sort_key)

    @property
    def best(self) -> TrialRecord | None:
        """The complete trial with the smallest distance; None before one is complete."""
        ranked = self.ranked
        return ranked[0] if ranked and ranked[0].state == "complete" else None

    @cached_property
    def best_recipe(self) -> Recipe | None:
        """The recipe of the best trial, as best.toml has it; None before one is complete."""
        if self.best is None:
            return None
        return self.plan.best_recipe(self.best.values, self.best.number)

    def summary(self) -> str:
        """Say in a sentence how the sweep went."""
        states = [trial.state for trial in self.trials]
        parts = [
            counted(states.count("complete"), "complete trial"),
            f"{states.count('pruned'):,} ended early",
        ]
        for state, words in (("failed", "lost"), ("running", "running")):
            if state in states:
                parts.append(f"{states.count(state):,} {words}")
        text = ", ".join(parts)
        if self.best is None:
            return f"{text}; none is complete yet" if self.trials else "no trial has begun"
        values = ", ".join(f"{key} = {value}" for key, value in self.shown_values(self.best))
        best = f"trial {self.best.number}, distance {self.best.distance:.2f}"
        return f"{text}; the best is {best}: {values}"

    def shown_values(self, trial: TrialRecord) -> list[tuple[str, str]]:
        """Return the settings of a trial as they are written."""
        return [
            (dimension.field, _shown(dimension.rounded(trial.values[dimension.field])))
            for dimension in self.plan.space.dimensions
            if dimension.field in trial.values
        ]

    def save(self) -> None:
        """Write sweep.html, sweep.json and best.toml into the folder of the sweep."""
        write_text(self.out / PAGE, self.to_html())
        write_json(self.out / RESULT, self.to_dict())
        if self.best_recipe is not None:
            write_text(self.out / BEST, to_toml(self.best_recipe))

    def to_html(self) -> str:
        """Return the page: one file, no script, nothing to load."""
        best = self.best_recipe
        changes = []
        if best is not None:
            changes = [d for d in differences(self.plan.recipe, best) if d[0] not in UNCHANGED]
        return render(
            SweepPage(
                title=f"{self.plan.recipe.name} on {self.plan.recipe.data.name}",
                summary=self.summary(),
                dimensions=self.plan.space.dimensions,
                ranked=self.ranked,
                best=self.best,
                changes=[(key, _shown(old), _shown(new)) for key, old, new in changes],
                toml="" if best is None else to_toml(best),
                best_path=self.out / BEST,
                minutes=self.plan.options.minutes,
                importances=self.importances,
                facts=self._facts(),
            )
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as sweep.json holds them."""
        return {
            "recipe": self.plan.recipe.name,
            "search": self.plan.space.as_text(),
            "minutes": self.plan.options.minutes,
            "best": None if self.best is None else self.best.to_dict(),
            "importances": self.importances,
            "trials": [trial.to_dict() for trial in self.trials],
        }

    def _facts(self) -> list[tuple[str, str]]:
        recipe, options = self.plan.recipe, self.plan.options
        budget = "whole recipes"
        if options.minutes is not None:
            budget = f"{options.minutes:g} minutes each"
        elif recipe.schedule.images is not None:
            budget = f"{recipe.schedule.images:,} images each"
        elif recipe.schedule.epochs:
            budget = f"{counted(recipe.schedule.epochs, 'epoch')} each"
        return [
            ("recipe", recipe.name),
            ("data", recipe.data.name),
            ("budget of a trial", budget),
            ("seed of the trials", str(recipe.seed)),
            ("score", "smallest distance of a checkpoint to validation images"),
            ("trials end early", "when worse than the median" if self.plan.prunes else "never"),
        ]

    def _repr_html_(self) -> str:
        frame = html.escape(self.to_html(), quote=True)
        return f'<iframe srcdoc="{frame}" style="width: 100%; height: 40rem; border: 0"></iframe>'


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "unset" if value is None else str(value)
