"""The Python interface."""

from pathlib import Path

import numpy as np
import pytest

import inkgan
from inkgan.config import Recipe
from inkgan.errors import ArtifactError, ConfigError
from inkgan.runs.events import Event, Finished


def test_train_load_sample(tmp_path: Path) -> None:
    heard: list[Event] = []
    run = inkgan.train(
        "mlp",
        out=tmp_path / "a",
        overrides=["data.name=uci-digits", "schedule.batch_size=32"],
        epochs=1,
        images=320,
        device="cpu",
        on_event=heard.append,
    )
    assert isinstance(run, inkgan.Run)
    assert isinstance(heard[-1], Finished)
    drawn = inkgan.load(tmp_path / "a").sample(seeds=range(10))
    assert drawn.shape == (10, 28, 28)
    assert drawn.dtype == np.uint8
    bundle = inkgan.load(run.bundle_path)
    assert np.array_equal(bundle.sample(seeds=[3]), drawn[3:4])
    assert "320 images seen" in repr(bundle)
    best = inkgan.load(tmp_path / "a", checkpoint="best")
    assert best.bundle.images_seen in (0, 320)
    with pytest.raises(ArtifactError, match="only a run folder"):
        inkgan.load(run.bundle_path, checkpoint="best")


def test_colour_and_own_pictures(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=pictures, labels=np.arange(60) % 3)
    inkgan.train(
        "dcgan",
        out=tmp_path / "a",
        images=64,
        overrides=[f'data.name="npz:{tmp_path / "own.npz"}"', "schedule.batch_size=16"],
    )
    sampler = inkgan.load(tmp_path / "a")
    assert sampler.sample(seeds=[0, 1]).shape == (2, 16, 16, 3)
    assert sampler.bundle.classes == ("0", "1", "2")


def test_clear_errors(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--epochs -1"):
        inkgan.train(tiny, out=tmp_path / "a", epochs=-1)
    with pytest.raises(ArtifactError, match="is no run; train one with"):
        inkgan.load(tmp_path)
    with pytest.raises(ArtifactError, match="no run or bundle"):
        inkgan.load("nothing-of-that-name")


def test_names_of_runs_are_looked_up(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inkgan.train(tiny, out="runs/first", images=64)
    assert inkgan.load("first").bundle.recipe.name == "tiny"
    with pytest.raises(ArtifactError, match="did you mean 'first'"):
        inkgan.load("frist")
