"""Images from seeds."""

import base64
import dataclasses
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import inkgan
from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.errors import ArtifactError, ConfigError
from inkgan.generation.generator import Generator
from inkgan.generation.hub_download import is_hub_name
from inkgan.generation.light_on_dark import LightOnDark, light_on_dark
from inkgan.generation.load import open_generator
from inkgan.generation.sampling import CHUNK, latents_from_seeds
from inkgan.generation.style_control.style import style_of
from inkgan.images import Shape, is_dark_on_light
from inkgan.io.bundle import Bundle, load_bundle
from inkgan.models.build import build_generator
from inkgan.types import UInt8


def bundle_of(recipe: Recipe, shape: Shape = Shape(1, 28, 28)) -> Bundle:  # noqa: B008
    network = build_generator(recipe.model, shape, recipe.seed)
    return Bundle(recipe, shape, tuple("0123456789"), network.state_dict(), 0, "none")


class Drawn(NamedTuple):
    """A generator with random weights, and the images of its seeds 0 to 199."""

    generator: Generator
    images: UInt8


@pytest.fixture(scope="session")
def drawn() -> Callable[[str], Drawn]:
    """Give the images of a recipe, drawn once."""

    @cache
    def of(name: str) -> Drawn:
        generator = Generator(bundle_of(RECIPES[name]))
        return Drawn(generator, generator.sample(seeds=range(200)))

    return of


@pytest.fixture(scope="session")
def conditional() -> Generator:
    """Give a generator that takes labels, with random weights."""
    return Generator(bundle_of(RECIPES["cgan"]))


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=8, deadline=None)
@given(seeds=st.lists(st.integers(0, 199), min_size=1, max_size=90))
def test_same_image_for_the_same_seed_whatever_is_drawn_beside_it(
    name: str, seeds: list[int], drawn: Callable[[str], Drawn]
) -> None:
    generator, images = drawn(name)
    assert np.array_equal(generator.sample(seeds=seeds), images[seeds])


def test_other_seeds_other_images(drawn: Callable[[str], Drawn]) -> None:
    flat = drawn("dcgan").images.reshape(200, -1)
    assert len(np.unique(flat, axis=0)) == 200


def test_shapes_of_gray_and_color(drawn: Callable[[str], Drawn]) -> None:
    assert drawn("dcgan").images.shape == (200, 28, 28)
    assert drawn("dcgan").images.dtype == np.uint8
    color = Generator(bundle_of(RECIPES["dcgan"], Shape(3, 32, 32)))
    assert color.sample(seeds=[1, 2]).shape == (2, 32, 32, 3)


@pytest.mark.parametrize(
    "seeds",
    [
        [3, 1],
        (3, 1),
        iter([3, 1]),
        np.array([3, 1]),
        np.array([3, 1], np.uint8),
        [np.int64(3), np.int32(1)],
        torch.tensor([3, 1]),
        [torch.tensor(3), torch.tensor(1)],
        range(3, 0, -2),
    ],
    ids=["list", "tuple", "iterator", "int64", "uint8", "scalars", "tensor", "tensors", "range"],
)
def test_seeds_are_whole_numbers_of_any_kind(seeds: Any, drawn: Callable[[str], Drawn]) -> None:
    generator, images = drawn("mlp")
    assert np.array_equal(generator.sample(seeds=seeds), images[[3, 1]])


def test_one_seed_is_a_number(drawn: Callable[[str], Drawn]) -> None:
    generator, images = drawn("mlp")
    assert np.array_equal(generator.sample(seeds=np.int64(5)), images[5:6])
    assert np.array_equal(generator.sample(), images[:64])


def test_seeds_follow_the_labels(conditional: Generator) -> None:
    images = conditional.sample([7] * 5)
    assert np.array_equal(images, conditional.sample([7] * 5, seeds=range(5)))
    assert np.array_equal(images, conditional.sample(7, seeds=range(5)))
    assert np.array_equal(images, conditional.sample("7", seeds=np.arange(5)))
    assert np.array_equal(images[:1], conditional.sample(labels="7"))


def test_one_seed_serves_all_labels(conditional: Generator) -> None:
    images = conditional.sample(range(10), seeds=3)
    assert np.array_equal(images, conditional.sample(range(10), seeds=[3] * 10))
    for labels in (np.arange(10), torch.arange(10), list("0123456789"), [*"01234", *range(5, 10)]):
        assert np.array_equal(images, conditional.sample(labels, seeds=3))


def test_names_of_classes_are_not_their_numbers() -> None:
    bundle = dataclasses.replace(bundle_of(RECIPES["cgan"]), classes=tuple("9876543210"))
    generator = Generator(bundle)
    assert np.array_equal(generator.sample("9"), generator.sample(0))


