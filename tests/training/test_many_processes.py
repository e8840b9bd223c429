"""Several processes train as one does: the same losses and weights, for everything in a recipe."""

import re
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from inkgan.device import compute_settings
from inkgan.training.state import METRICS
from tests.fixtures import divided_training
from tests.fixtures.many_processes import several


@pytest.fixture(scope="module")
def alone() -> dict[str, torch.Tensor]:
    """Train everything with one process."""
    with compute_settings(threads=1):  # as the processes do: threads round sums in another order
        return flat(divided_training.train_all())


@pytest.mark.parametrize("count", [2, 4])
def test_several_processes_train_as_one_does(
    count: int, alone: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    with several(count, divided_training.__name__, str(tmp_path / "result")) as processes:
        assert [process.wait(timeout=300) for process in processes] == [0] * count
    first, again = (load_file(tmp_path / f"result-{number}") for number in (1, 2))
    assert first.keys() == alone.keys()
    assert_close(first, alone)
    for name, tensor in again.items():
        assert torch.equal(tensor, first[name]), name  # the same bits each time
    if count == 2:  # what these have saved goes on with one process
        with compute_settings(threads=1):
            resumed = flat(divided_training.resume_all(by_case(first)))
        assert_close(
            {name: t for name, t in resumed.items() if name.endswith("/metrics")},
            {name: t[len(METRICS) :] for name, t in alone.items() if name.endswith("/metrics")},
        )
        last = {name: t for name, t in resumed.items() if not MARKS.search(name)}
        assert len(last) > 1000
        assert_close(last, {name: alone[name] for name in last})


MARKS = re.compile(r"/metrics$|/first/")


def flat(results: divided_training.Results) -> dict[str, torch.Tensor]:
    return {f"{case}/{name}": t for case, of in results.items() for name, t in of.items()}


def by_case(tensors: dict[str, torch.Tensor]) -> divided_training.Results:
    found: divided_training.Results = {}
    for name, tensor in tensors.items():
        case, _, rest = name.partition("/")
        found.setdefault(case, {})[rest] = tensor
    return found


def assert_close(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        # sums of metrics over a window are kept in float32
        tolerance = 1e-6 if tensor.dtype == torch.float32 else 1e-10
        torch.testing.assert_close(
            tensor,
            expected[name],
            rtol=tolerance,
            atol=tolerance,
            msg=partial("{}: {}".format, name),
        )
