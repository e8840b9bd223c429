"""Runs side by side."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import inkgan
from inkgan import images
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError
from inkgan.evaluation.report.compare import ComparedRun
from inkgan.evaluation.report.recipe_groups import group_by_recipe
from inkgan.io.run_dir import RunFolder
from inkgan.runs.events import Finished
from tests.fixtures.run_folders import copy_small_run


@pytest.fixture
def runs(tiny: Recipe, tmp_path: Path) -> list[Path]:
    other = override(tiny, ["optim.lr=1e-3", "name=other"])
    for name, recipe in (("a", tiny), ("b", other)):
        inkgan.train(recipe, out=tmp_path / name, images=1600)
    return [tmp_path / "a", tmp_path / "b"]


class Page(HTMLParser):
    """Collects the sources of pictures and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def test_page_and_picture(runs: list[Path], tmp_path: Path) -> None:
    comparison = inkgan.compare(runs)
    page, picture = comparison.save(tmp_path / "c")
    text = page.read_text(encoding="utf-8")
    parsed = Page()
    parsed.feed(text)
    assert len(parsed.sources) == 2 * 3 + 1  # grids at 0, 1,472 and 1,600 images, and the curves
    assert all(source.startswith("data:image/") for source in parsed.sources)
    assert "http" not in re.sub(r"data:image/[^\"]*", "", text)
    assert "<td>optim.lr</td><td>0.0002</td><td>0.001</td>" in text
    assert "1,600" in text
    values = json.loads(json.dumps(comparison.to_dict()))
    assert values["settings"]["optim.lr"] == ["0.0002", "0.001"]
    assert f"evaluate {runs[0]}, {runs[1]} first" in values["comparisons"][0]["sentence"]
    sheet = images.read_picture(picture)
    assert sheet.shape[2] == 3
    assert sheet.shape[1] > 1000


def test_names_are_escaped_and_told_apart(tiny: Recipe, tmp_path: Path) -> None:
    paths = [tmp_path / "x" / "<b>", tmp_path / "y" / "<b>"]
    for path in paths:
        inkgan.train(tiny, out=path, images=64)
    comparison = inkgan.compare(paths)
    page, _ = comparison.save(tmp_path / "c")
    text = page.read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "&lt;b&gt;" in text
    assert "the recipes are equal" in text
    shown = comparison._repr_html_()
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown


def test_runs_on_different_data_are_told_apart(tiny: Recipe, tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", images=chance.integers(0, 256, (300, 28, 28), np.uint8))
    own = override(tiny, {"data.name": f"npz:{tmp_path / 'own.npz'}"})
    for name, recipe in (("a", tiny), ("b", own), ("c", tiny)):
        inkgan.train(recipe, out=tmp_path / name, images=64)
    comparison = inkgan.compare([tmp_path / "a", tmp_path / "b"])
    assert "trained on different data" in comparison.cautions[0]
    assert "trained on different data" in comparison._repr_html_()
    assert not inkgan.compare([tmp_path / "a", tmp_path / "c"]).cautions


def test_bad_requests(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two runs"):
        inkgan.compare([tmp_path])
    with pytest.raises(ArtifactError, match="no run folder"):
        inkgan.compare([tmp_path, tmp_path])
    run = copy_small_run(tmp_path / "run")
    with pytest.raises(ConfigError, match=r"names .*run twice"):
        inkgan.compare([run, copy_small_run(tmp_path / "other"), tmp_path / "other" / ".." / "run"])


def test_totals_and_captions_agree(tiny: Recipe, tmp_path: Path) -> None:
    """Of a run that was stopped in the middle of a window of metrics."""
    updates = iter(range(10**9))
    events = inkgan.train_iter(
        tiny, out=tmp_path / "a", should_stop=lambda: next(updates) + 1 >= 60
    )
    assert [event.reason for event in events if isinstance(event, Finished)] == ["interrupted"]
    inkgan.train(tiny, out=tmp_path / "b", images=640)
    comparison = inkgan.compare([tmp_path / "a", tmp_path / "b"])
    for run, count in zip(comparison.runs, (3840, 640), strict=True):
        assert run.facts["training images seen"] == f"{count:,}" == run.stages[-1][0].split()[0]
    facts = comparison.runs[0].facts
    assert facts["epochs"] == "2.6"
    assert facts["discriminator loss"].endswith("(at 3,200 images)")
    assert re.search(r"\(at 2,944 images\)", facts["distance to real images, E3"])


def test_the_best_distance_is_of_a_trained_generator(tiny: Recipe, tmp_path: Path) -> None:
    run = RunFolder(tmp_path, tiny)
    rows = tuple(
        {"step": step, "images": 64 * step, "epoch": 1.0, "seconds": 1.0, "e3_distance": score}
        for step, score in ((0, 1.0), (2, 5.0), (3, 7.0))
    )
    compared = ComparedRun("a", run, "a", rows, (192, 1.0), ())
    assert compared.facts["distance to real images, E3"] == "7.00, best 5.00 (at 128 images)"


def test_groups_are_called_by_what_sets_them_apart(tiny: Recipe, tmp_path: Path) -> None:
    recipes = {
        "a": tiny,
        "b": override(tiny, ["seed=1"]),
        "c": override(tiny, ["optim.lr=1e-3"]),
        "d": override(tiny, ["optim.lr=1e-3", "seed=1"]),
        "e": override(tiny, ["name=other", "optim.beta1=0.1"]),
        "f": override(tiny, ["name=other", "optim.beta1=0.1", "seed=1"]),
        "g": override(tiny, ["notes=x"]),
        "h": override(tiny, ["notes=x", "seed=1"]),
        "i": override(tiny, ["name=third"]),
    }
    groups = group_by_recipe([(n, RunFolder(tmp_path / n, r)) for n, r in recipes.items()])
    assert [group.name for group in groups] == [
        "a, b",  # only the notes tell them from g and h
        "tiny with optim.lr=0.001 (2 seeds)",
        "other (2 seeds)",
        "g, h",
        "i",
    ]
