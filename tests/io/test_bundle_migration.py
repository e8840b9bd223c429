"""Checkpoints and metrics of version 0.1.0 under today's names."""

import json
from pathlib import Path

import torch

from inkgan.config import Recipe
from inkgan.config.serialize import to_toml
from inkgan.images import Shape
from inkgan.io import tensors as tensor_files
from inkgan.io.bundle_migration import migrate_checkpoint, migrate_metrics_row
from inkgan.io.run_dir import CHECKPOINT, RunFolder
from inkgan.training.state import new_state

OLD = {"metrics.": "tally.", "g_optimizer.": "g_optimiser.", "d_optimizer.": "d_optimiser."}


def test_a_checkpoint_of_0_1_0_is_restored(tiny: Recipe, tmp_path: Path) -> None:
    state = new_state(tiny, Shape(1, 12, 12), torch.device("cpu"))
    tensors, counters = state.tensors(), state.counters()
    old = {}
    for key, tensor in tensors.items():
        prefix, rest = key.split(".", 1)
        old[OLD.get(f"{prefix}.", f"{prefix}.") + rest] = tensor
    assert "tally.sums" in old
    counters["tally"] = counters.pop("metrics")
    (tmp_path / "recipe.toml").write_text(to_toml(tiny))
    path = tmp_path / "checkpoints" / "last.safetensors"
    tensor_files.write(path, old, {"kind": CHECKPOINT, "counters": counters})
    saved = RunFolder.open(tmp_path).load_checkpoint("last")
    assert saved is not None
    state.restore(*saved)
    assert saved[0].keys() == tensors.keys()


def test_rows_of_0_1_0_are_read(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(to_toml(tiny))
    known = {"step": 1, "images": 64, "epoch": 0.1, "seconds": 0.5}
    row = {**known, "real_spread": 0.4, "fake_spread": 0.3}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    expected = {**known, "real_pixel_std": 0.4, "fake_pixel_std": 0.3}
    assert RunFolder.open(tmp_path).rows() == [expected]


def test_todays_documents_are_left_as_they_are() -> None:
    tensors = {"metrics.sums": torch.zeros(2), "ema.stem.0.weight": torch.ones(1)}
    counters = {"step": 1}
    assert migrate_checkpoint(tensors, counters) == (tensors, counters)
    assert migrate_metrics_row({"step": 1, "d_loss": 2.0}) == {"step": 1, "d_loss": 2.0}
