"""The benchmark of drawing times what it names; how fast anything is, no test asks."""

import itertools
import json
import time
from pathlib import Path

import pytest

import inkgan
from benchmarks import drawing


def test_a_rate_counts_images_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part takes half a second for eight images: five of them pass two seconds."""
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    def part() -> int:
        clock[0] += 0.5
        return 8

    assert drawing.rate(part, 2.0) == 16
    assert drawing.rate(part, 0.0) == 16  # once at least


def test_operations_are_those_of_the_layers() -> None:
    """Of `mlp`: a dense layer of n inputs and m outputs takes 2 n m."""
    widths = [100, 256, 512, 1024, 784]
    expected = sum(2 * a * b for a, b in itertools.pairwise(widths))
    assert drawing.flops(inkgan.load("mlp")) == expected


def test_all_parts_are_timed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "drawing.json"
    command = "drawing --generator mlp --rounds 1 --seconds 0.01 --per-class 2"
    monkeypatch.setattr("sys.argv", [*command.split(), "--json", str(target)])
    drawing.main()
    found = json.loads(target.read_text(encoding="utf-8"))
    names = {
        f"{part}, {precision}"
        for part in ("network", "sample", "classify", "synth")
        for precision in ("float32", "bfloat16")
    }
    assert set(found["images_per_second"]) == names
    assert all(0 < v["min"] <= v["median"] <= v["max"] for v in found["images_per_second"].values())
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == len(names) + 1
    assert "of" in printed.splitlines()[-1]
