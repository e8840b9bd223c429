"""Images from seeds."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgan.config import Recipe
from inkgan.config.recipes import RECIPES
from inkgan.errors import ArtifactError, ConfigError
from inkgan.generation.generator import Generator
from inkgan.generation.sampling import CHUNK, latents_from_seeds
from inkgan.images import Shape
from inkgan.io.bundle import Bundle, load_bundle
from inkgan.models.build import build_generator


def bundle_of(recipe: Recipe, shape: Shape = Shape(1, 28, 28)) -> Bundle:  # noqa: B008
    network = build_generator(recipe.model, shape, recipe.seed)
    return Bundle(recipe, shape, tuple("0123456789"), network.state_dict(), 0, "none")


SAMPLERS = {name: Generator(bundle_of(recipe)) for name, recipe in RECIPES.items()}
ALL = {name: sampler.sample(seeds=range(200)) for name, sampler in SAMPLERS.items()}


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=8, deadline=None)
@given(seeds=st.lists(st.integers(0, 199), min_size=1, max_size=90))
def test_same_image_for_the_same_seed_in_any_company(name: str, seeds: list[int]) -> None:
    assert np.array_equal(SAMPLERS[name].sample(seeds=seeds), ALL[name][seeds])


def test_other_seeds_other_images() -> None:
    flat = ALL["dcgan"].reshape(200, -1)
    assert len(np.unique(flat, axis=0)) == 200


def test_shapes_of_grey_and_colour() -> None:
    assert ALL["dcgan"].shape == (200, 28, 28)
    assert ALL["dcgan"].dtype == np.uint8
    colour = Generator(bundle_of(RECIPES["dcgan"], Shape(3, 32, 32)))
    assert colour.sample(seeds=[1, 2]).shape == (2, 32, 32, 3)


def test_seeds_may_come_from_an_iterator() -> None:
    def some() -> Iterator[int]:
        yield from (3, 1)

    assert np.array_equal(SAMPLERS["mlp"].sample(seeds=some()), ALL["mlp"][[3, 1]])


def test_latents_are_standard_normal_and_each_from_its_seed() -> None:
    z = latents_from_seeds(range(2000), 100)
    assert z.mean().abs() < 0.01
    assert (z.std() - 1).abs() < 0.01
    assert torch.equal(latents_from_seeds([7], 100)[0], z[7])


@pytest.mark.parametrize("seeds", [[], [-1], [2**63]])
def test_impossible_seeds_are_refused(seeds: list[int]) -> None:
    with pytest.raises(ConfigError, match="seed"):
        SAMPLERS["mlp"].sample(seeds=seeds)


def test_unconditional_generators_take_no_labels() -> None:
    with pytest.raises(ConfigError, match="unconditional"):
        SAMPLERS["mlp"].sample(labels=[1], seeds=[1])


def test_bundle_round_trip(tmp_path: Path) -> None:
    bundle = bundle_of(RECIPES["dcgan-compact"])
    bundle.save(tmp_path / "a.safetensors")
    loaded = load_bundle(tmp_path / "a.safetensors")
    assert (loaded.recipe, loaded.shape, loaded.classes) == (
        bundle.recipe,
        bundle.shape,
        bundle.classes,
    )
    assert np.array_equal(Generator(loaded).sample(seeds=range(5)), ALL["dcgan-compact"][:5])


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


def test_chunks_are_full_whatever_is_asked() -> None:
    """The network never sees a batch of another size: that is what makes images repeatable."""
    sizes = set()
    sampler = Generator(bundle_of(RECIPES["mlp"]))
    sampler._network.register_forward_pre_hook(lambda _, inputs: sizes.add(len(inputs[0])))
    sampler.sample(seeds=range(3))
    sampler.sample(seeds=range(CHUNK + 1))
    assert sizes == {CHUNK}
