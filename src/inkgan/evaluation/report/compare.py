"""Compare runs: pictures, curves and scores, as a value, a PNG and a self-contained page."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from PIL import Image

from inkgan import files, images
from inkgan.config import Recipe
from inkgan.config.serialize import differences
from inkgan.errors import ArtifactError, ConfigError
from inkgan.evaluation.report.comparison_table import PairedComparison, compare_scores
from inkgan.evaluation.report.recipe_groups import group_by_recipe
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.checkpoint_scorer import DISTANCE
from inkgan.metrics.metric_registry import format_number
from inkgan.plural import counted, duration
from inkgan.printable import path_line
from inkgan.runs.curves import Rows, comparison_pixels
from inkgan.types import UInt8

STAGES = 12  # grids of each run on the page, from noise to the latest


@dataclass(frozen=True)
class ComparedRun:
    """What a comparison shows of one run.

    Attributes:
        name: of its folder.
        run: the folder.
        group: the recipe that it shares with runs of other seeds.
        rows: of metrics.jsonl.
        progress: training images seen, and seconds of training, up to the last checkpoint.
        stages: sample grids from the first to the latest, each with its caption.
    """

    name: str
    run: RunFolder
    group: str
    rows: tuple[dict[str, Any], ...]
    progress: tuple[int, float]
    stages: tuple[tuple[str, UInt8], ...]

    @property
    def title(self) -> str:
        """The recipe and its data set."""
        return f"{self.run.recipe.name} on {self.run.recipe.data.name}"

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """The captions and the stages as data: addresses."""
        return [(label, images.data_uri(grid)) for label, grid in self.stages]

    @property
    def facts(self) -> dict[str, str]:
        """Return how far training has come and the last known value of each figure, as text."""
        last: dict[str, Any] = {}
        for row in self.rows:
            last |= row
        images, seconds = self.progress
        epochs = "not known"
        if last.get("images"):
            epochs = f"{last['epoch'] * images / last['images']:.1f}"
        shown = {
            "training images seen": f"{images:,}",
            "epochs": epochs,
            "training time": duration(seconds),
            "distance to real images, E3": self._distance(images),
        }
        for key, label in (
            ("d_loss", "discriminator loss"),
            ("g_loss", "generator loss"),
            ("d_real_accuracy", "discriminator accuracy, real"),
            ("d_fake_accuracy", "discriminator accuracy, generated"),
            ("images_per_second", "images/s"),
        ):
            newest = next((r for r in reversed(self.rows) if r.get(key) is not None), None)
            shown[label] = "not measured"
            if newest is not None:
                shown[label] = format_number(newest[key]) + _at(newest["images"], images)
        return shown

    def _distance(self, images: int) -> str:
        """Write the last distance and the best one; an untrained generator is never the best."""
        scored = [row for row in self.rows if DISTANCE in row]
        if not scored:
            return "not measured"
        last, trained = scored[-1], [row for row in scored if row["images"] > 0]
        text = f"{last[DISTANCE]:.2f}{_at(last['images'], images)}"
        best = min(trained, key=lambda row: row[DISTANCE], default=last)
        if best[DISTANCE] < last[DISTANCE] and trained:
            text += f", best {best[DISTANCE]:.2f}{_at(best['images'], images)}"
        return text


def _at(here: int, end: int) -> str:
    """Say where something was measured, if that was not at the end."""
    return "" if here == end else f" (at {here:,} images)"


@dataclass(frozen=True)
class Comparison:
    """The result of `inkgan.compare`. In a notebook it shows itself as tables and curves.

    Attributes:
        runs: what is shown of each run.
        scores: each recipe compared with the first one by its scores.

    Examples:
        >>> comparison = inkgan.compare(["runs/dcgan", "runs/vanilla"])  # doctest: +SKIP
        >>> comparison.sentences  # doctest: +SKIP
        >>> comparison.save("comparison")  # doctest: +SKIP
    """

    runs: tuple[ComparedRun, ...]
    scores: tuple[PairedComparison, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Which recipe is better by which metrics, and where the intervals do not tell."""
        return tuple(scores.sentence for scores in self.scores)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the comparison: different data, and many metrics that differ by chance."""
        data = tuple(dict.fromkeys(run.run.recipe.data.name for run in self.runs))
        other = (
            f"The runs were trained on different data ({', '.join(data)}): distances and curves of "
            "the training are to images of each run's own set, and do not compare.",
        )
        by_chance = dict.fromkeys(scores.caution for scores in self.scores if scores.caution)
        return (*(other if len(data) > 1 else ()), *by_chance)

    def curves(self) -> UInt8:
        """Draw the curves of all runs in the same panels, one color a recipe; uint8 (H, W, 3)."""
        groups: dict[str, list[Rows]] = {}
        for run in self.runs:
            groups.setdefault(run.group, []).append(run.rows)
        return comparison_pixels(groups)

    def to_dict(self) -> dict[str, Any]:
        """Return facts, differing settings and compared scores as plain values."""
        return {
            "runs": [{"name": run.name, "facts": run.facts} for run in self.runs],
            "settings": dict(self._settings()),
            "comparisons": [scores.to_dict() for scores in self.scores],
        }

    def save(self, folder: str | Path) -> tuple[Path, Path]:
        """Write compare.html, one file with its pictures, and compare.png.

        Returns:
            The paths of the page and of the picture.
        """
        curves = self.curves()
        page_path, picture_path = Path(folder) / "compare.html", Path(folder) / "compare.png"
        images.save_png(picture_path, _sheet(self.runs, curves))
        files.write_text(page_path, self._render("compare.html", curves))
        return page_path, picture_path

    def __repr__(self) -> str:
        return f"<Comparison of the runs {', '.join(run.name for run in self.runs)}>"

    def _repr_html_(self) -> str:
        """Return sentences, tables and curves as HTML, without anything to load."""
        return self._render("compare_tables.html", self.curves())

    def _settings(self) -> list[tuple[str, list[str]]]:
        return _recipe_table({run.name: run.run.recipe for run in self.runs})

    def _render(self, template: str, curves: UInt8) -> str:
        environment = Environment(loader=PackageLoader("inkgan.evaluation.report"), autoescape=True)
        return environment.get_template(template).render(
            runs=self.runs,
            comparisons=self.scores,
            cautions=self.cautions,
            titles=list(dict.fromkeys(run.group for run in self.runs)),
            facts=list(self.runs[0].facts),
            settings=self._settings(),
            curves=images.data_uri(curves),
        )


def compare(runs: Sequence[str | Path]) -> Comparison:
    """Compare two or more runs: pictures, curves, settings, and scores where there are any.

    Runs that differ only in their seed count as one recipe and are paired seed by seed. Scores are
    those of `inkgan.evaluate`, whose reports are read from the run folders.

    Args:
        runs: run folders, two or more.

    Returns:
        The comparison: it shows itself in a notebook; `.save(folder)` writes a page and a picture.

    Raises:
        ConfigError: fewer than two runs, or one of them twice.
        ArtifactError: a folder is no run, has no sample grid yet, or a report is of something else.
    """
    if len(runs) < 2:
        raise ConfigError("`runs` must name two runs or more")
    opened = [RunFolder.open(Path(path)) for path in runs]
    places = [run.path.resolve() for run in opened]
    twice = next(
        (run.path for run, at in zip(opened, places, strict=True) if places.count(at) > 1), None
    )
    if twice is not None:
        raise ConfigError(f"`runs` names {twice} twice; a run is compared with others")
    named = list(zip(_names(runs), opened, strict=True))
    groups = {name: group.name for group in group_by_recipe(named) for name, _ in group.members}
    if len(set(groups.values())) < 2:  # runs of one recipe are compared one by one
        groups = {name: name for name, _ in named}
    compared = [_read(name, run, groups[name]) for name, run in named]
    return Comparison(tuple(compared), tuple(compare_scores(named)))


def _names(runs: Sequence[str | Path]) -> list[str]:
    """Name runs by their folders, or by whole paths where two folders are called the same."""
    short = [path_line(Path(run).resolve().name) for run in runs]
    return short if len(set(short)) == len(short) else [path_line(run) for run in runs]


def _read(name: str, run: RunFolder, group: str) -> ComparedRun:
    frames = run.frames()
    chosen = sorted({round(i * (len(frames) - 1) / (STAGES - 1)) for i in range(STAGES)})
    batch = run.recipe.schedule.images_per_step
    read = [(frames[i], run.read_frame(frames[i])) for i in chosen] if frames else []
    stages = [
        (counted(run.step_of(path) * batch, "image"), frame)
        for path, frame in read
        if frame is not None
    ]
    if not stages:
        raise ArtifactError(f"{run.path} has no readable sample grid; train it first")
    rows = tuple(run.rows())
    return ComparedRun(name, run, group, rows, _progress(run, rows, frames), tuple(stages))


def _progress(
    run: RunFolder, rows: Sequence[dict[str, Any]], frames: Sequence[Path]
) -> tuple[int, float]:
    """Return the images seen and the seconds trained; metrics alone may end a window earlier."""
    images = max((row["images"] for row in rows), default=0)
    seconds = max((row["seconds"] for row in rows), default=0.0)
    batch = run.recipe.schedule.images_per_step
    images = max(images, run.step_of(frames[-1]) * batch)
    with contextlib.suppress(ArtifactError):  # the metrics have the images then
        saved = run.load_checkpoint("last")
        if saved is not None:
            images = max(images, int(saved[1]["step"]) * batch)
            seconds = max(seconds, float(saved[1]["seconds"]))
    return images, seconds


def _sheet(compared: Sequence[ComparedRun], curves: UInt8) -> UInt8:
    """Lay the latest grids side by side above the curves, all in one width."""
    width = curves.shape[1]
    tile = width // max(len(compared), 3)
    top = []
    for one in compared:
        label, grid = one.stages[-1]
        size = (tile - 12, round(grid.shape[0] * (tile - 12) / grid.shape[1]))
        scaled = Image.fromarray(grid).resize(size, Image.Resampling.LANCZOS).convert("RGB")
        top.append(images.caption(np.asarray(scaled), f"{one.name}, {label}"))
    height = max(part.shape[0] for part in top) + 12
    strip = Image.new("RGB", (width, height), "white")
    left = (width - tile * len(top)) // 2
    for index, part in enumerate(top):
        strip.paste(Image.fromarray(part), (left + index * tile + 6, 6))
    return np.concatenate([np.asarray(strip), curves])


def _recipe_table(recipes: Mapping[str, Recipe]) -> list[tuple[str, list[str]]]:
    """List each setting in which any recipe differs from the first, with all values."""
    first, *others = recipes.values()
    keys: dict[str, list[str]] = {}
    for position, other in enumerate(others, start=1):
        for key, old, new in differences(first, other):
            if key in ("notes", "name"):
                continue
            values = keys.setdefault(key, [_shown(old)] * len(recipes))
            values[position] = _shown(new)
    return list(keys.items())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(_shown(item) for item in value)
    return "none" if value is None else str(value)
