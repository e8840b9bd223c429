"""The Python interface."""

from pathlib import Path

import numpy as np
import pytest

import inkgan
from inkgan.config import Data, Recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError
from inkgan.folder_lock import locked
from inkgan.io.run_paths import RunPaths
from inkgan.runs.events import Event, Finished, Sampled, Updated


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
    assert best.bundle.images_seen == 320
    with pytest.raises(ArtifactError, match="only run folders do"):
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
    with pytest.raises(ConfigError, match=r"`epochs=-1`"):
        inkgan.train(tiny, out=tmp_path / "a", epochs=-1)
    with pytest.raises(ArtifactError, match="is no run; train one into it first"):
        inkgan.load(tmp_path)
    with pytest.raises(ArtifactError, match="no run or bundle"):
        inkgan.load("nothing-of-that-name")


def test_a_run_without_a_generator_says_why(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = inkgan.train(tiny, out=tmp_path / "a", images=64)
    files = RunPaths(run.path)
    files.bundle_path.unlink()
    with (
        locked(run.path, "training in"),
        pytest.raises(ArtifactError, match="a is training; its generator is there when"),
    ):
        inkgan.load(run.path)
    with pytest.raises(ArtifactError, match="a was killed in training; train into it as before"):
        inkgan.load(run.path)

    def forbidden(folder: Path) -> bool:
        raise PermissionError(folder)

    with monkeypatch.context() as of_another_user:
        of_another_user.setattr("inkgan.generation.load.is_locked", forbidden)
        with pytest.raises(ArtifactError, match="a has no trained generator yet"):
            inkgan.load(run.path)
    inkgan.train(tiny, out=run.path, images=64)
    assert inkgan.load(run.path).bundle.images_seen == 64
    files.bundle_path.unlink()
    files.checkpoint_path("last").unlink()
    with pytest.raises(ArtifactError, match="a has no trained generator yet; train one into it"):
        inkgan.load(run.path)


def test_names_of_runs_are_looked_up(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inkgan.train(tiny, out="runs/first", images=64)
    assert inkgan.load("first").bundle.recipe.name == "tiny"
    with pytest.raises(ArtifactError, match="did you mean 'first'"):
        inkgan.load("frist")


def test_keywords_become_fields_of_the_recipe(tiny: Recipe, tmp_path: Path) -> None:
    run = inkgan.train(
        tiny,
        out=tmp_path / "a",
        overrides={"optim.lr": 1e-3},
        data="uci-digits",
        epochs=2,
        images=128,
        sample_interval=64,
        evaluation_interval=128,
        seed=7,
    )
    recipe = run.recipe
    assert (recipe.seed, recipe.optim.lr, recipe.data.name) == (7, 1e-3, "uci-digits")
    schedule = recipe.schedule
    assert (schedule.epochs, schedule.images) == (2, 128)
    assert (schedule.sample_interval, schedule.evaluation_interval) == (64, 128)
    assert inkgan.train(out=tmp_path / "a").recipe == recipe  # that of the run is the default


def test_a_run_is_a_value_that_shows_itself(tiny: Recipe, tmp_path: Path) -> None:
    run = inkgan.train(tiny, out=tmp_path / "a", images=128)
    assert run.path == tmp_path / "a"
    assert run.metrics == run.rows()
    assert run.last_metrics()["images"] == 128
    assert np.array_equal(
        run.generator().sample(seeds=[3]), inkgan.load(tmp_path / "a").sample(seeds=[3])
    )
    values = run.to_dict()
    assert values["recipe"]["name"] == "tiny"
    assert values["metrics"] == run.metrics
    shown = run._repr_html_()
    assert shown.count("data:image/png;base64,") == 2
    assert "<th>e3_distance</th>" in shown
    assert repr(run) == f"<Run {tmp_path / 'a'}: tiny, 128 images seen>"


def test_iterating_is_training_and_stopping_is_resumed(tiny: Recipe, tmp_path: Path) -> None:
    for event in inkgan.train_iter(tiny, out=tmp_path / "a", images=640, sample_interval=64):
        if isinstance(event, Sampled) and event.images == 128:
            break
    rest = list(inkgan.train_iter(tiny, out=tmp_path / "a", images=640, sample_interval=64))
    assert sum(isinstance(event, Updated) for event in rest) == 8
    assert isinstance(rest[-1], Finished)
    with pytest.raises(ConfigError, match=r"`seed=-1`"):
        inkgan.train_iter(tiny, out=tmp_path / "b", seed=-1)  # at once, not at the first event


def test_missing_data_fall_back_with_a_warning(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.warns(UserWarning, match="training on uci-digits instead"):
        run = inkgan.train(
            tiny, out=tmp_path / "a", data="kmnist", fallback="uci-digits", images=64
        )
    assert run.recipe.data.name == "uci-digits"


def test_a_small_set_stands_in_for_one_of_which_thousands_are_held_back(
    tiny: Recipe, tmp_path: Path
) -> None:
    """Without a network, `make run` trains a recipe that reserves 5,000 images on 1,500."""
    recipe = override(tiny, {"data.holdout": Data().holdout})
    with pytest.warns(UserWarning, match="training on uci-digits instead"):
        run = inkgan.train(
            recipe, out=tmp_path / "a", data="kmnist", fallback="uci-digits", images=64
        )
    assert run.recipe.data.name == "uci-digits"
