"""Several processes train as one does: the same losses and weights, for everything in a recipe."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.fixtures import divided_training
from tests.fixtures.many_processes import several


@pytest.fixture(scope="module")
def alone() -> dict[str, torch.Tensor]:
    """Train everything with one process."""
    results = divided_training.train_all()
    return {f"{case}/{name}": t for case, of in results.items() for name, t in of.items()}


@pytest.mark.parametrize("count", [2, 4])
def test_several_processes_train_as_one_does(
    count: int, alone: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    with several(count, divided_training.__name__, str(tmp_path / "result")) as processes:
        assert [process.wait(timeout=300) for process in processes] == [0] * count
    first, again = (load_file(tmp_path / f"result-{number}") for number in (1, 2))
    assert first.keys() == alone.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, again[name]), name  # the same bits each time
        # sums of metrics over a window are kept in float32
        tolerance = 1e-6 if tensor.dtype == torch.float32 else 1e-10
        torch.testing.assert_close(tensor, alone[name], rtol=tolerance, atol=tolerance)
