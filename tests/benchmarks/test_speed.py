"""The benchmark compares equals and writes what it says; how fast anything is, no test asks."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import apart, ceiling, machine, textbook
from benchmarks.train import main
from inkgan import rng
from inkgan.config import Augment, Recipe
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override, to_toml
from inkgan.data.batches import Batches
from inkgan.data.dataset import load_dataset
from inkgan.errors import ConfigError, InkganError
from inkgan.images import Shape
from inkgan.training.state import new_state
from inkgan.training.step import num_latent_batches, train_step

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("scheme", ["fresh", "reused", "simultaneous"])
@pytest.mark.parametrize("loss", ["non-saturating", "minimax"])
def test_both_sides_compute_the_same(tiny: Recipe, loss: str, scheme: str) -> None:
    """Three steps on the same images and latents; the first alone would hide stale gradients."""
    changes = ["model.discriminator.dropout=0", "data.augment.rotate=0", f"objective.loss={loss}"]
    recipe = override(tiny, [*changes, f"optim.update_scheme={scheme}"])
    dataset = load_dataset(recipe.data)
    batches = Batches(dataset, recipe.schedule.batch_size, recipe.seed, recipe.data.augment)
    engine = new_state(recipe, dataset.shape, torch.device("cpu"))
    other = textbook.new_textbook(recipe, dataset.shape)
    for network in (engine.generator, engine.discriminator, other.generator, other.discriminator):
        network.double()  # Adam magnifies float32's noise
    for step in range(3):
        real = batches.at(step)
        real = real._replace(images=real.images.double())
        noise = rng.generator(recipe.seed, "latent", step)
        latents = torch.randn(num_latent_batches(recipe), 64, 8, generator=noise).double()
        train_step(engine, recipe, real, latents)
        textbook.textbook_step(other, real.images, latents)
    for ours, theirs in (
        (engine.generator, other.generator),
        (engine.discriminator, other.discriminator),
    ):
        for name, tensor in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["mlp", "dcgan", "dcgan-tutorial", "dcgan-compact"])
def test_speed_changes_no_loss(name: str) -> None:
    """Ten float32 steps with the quick layers and with torch's own: the same loss curves."""
    changes = ["data.name=uci-digits", "schedule.batch_size=32", "data.augment.rotate=0"]
    dropout = ["model.discriminator.dropout=0"]  # the two draw other masks
    recipe = override(RECIPES[name], changes + dropout)
    dataset = load_dataset(recipe.data)
    batches = Batches(dataset, 32, recipe.seed, recipe.data.augment)
    quick = new_state(recipe, dataset.shape, torch.device("cpu"))
    plain = new_state(recipe, dataset.shape, torch.device("cpu"))
    for network in (plain.generator, plain.discriminator):
        textbook.made_plain(network)
    losses = []
    for state in (quick, plain):
        rows = []
        for step in range(10):
            noise = rng.generator(recipe.seed, "latent", step)
            latents = torch.randn(2, 32, recipe.model.latent_dim, generator=noise)
            rows.append(train_step(state, recipe, batches.at(step), latents))
        losses.append(torch.stack(rows)[:, :2])
    torch.testing.assert_close(losses[0], losses[1], rtol=0.02, atol=0.02)
    torch.testing.assert_close(losses[0][:2], losses[1][:2], rtol=5e-4, atol=5e-4)


def test_the_loader_gives_the_images_of_the_engine(tiny: Recipe) -> None:
    dataset = load_dataset(tiny.data)
    still = textbook.PictureDataset(dataset, Augment())
    image, label = still[5]
    torch.testing.assert_close(image, dataset.images[5].float() / 127.5 - 1)
    assert label == dataset.labels[5]
    random.seed(0)  # by 62 degrees; a turn by two would change no pixel
    turned, _ = textbook.PictureDataset(dataset, Augment(rotate=90))[5]
    assert turned.shape == image.shape
    assert not torch.equal(turned, image)
    images, labels = next(iter(textbook.make_loader(tiny, dataset)))
    assert images.shape == (64, 1, 12, 12)
    assert len(labels) == 64


def test_colour_passes_through_pil(tiny: Recipe) -> None:
    dataset = load_dataset(override(tiny, ["data.channels=3"]).data)
    image, _ = textbook.PictureDataset(dataset, Augment())[0]
    torch.testing.assert_close(image, dataset.images[0].float() / 127.5 - 1)


