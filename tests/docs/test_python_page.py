"""The code of docs/python.md runs, and names everything that is public."""

import re
from pathlib import Path

import numpy as np
import pytest

import inkgan
from inkgan.config import names
from inkgan.data.registry import DATASETS
from inkgan.metrics.metric_registry import registered_metrics, unregister_metric
from inkgan.training.diffaug import AUGMENTATIONS
from inkgan.training.losses import LOSSES
from inkgan.training.penalties import PENALTIES

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_has_an_example_of_every_public_name() -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
    described = {"Generator", "Run", "styled"}  # what other calls return, and an older name
    described |= {"fit_extractors_for"}  # takes minutes
    for name in inkgan.__all__:
        assert f"`{name}`" in TEXT or f"`inkgan.{name}" in TEXT, name
        assert f"inkgan.{name}" in code or name in described, name


@pytest.mark.usefixtures("small_mnist", "keeps_baselines")
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    code = "\n".join(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
    found: dict[str, object] = {}
    try:
        exec(compile(code, str(PAGE), "exec"), found)
    finally:
        LOSSES.pop("squares", None)
        PENALTIES.pop("drift", None)
        AUGMENTATIONS.pop("flip", None)
        for registry in (names.LOSSES, names.PENALTIES, names.AUGMENTATIONS):
            registry._registered.clear()
        DATASETS.pop("squares", None)
        if "ink" in registered_metrics():
            unregister_metric("ink")
    for name in (
        "generator",
        "line",
        "film",
        "mine",
        "result",
        "run",
        "report",
        "comparison",
        "board",
    ):
        assert re.fullmatch(r"<[A-Z]\w+ .{10,300}>", repr(found[name])), name  # in one line
    shapes = {name: np.asarray(found[name]).shape for name in ("sevens", "different", "steps")}
    assert shapes == {"sevens": (5, 28, 28), "different": (3, 28, 28), "steps": (5, 28, 28)}
    written = ["date.svg", "morph.gif", "mine.png", "report.html", "benchmark.md", "digits.html"]
    for name in written:
        assert Path(name).stat().st_size > 500, name
