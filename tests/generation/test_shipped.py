"""The bundles that come with inkgan: small, explained, and as good as they say."""

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from typer.testing import CliRunner

import inkgan
from inkgan.cli.main import app
from inkgan.config.recipes import RECIPES
from inkgan.evaluation.generator_style import generator_style_consistency
from inkgan.generation.load import SHIPPED
from inkgan.io.bundle import load_bundle
from inkgan.io.tensors import CHECKSUM, KEY
from inkgan.metrics.features.extractors import extract_features
from inkgan.models.build import count_parameters

BUNDLES = sorted(SHIPPED.glob("*.safetensors"))
WEIGHTS = {  # the digest of each network and its weights: saving a bundle again changes neither
    "dcgan": "69e16e2eedb1118bc604a356191b3174f3e67d1cf722a3a3bf9c97a6d7eedfc6",
    "flagship": "482617a176d96aed75c65ec51da12c58b4b2ef288f131b9c206d950c88c2a965",
    "mlp": "d134e80e65087badc73f91f830b4005fb1fd44017ecb77bfaef16431e732ebe0",
    "stacked-mnist": "d5cb86cac161af0a2595957d0e6872ec3a8eb4515511f684a4a6e8fe9700fae1",
    "vanilla": "40818070bc21337ed04aa41e651e275df705497a51845d81c3369cb8a6ff022c",
}


def test_the_shipped_generators_are_these() -> None:
    assert {"flagship", "mlp", "vanilla", "dcgan", "stacked-mnist"} == {
        path.stem for path in BUNDLES
    }


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.stem)
def test_a_bundle_is_small_and_explains_itself(path: Path) -> None:
    bundle = load_bundle(path)
    with safe_open(path, framework="pt") as opened:
        assert CHECKSUM.search(opened.metadata()[KEY])
    assert bundle.digest == WEIGHTS[path.stem]
    assert path.stat().st_size < 4e6
    assert bundle.recipe.model == RECIPES[path.stem].model
    assert bundle.images_seen > 100_000
    assert bundle.scores["fd_e1"].baseline is not None
    assert bundle.license == "mit"
    assert len(bundle.data_sha256) == 64


def test_the_flagship_is_small_and_writes_what_is_asked() -> None:
    generator = inkgan.load("flagship", device="cpu")
    assert count_parameters(generator.bundle.generator()) < 1_000_000
    labels = [*range(10)] * 30
    images = generator.sample(labels, seeds=range(300))
    assert (extract_features(images).predicted == labels).mean() > 0.98
    assert generator.bundle.recipe.data.holdout == 5000


def test_one_seed_is_one_style() -> None:
    """Ten digits of one latent agree in slant and thickness; of latents apart they do not."""
    hand = generator_style_consistency(inkgan.load("flagship", device="cpu"), latents=40)
    for name in ("slant", "thickness"):
        assert hand.styles[name].consistency.value > 0.6
        assert abs(hand.styles[name].permuted.value) < 0.2


def test_images_of_a_class_differ() -> None:
    images = inkgan.load("flagship", device="cpu").sample([3] * 64, seeds=range(64))
    assert images.std(axis=0).mean() > 0.6 * 60  # real threes: about 60 of 255


def test_three_digits_in_colour_are_drawn_evenly() -> None:
    pixels = inkgan.load("stacked-mnist", device="cpu").sample(seeds=range(600))
    digits = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(-1, 28, 28)
    shares = np.bincount(extract_features(digits).predicted, minlength=10) / len(digits)
    assert shares.min() > 0.07
    assert shares.max() < 0.13


def test_small_latents_make_digits_alike() -> None:
    generator = inkgan.load("flagship", device="cpu")
    quarter, half, whole = (
        generator.sample([3] * 64, seeds=range(64), latent_scale=psi).std(axis=0).mean()
        for psi in (0.25, 0.5, 1)
    )
    assert quarter < half < whole
    assert quarter < 0.8 * whole
    assert np.ptp(generator.sample([3] * 4, seeds=range(4), latent_scale=0.0), axis=0).max() == 0


def test_latents_blend() -> None:
    generator = inkgan.load("flagship", device="cpu")
    ends = generator.latents([1, 2])
    between = np.linspace(ends[0], ends[1], 5)
    images = generator.render(between, [4] * 5)
    assert np.array_equal(images[[0, 4]], generator.sample([4, 4], seeds=[1, 2]))
    steps = np.abs(np.diff(images.astype(float), axis=0)).mean((1, 2))
    assert steps.max() < np.abs(images[4].astype(float) - images[0]).mean() + 1


def test_sampling_works_straight_after_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["sample", "flagship", "--seeds", "0-9"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "samples.png").is_file()
