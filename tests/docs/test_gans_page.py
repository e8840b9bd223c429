"""The table of docs/gans.md has the derivatives of the losses that training uses."""

import re
from pathlib import Path

import pytest
import torch

from inkgan.training.losses import BUILT_IN, LOSSES

PAGE = Path(__file__).parents[2] / "docs" / "gans.md"


def test_the_pulls_are_the_derivatives_where_the_discriminator_is_sure() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d.]+) \| ([\d.]+) \|$", PAGE.read_text("utf-8"), re.M)
    assert {name for name, _, _ in rows} == BUILT_IN
    for name, *written in rows:
        loss = LOSSES[name]
        for player, pull in zip((loss.g, loss.d), written, strict=True):
            real = torch.tensor([5.0], dtype=torch.float64)
            fake = torch.tensor([-5.0], dtype=torch.float64, requires_grad=True)
            player(real, fake).sum().backward()
            assert fake.grad is not None
            assert abs(float(fake.grad)) == pytest.approx(float(pull), rel=0.02), (name, player)
