"""inkgan benchmark: the table, with floors, gone on with when it is asked for again."""

from pathlib import Path

import pytest

from inkgan.benchmark import Entry, Plan, benchmark, page
from inkgan.errors import ConfigError
from inkgan.recipes import get_recipe
from inkgan.toml import override, to_toml
from judge_fixtures import as_npz, small_reference


def test_the_benchmark_is_a_table_with_floors(tmp_path: Path, keeps_floors: None) -> None:
    short = override(
        get_recipe("mlp"), ["data.name=uci-digits", "schedule.images=640", "name=short"]
    )
    (tmp_path / "short.toml").write_text(to_toml(short))
    reference = as_npz(tmp_path / "reference.npz", small_reference())
    plan = Plan(
        (str(tmp_path / "short.toml"),), (0, 1), None, "quick", tmp_path / "runs",
        reference=f"npz:{reference}",
    )  # fmt: skip
    entries: list[Entry] = list(benchmark(plan))
    assert [(entry.name, entry.seed) for entry in entries[:2]] == [("short", 0), ("short", 1)]
    text = page(entries, plan, "inkgan benchmark")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + 3 + 1
    assert len({line.count("|") for line in table}) == 1
    assert "floor: real against real" in table[-1]
    assert "| 640 |" in table[2]
    again = list(benchmark(plan))
    assert all(entry.judged.cached for entry in again)
    assert page(again, plan, "inkgan benchmark") == text


def test_an_empty_benchmark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a recipe and a seed"):
        list(benchmark(Plan((), (0,), None, "quick", tmp_path)))
