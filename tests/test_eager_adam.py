"""Adam without the wrappers of torch's compiler: torch's own, to the bit."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from inkgan.eager_adam import EagerAdam


def trained(kind: type[torch.optim.Adam], *, fused: bool, restored_at: int = -1) -> nn.Module:
    """Take some steps, in which the optimizer is once replaced by one of the same state."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1))
    groups = [{"params": list(network[0].parameters())}]
    optimizer = kind(groups, lr=0.1, betas=(0.5, 0.9), fused=fused)
    optimizer.add_param_group({"params": list(network[2].parameters()), "lr": 0.01})
    for step in range(4):
        if step == restored_at:
            saved = optimizer.state_dict()
            optimizer = kind([{"params": group["params"]} for group in optimizer.param_groups])
            optimizer.load_state_dict(saved)
        optimizer.zero_grad()
        (network(torch.randn(6, 5)) ** 2).sum().backward()
        optimizer.step()
    return network


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("restored_at", [-1, 2])
def test_it_is_torchs_adam_to_the_bit(fused: bool, restored_at: int) -> None:
    expected = trained(torch.optim.Adam, fused=fused).state_dict()
    found = trained(EagerAdam, fused=fused, restored_at=restored_at).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_a_training_loads_no_compiler_and_no_statistics(tmp_path: Path) -> None:
    """Each takes one or two seconds of every start."""
    code = (
        "import sys, inkgan; inkgan.train('mlp', data='uci-digits', images=64, out=sys.argv[1], "
        "overrides={'schedule.batch_size': 32}, threads=1); "
        "print(sys.modules.keys() & {'torch._dynamo', 'sklearn', 'scipy.stats', 'pandas'})"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
