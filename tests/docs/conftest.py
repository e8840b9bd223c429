"""Fixtures for documents whose code runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkgan.evaluation import evaluate, generator_style
from inkgan.runs import active_run, trainer
from tests.fixtures.references import small_reference


def write_idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(head + array.astype(np.uint8).tobytes())


@pytest.fixture
def small_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a few real digits where MNIST is looked for; evaluate, and score checkpoints by, few."""
    digits = small_reference()
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    for split, pixels, labels in (
        ("train", digits.train[:600], digits.train_labels[:600]),
        ("t10k", digits.test[:300], digits.test_labels[:300]),
    ):
        write_idx(tmp_path / "data" / "mnist" / f"{split}-images-idx3-ubyte", pixels)
        write_idx(tmp_path / "data" / "mnist" / f"{split}-labels-idx1-ubyte", labels)
    monkeypatch.setenv("INKGAN_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(
        evaluate.PROTOCOLS, "quick", replace(evaluate.PROTOCOLS["quick"], images=300)
    )
    monkeypatch.setattr(generator_style, "STYLE_LATENTS", 10)
    for module in (active_run, trainer):
        monkeypatch.setattr(module, "SCORED_IMAGES", 100)
