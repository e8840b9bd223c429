"""A researcher's page: the code of docs/extend.md, and what has to come of it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkgan
from inkgan.errors import ConfigError
from inkgan.evaluation.evaluate import PROTOCOLS
from inkgan.metrics.metric_registry import unregister_metric
from tests.fixtures.references import as_npz, small_reference

PAGE = Path(__file__).parents[1] / "docs" / "extend.md"


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = pytest.importorskip("onnxruntime")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 120
    monkeypatch.setitem(PROTOCOLS, "quick", replace(PROTOCOLS["quick"], images=300))
    monkeypatch.chdir(tmp_path)
    as_npz(tmp_path / "digits.npz", small_reference())
    found: dict[str, object] = {}
    try:
        exec(compile(code, str(PAGE), "exec"), found)
        run, generator = found["run"], found["generator"]
        assert isinstance(run, inkgan.Run)
        assert isinstance(generator, inkgan.Generator)
        assert generator.bundle.images_seen == 2560
        assert run.recipe.model.generator.model_dump() == {
            "family": "custom",
            "class_name": "MyGenerator",
        }
        digits = found["digits"]
        assert isinstance(digits, np.ndarray)
        assert digits.shape == (10, 28, 28)
        assert np.array_equal(run.generator().sample(range(10), seeds=3), digits)
        again = inkgan.evaluate(run, protocol="quick", reference="npz:digits.npz")
        report: Any = found["report"]
        assert str(again.scores["ink"]) == str(report.scores["ink"])
        session = onnx.InferenceSession("mine.onnx")
        assert [value.name for value in session.get_inputs()] == ["latent", "label"]
        with pytest.raises(ConfigError, match=r"pass `generator=MyGenerator`"):
            inkgan.load("runs/mine")
    finally:
        if "ink" in inkgan.metrics.metric_registry.registered_metrics():
            unregister_metric("ink")
