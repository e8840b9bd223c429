"""Runs side by side: pictures and curves, as one PNG and one self-contained HTML page."""

import base64
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
from inkgan.evaluation.report.comparison_table import contests
from inkgan.io.run_dir import Run
from inkgan.runs.curves import comparison_pixels
from inkgan.types import UInt8

STAGES = 4  # grids of each run shown on the page, from noise to the latest


@dataclass(frozen=True)
class Compared:
    """What the page shows of one run."""

    name: str
    run: Run
    rows: list[dict[str, Any]]
    stages: list[tuple[str, UInt8]]

    @property
    def facts(self) -> dict[str, str]:
        """Return the last known value of each figure, as text."""
        last: dict[str, Any] = {}
        for row in self.rows:
            last |= row
        scores = [row["e3_distance"] for row in self.rows if "e3_distance" in row]
        shown = {
            "images seen": f"{last.get('images', 0):,}",
            "epochs": f"{last.get('epoch', 0):.1f}",
            "training time": f"{last.get('seconds', 0) / 60:.1f} min",
            "distance to validation, last (best)": f"{scores[-1]:.2f} ({min(scores):.2f})"
            if scores
            else "not measured",
        }
        for key, label in (
            ("d_loss", "discriminator's loss"),
            ("g_loss", "generator's loss"),
            ("d_real_accuracy", "discriminator right on real"),
            ("d_fake_accuracy", "discriminator right on fake"),
            ("images_per_second", "images/s"),
        ):
            number = last.get(key)
            shown[label] = "not measured" if number is None else _rounded(number)
        return shown


def compare(runs: Sequence[str | Path], out: str | Path) -> tuple[Path, Path]:
    """Put two or more runs side by side.

    Args:
        runs: run folders.
        out: folder for compare.html and compare.png.

    Returns:
        The paths of the page and of the picture.

    Raises:
        ConfigError: fewer than two runs.
        ArtifactError: a folder is no run or has no picture yet.
    """
    if len(runs) < 2:
        raise ConfigError("compare needs two runs or more: inkgan compare runs/a runs/b")
    compared = [_read(Path(path), name) for path, name in zip(runs, _names(runs), strict=True)]
    folder = Path(out)
    curves = comparison_pixels({one.name: one.rows for one in compared})
    picture_path, page_path = folder / "compare.png", folder / "compare.html"
    images.save_png(picture_path, _sheet(compared, curves))
    files.write_text(page_path, _page(compared, curves))
    return page_path, picture_path


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def _names(runs: Sequence[str | Path]) -> list[str]:
    """Name runs by their folders, or by whole paths where two folders are called the same."""
    short = [Path(run).resolve().name for run in runs]
    return short if len(set(short)) == len(short) else [str(run) for run in runs]


def _read(path: Path, name: str) -> Compared:
    run = Run.open(path)
    frames = run.frames()
    if not frames:
        raise ArtifactError(f"{path} has no sample grid yet; go on with its training first")
    chosen = sorted({round(i * (len(frames) - 1) / (STAGES - 1)) for i in range(STAGES)})
    batch = run.recipe.schedule.images_per_step
    stages = [
        (f"{run.step_of(frames[i]) * batch:,} images", images.read_picture(frames[i]))
        for i in chosen
    ]
    return Compared(name, run, run.rows(), stages)


def _sheet(compared: Sequence[Compared], curves: UInt8) -> UInt8:
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


def _page(compared: Sequence[Compared], curves: UInt8) -> str:
    environment = Environment(loader=PackageLoader("inkgan.evaluation.report"), autoescape=True)
    runs = [
        {
            "name": one.name,
            "title": f"{one.run.recipe.name} on {one.run.recipe.data.name}",
            "stages": [(label, images.data_uri(grid)) for label, grid in one.stages],
            "timeline": _gif_uri(one.run.timeline_path),
            "facts": one.facts,
        }
        for one in compared
    ]
    return environment.get_template("compare.html").render(
        runs=runs,
        contests=contests([(one.name, one.run) for one in compared]),
        facts=list(compared[0].facts),
        differences=_recipe_table({one.name: one.run.recipe for one in compared}),
        curves=images.data_uri(curves),
    )


def _gif_uri(path: Path) -> str | None:
    if not path.is_file():
        return None
    return "data:image/gif;base64," + base64.b64encode(path.read_bytes()).decode()


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