def test_small_latents_scale(conditional: Generator) -> None:
    images = conditional.sample([1, 2], latent_scale=0.5)
    halved = conditional.render(0.5 * conditional.latents([0, 1]), [1, 2])
    assert np.array_equal(images, halved)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": []}, "`seeds` is empty"),
        ({"seeds": -1}, r"`seeds` must be whole numbers from 0 to 2\*\*63 - 1, not -1"),
        ({"seeds": 2**63}, "`seeds` must be whole numbers from 0"),
        ({"seeds": 1.5}, "`seeds` must be whole numbers, not 1.5"),
        ({"seeds": "7"}, "`seeds` must be whole numbers, not '7'"),
        ({"seeds": [True]}, "`seeds` must be whole numbers, not True"),
        ({"seeds": np.zeros((2, 2), int)}, "`seeds` must be whole numbers, not"),
        ({"labels": []}, "`labels` is empty"),
        ({"labels": [10]}, "`labels` must be from 0 to 9, not 10"),
        ({"labels": "seven"}, "`labels`: there is no class 'seven'; choose one of 0, 1"),
        ({"labels": [0.5]}, "`labels` must be whole numbers, not 0.5"),
        ({"labels": [1, 2], "seeds": [1, 2, 3]}, "`labels` has 2 values and `seeds` has 3; give"),
        ({"latent_scale": -0.5}, "`latent_scale` must be from 0 to 2, not -0.5"),
        ({"diverse": True}, "`diverse` needs `labels`"),
        ({"labels": 7, "seeds": 7, "diverse": True}, "`diverse` chooses the seeds itself"),
        ({"labels": [1, 2], "slant": [1, 2, 3]}, "`slant` has 3 values for 2 images"),
        ({"labels": [1, 2], "width": (3, 2)}, r"`width`: the range \(3, 2\) runs backwards"),
    ],
)
def test_wrong_arguments_name_the_parameter(
    arguments: dict[str, Any], message: str, conditional: Generator
) -> None:
    with pytest.raises(ConfigError, match=message):
        conditional.sample(**arguments)


def test_wrong_latents_and_weights(conditional: Generator) -> None:
    with pytest.raises(ConfigError, match=r"`latents` must have the shape \(n, 100\)"):
        conditional.render(np.zeros((2, 3), np.float32), [1, 2])
    z = conditional.latents([0, 1])
    with pytest.raises(ConfigError, match="is conditional: give `labels`"):
        conditional.render(z)
    with pytest.raises(ConfigError, match="`labels`: weights must be of 10 classes"):
        conditional.render(z, np.zeros((2, 3), np.float32))
    with pytest.raises(ConfigError, match="`labels` has 3 values for 2 images"):
        conditional.render(z, [1, 2, 3])


@pytest.mark.parametrize("name", ["mlp", "cgan"])
def test_a_generator_shows_itself(name: str, drawn: Callable[[str], Drawn]) -> None:
    page = drawn(name).generator._repr_html_()
    assert page.startswith(f"<p>{name}: 28x28 gr")
    picture = Image.open(io.BytesIO(base64.b64decode(page.split("base64,")[1].split('"')[0])))
    assert picture.size == (604, 244)
    with Image.open(io.BytesIO(drawn(name).generator._repr_png_())) as alone:
        assert np.array_equal(np.asarray(alone), np.asarray(picture))
    assert "images seen" in repr(drawn(name).generator)


def test_latents_are_standard_normal_and_each_from_its_seed() -> None:
    z = latents_from_seeds(range(2000), 100)
    assert z.mean().abs() < 0.01
    assert (z.std() - 1).abs() < 0.01
    assert torch.equal(latents_from_seeds([7], 100)[0], z[7])


def test_unconditional_generators_take_no_labels(drawn: Callable[[str], Drawn]) -> None:
    with pytest.raises(ConfigError, match=r"mlp is unconditional: .* leave `labels` out"):
        drawn("mlp").generator.sample(labels=[1], seeds=[1])


