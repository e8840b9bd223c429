"""The page of the benchmark: parts that were trained one after the other make one table."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from inkgan.evaluation.benchmark_plan import mnist_recipes
from inkgan.evaluation.report.leaderboard import LeaderboardEntry
from inkgan.evaluation.report.leaderboard_page import BenchmarkSettings, Leaderboard
from tests.docs.test_generated import script
from tests.evaluation.test_benchmark import entry

PART = BenchmarkSettings("inkgan benchmark", 20.0, "quick", "mnist", 2)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the script, which writes into a folder of the test."""
    module = script("benchmark_page")
    monkeypatch.setattr(module, "PAGE", tmp_path / "benchmark.md")
    monkeypatch.setattr(module, "ENTRIES", tmp_path / "benchmark.jsonl")
    return module


def add(page: ModuleType, monkeypatch: pytest.MonkeyPatch, *entries: LeaderboardEntry) -> None:
    """Add the entries of a part."""
    part = page.PAGE.with_name("part.json")
    board: dict[str, Any] = Leaderboard(entries, PART).to_dict()
    part.write_text(json.dumps(board), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["benchmark_page.py", str(part)])
    page.main()


def of_every_recipe(seed: int, distance: float) -> list[LeaderboardEntry]:
    return [entry(name, seed, fd_e1=distance) for name in mnist_recipes()]


def test_parts_make_one_table(page: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = of_every_recipe(0, 30.0), of_every_recipe(1, 32.0)
    add(page, monkeypatch, *first[:-1])
    assert not page.PAGE.is_file()  # a recipe has no run
    add(page, monkeypatch, first[-1])
    assert "28 of 42 runs are missing" in page.PAGE.read_text(encoding="utf-8")
    failed = replace(first[0], document=None, failure="It broke down.")
    add(page, monkeypatch, *second, failed)  # in place of the run before
    text = page.PAGE.read_text(encoding="utf-8")
    assert "14 of 42 runs are missing" in text
    ordered = sorted([failed, *first[1:], *second], key=lambda each: (each.name, each.seed))
    assert text == Leaderboard(tuple(ordered), page.SETTINGS).to_markdown()
    assert "It broke down." in text


def test_only_what_the_page_shows_is_kept(
    page: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, *others = of_every_recipe(0, 30.0)
    assert long.document is not None
    long.document["confusion"] = [[1]]
    long.document["scores"][0]["replicates"] = [1.0] * 80
    add(page, monkeypatch, long, *others)
    kept = page.read(page.ENTRIES)[long.name, 0]
    assert "confusion" not in kept["document"]
    assert "replicates" not in kept["document"]["scores"][0]
    before = page.PAGE.read_bytes(), page.ENTRIES.read_bytes()
    monkeypatch.setattr("sys.argv", ["benchmark_page.py"])
    page.main()
    assert (page.PAGE.read_bytes(), page.ENTRIES.read_bytes()) == before


def test_the_page_shows_the_runs_of_the_repository() -> None:
    page = script("benchmark_page")
    entries = page.read(page.ENTRIES)
    written = page.PAGE.read_text(encoding="utf-8") if page.PAGE.is_file() else None
    expected = None
    if page.has_every_recipe(entries):
        expected = page.board(entries.values()).to_markdown("benchmark.png")
    assert written == expected, "run: python docs/benchmark_page.py"
