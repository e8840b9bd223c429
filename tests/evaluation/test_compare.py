"""Runs side by side."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import inkgan
from inkgan import images
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError


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
    assert len(parsed.sources) >= 2 * 3 + 1
    assert all(source.startswith("data:image/") for source in parsed.sources)
    assert "http" not in re.sub(r"data:image/[^\"]*", "", text)
    assert "<td>optim.lr</td><td>0.0002</td><td>0.001</td>" in text
    assert "1,600" in text
    values = json.loads(json.dumps(comparison.to_dict()))
    assert values["settings"]["optim.lr"] == ["0.0002", "0.001"]
    assert "a has not been evaluated" in values["comparisons"][0]["sentence"]
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


def test_bad_requests(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two runs"):
        inkgan.compare([tmp_path])
    with pytest.raises(ArtifactError, match="no run folder"):
        inkgan.compare([tmp_path, tmp_path])
