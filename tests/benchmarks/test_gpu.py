"""The measurement of GPUs, tried on a CPU."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu


def test_a_cpu_is_measured_without_recordings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "WARM", 1)
    monkeypatch.setattr(gpu, "CHUNKS", (2, 4))
    written = tmp_path / "gpu.json"
    options = ["--device", "cpu", "--data", "uci-digits", "--steps", "2", "--seconds", "0.01"]
    gpu.main([*options, "--recipes", "mlp,flagship", "--json", str(written)])
    result = json.loads(written.read_text(encoding="utf-8"))
    assert [row["recipe"] for row in result["recipes"]] == ["mlp", "flagship"]
    for row in result["recipes"]:
        assert row["plain_ms"] > 0
        assert row["captured_ms"] is None
        assert row["drawn_a_second"] > 0
    assert "| flagship | 64 |" in capsys.readouterr().out


def test_whole_commands_are_timed_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gpu.WHOLE, "mlp", ("--images", "128", "--data", "uci-digits"))
    assert gpu.whole_command("mlp", torch.device("cpu")) > 0.5