def test_bundle_round_trip(tmp_path: Path, drawn: Callable[[str], Drawn]) -> None:
    bundle = bundle_of(RECIPES["dcgan-compact"])
    bundle.save(tmp_path / "a.safetensors")
    loaded = load_bundle(tmp_path / "a.safetensors")
    assert (loaded.recipe, loaded.shape, loaded.classes) == (
        bundle.recipe,
        bundle.shape,
        bundle.classes,
    )
    images = Generator(loaded).sample(seeds=range(5))
    assert np.array_equal(images, drawn("dcgan-compact").images[:5])


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "other", "missing"])
def test_damaged_bundles_are_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.safetensors"
    bundle_of(RECIPES["mlp"]).save(path)
    whole = path.read_bytes()
    if damage == "other":
        from safetensors.torch import save_file

        save_file({"a": torch.zeros(2)}, path)
    elif damage == "missing":
        path.unlink()
    else:
        content = {"empty": b"", "cut": whole[: len(whole) // 2], "noise": b"\xff" * 500}[damage]
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"a\.safetensors"):
        load_bundle(path)


def test_weights_of_another_network_are_refused() -> None:
    mixed = Bundle(
        RECIPES["mlp"], Shape(1, 28, 28), (), bundle_of(RECIPES["dcgan"]).weights, 0, "none"
    )
    with pytest.raises(ArtifactError, match="do not fit"):
        Generator(mixed)


def test_batches_are_full_whatever_is_requested() -> None:
    """The network never sees a batch of another size: that is what makes images repeatable."""
    sizes = set()
    generator = Generator(bundle_of(RECIPES["mlp"]))
    generator._network.register_forward_pre_hook(lambda _, inputs: sizes.add(len(inputs[0])))
    generator.sample(seeds=range(3))
    generator.sample(seeds=range(CHUNK + 1))
    assert sizes == {CHUNK}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"source": "flagsh"}, ArtifactError, "no run or bundle 'flagsh'; did you mean 'flagship'"),
        ({"source": 5}, ConfigError, "`source` must be a path, a name or a run, not 5"),
        (
            {"source": "mlp", "checkpoint": "first"},
            ConfigError,
            "`checkpoint` must be 'last' or 'best', not 'first'",
        ),
        (
            {"source": "mlp", "checkpoint": "best"},
            ArtifactError,
            r"has no best checkpoint \(only run folders do\); use `checkpoint='last'`",
        ),
    ],
)
def test_what_cannot_be_loaded_is_refused(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        inkgan.load(**arguments)


def test_the_old_name_of_styled_samples_still_works() -> None:
    with pytest.warns(DeprecationWarning, match=r"use `inkgan.load\(source\)"):
        images = inkgan.styled([7], source="flagship", device="cpu", truncation=0.5)
    expected = inkgan.load("flagship", device="cpu").sample(7, latent_scale=0.5)
    assert np.array_equal(images, expected)


class OnPaper(LightOnDark):
    """The inverse of a generator, as if it had been trained on dark digits on light paper."""

    @property
    def bundle(self) -> Bundle:
        bundle = self.generator.bundle
        data = bundle.recipe.data.model_copy(update={"name": "folder:paper"})
        return dataclasses.replace(bundle, recipe=bundle.recipe.model_copy(update={"data": data}))


def test_a_generator_that_draws_dark_on_light_is_treated_as_its_inverse() -> None:
    """Ink is ink: pages are written, styles measured, data sets made as by any other generator."""
    plain = inkgan.load("flagship")
    paper = OnPaper(plain)
    assert is_dark_on_light(paper.sample(seeds=range(20)))
    turned = open_generator(paper)
    assert np.array_equal(turned.sample([3, 8], seeds=[1, 2]), plain.sample([3, 8], seeds=[1, 2]))
    latents = plain.latents([5])
    assert np.array_equal(turned.render(latents, [4]), plain.render(latents, [4]))
    assert light_on_dark(turned) is turned
    assert light_on_dark(plain) is plain
    drawn = plain.sample([3] * 8, seeds=range(8))
    assert np.array_equal(style_of(255 - drawn), style_of(drawn))
    page = inkgan.write("203", source=paper)
    assert np.array_equal(page.to_array(), inkgan.write("203", source=plain).to_array())


@pytest.mark.parametrize("name", ["runs/nothing", "./mine", "../mine", "out/a"])
def test_paths_are_no_names_of_the_hub(name: str) -> None:
    assert not is_hub_name(name)
    assert is_hub_name("someone/digits")


# --- precision ---


def test_bfloat16_draws_nearly_the_same() -> None:
    exact = inkgan.load("flagship", device="cpu").sample(range(10), seeds=range(10))
    generator = inkgan.load("flagship", device="cpu", precision="bfloat16")
    drawn = generator.sample(range(10), seeds=range(10))
    difference = np.abs(drawn.astype(int) - exact)
    assert 0 < difference.mean() < 0.5  # of 255
    z, three = torch.ones(1, generator.latent_dim), torch.tensor([3])
    exactly = inkgan.load("flagship", device="cpu").forward(z, three)
    assert torch.equal(generator.forward(z, three), exactly)  # with its gradients


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(ConfigError, match="`precision` must be 'float32' or 'bfloat16', not 'bf'"):
        inkgan.load("flagship", precision="bf")  # type: ignore[arg-type]