def test_what_the_textbook_lacks_is_refused(tiny: Recipe) -> None:
    with pytest.raises(ConfigError, match=r"objective\.loss=hinge"):
        textbook.check_recipe(override(tiny, ["objective.loss=hinge"]))
    with pytest.raises(ConfigError, match="only rotates"):
        textbook.check_recipe(override(tiny, ["data.augment=shift:2"]))


def test_operations_of_a_fully_connected_step() -> None:
    """Twice the products of every linear layer, for each direction that the step needs.

    The generator runs forward twice and backward once. The discriminator runs forward on three
    batches; backward on two for its weights and on all three for what lies below, except that
    nothing lies below its first layer in its own step.
    """
    n, pixels = 64, 28 * 28
    g_first, g = 100 * 256, 100 * 256 + 256 * 512 + 512 * 1024 + 1024 * pixels
    d_first, d = pixels * 512, pixels * 512 + 512 * 256 + 256 * 1
    generator = 2 * g + g + (g - g_first)
    discriminator = 3 * d + 2 * d + 2 * (d - d_first) + d
    expected = 2 * n * (generator + discriminator)
    assert ceiling.step_flops(RECIPES["mlp"], Shape(1, 28, 28)) == expected


def test_ceilings_are_positive_and_leave_the_threads_alone() -> None:
    before = torch.get_num_threads()
    assert ceiling.gemm_gflops(threads=1, seconds=0.01, side=128) > 0
    assert ceiling.memory_bandwidth(threads=1, seconds=0.01, floats=2**16) > 0
    assert torch.get_num_threads() == before


def test_peak_memory_and_neighbors() -> None:
    peak = machine.peak_memory()
    assert peak is None or peak > 1
    with machine.neighbors(2, limit=20) as processes:
        assert [process.poll() for process in processes] == [None, None]
    assert all(process.poll() is not None for process in processes)
    with machine.neighbors(0, limit=20) as nobody:
        assert nobody == []


def test_busy_processes_end_at_their_time() -> None:
    with machine.neighbors(1, limit=0.2) as (process,):
        assert process.wait(20) == 0


def test_from_command_to_json(tiny: Recipe, tmp_path: Path) -> None:
    out, own = tmp_path / "new" / "speed.json", tmp_path / "tiny.toml"
    own.write_text(to_toml(tiny), encoding="utf-8")
    flags = ["--data", "uci-digits", "--rounds", "2", "--seconds", "0.02", "--threads", "1"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.train",
            "--recipes",
            str(own),
            *flags,
            "--json",
            str(out),
            "--busy",
            "1",
            "--bfloat16",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"COLUMNS": "80"},
    )
    assert done.returncode == 0, done.stderr
    assert "tiny" in done.stdout
    assert "round 2 of 2" in done.stderr
    result = json.loads(out.read_text(encoding="utf-8"))
    assert result["machine"]["threads"] == 1
    assert result["machine"].keys() >= {"processor", "torch", "started", "variables"}
    assert [row["recipe"] for row in result["recipes"]] == ["tiny"]
    for row in result["recipes"]:
        assert (row["busy"], row["busy_to_the_end"]) == (1, True)
        assert row["ratios"].keys() == {"textbook", "engine, bfloat16"}
        for side, ratio in row["ratio"].items():
            assert len(row["ratios"][side]) == 2
            assert 0 < ratio["min"] <= ratio["median"] <= ratio["max"]
        assert {len(speeds) for speeds in row["images_per_second"].values()} == {2}
        assert row["share_of_gemm"] > 0
        assert row["peak_memory_mib"].keys() == {"engine", "textbook", "engine, bfloat16"}


def test_a_side_that_dies_is_told(tiny: Recipe) -> None:
    side = apart.Apart(apart.Task("textbook", tiny, None, threads=1))
    assert side.timed(1) > 0
    side._process.kill()
    with pytest.raises(InkganError, match="ended by itself"):
        side.timed(10**9)
    side.close()
    lost = override(tiny, ["data.name=folder:/nowhere"])
    task = apart.Task("engine", lost, None, threads=1)
    with apart.sides_apart({"engine": lambda: apart.Apart(task)}) as sides:
        with pytest.raises(InkganError, match="/nowhere"):
            sides["engine"].timed(1)
        lost_side = sides["engine"]
    assert isinstance(lost_side, apart.Apart)
    process = lost_side._process
    assert not process.is_alive()


def test_errors_name_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recipes", "mlp, dcgen"]) == 2
    assert "did you mean 'dcgan'" in capsys.readouterr().err
    assert main(["--data", "kmnist"]) == 2
    assert "name its parent with `data_dir`" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--seconds", "-1"])
    assert "above 0" in capsys.readouterr().err
