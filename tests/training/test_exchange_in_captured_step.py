"""Processes that exchange tensors while a step is recorded and replayed: NCCL on GPUs.

The same script runs on CPUs, by gloo and without a recording, so that the test itself is tested.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fixtures import captured_training
from tests.fixtures.many_processes import several


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_processes_train_as_one_does_with_a_captured_step(device: str, tmp_path: Path) -> None:
    """As many processes as GPUs; one process exchanges with itself."""
    count = 1 if device == "cpu" else torch.cuda.device_count()
    with several(count, captured_training.__name__, str(tmp_path / "result"), device) as processes:
        assert [process.wait(timeout=240) for process in processes] == [0] * count
    results: dict[str, dict[str, Any]] = {
        name: json.loads((tmp_path / f"result-{name}").read_text())
        for name in captured_training.RUNS
    }
    for name, result in results.items():
        milliseconds = 1000 * result["seconds"]
        print(f"{name}: {result['processes']} processes, {milliseconds:.2f} ms a step")
    alone, together, captured = (results[name]["losses"] for name in captured_training.RUNS)
    assert len(alone) == captured_training.STEPS
    assert torch.tensor(together).isfinite().all()
    # rounding alone differs, and grows from step to step; convolutions on GPUs round to TF32
    for one, other in ((together, alone), (captured, together)):
        torch.testing.assert_close(torch.tensor(one), torch.tensor(other), rtol=1e-2, atol=1e-2)
