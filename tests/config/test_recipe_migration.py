"""Recipes of older versions mean the same today."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgan.config.recipe_migration import (
    FIELDS,
    RenamedFieldWarning,
    migrate_override,
    migrate_recipe,
    model_json_0_1,
)
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import differences, from_toml, override
from inkgan.errors import ConfigError
from inkgan.io.bundle import load_bundle

# What version 0.1.0 wrote: recipe.toml of each recipe, and the text that its digests hash.
HERE = Path(__file__).parent
OLD_RECIPES: dict[str, str] = json.loads((HERE / "recipes_0_1_0.json").read_text("utf-8"))
OLD_MODELS: dict[str, str] = json.loads((HERE / "models_0_1_0.json").read_text("utf-8"))
BUNDLES = {
    "dcgan": "69e16e2eedb1118bc604a356191b3174f3e67d1cf722a3a3bf9c97a6d7eedfc6",
    "flagship": "482617a176d96aed75c65ec51da12c58b4b2ef288f131b9c206d950c88c2a965",
    "mlp": "d134e80e65087badc73f91f830b4005fb1fd44017ecb77bfaef16431e732ebe0",
    "stacked-mnist": "d5cb86cac161af0a2595957d0e6872ec3a8eb4515511f684a4a6e8fe9700fae1",
    "vanilla": "40818070bc21337ed04aa41e651e275df705497a51845d81c3369cb8a6ff022c",
}
# What has changed since 0.1.0, beside the notes.
WIDER: dict[str, object] = {
    "model.generator.stem.channels": 128,
    "model.generator.layers": [
        {"channels": 128, "kernel": 3, "stride": 1},
        {"channels": 80},
        {"channels": 80, "kernel": 3, "stride": 1},
        {"channels": 40},
    ],
    "objective.penalties.r1": 0.4,
    "objective.penalties.r2": 0.4,
    "optim.lr": 1e-3,
}
WITH_CODES = {**WIDER, "model.shape_codes": 16, "objective.code_weight": 0.15}
QUICKER: dict[str, object] = {
    **WITH_CODES,
    "model.discriminator.layers": [
        {"channels": 24, "kernel": 3, "stride": 1},
        {"channels": 48},
        {"channels": 96},
        {"channels": 128, "kernel": 3, "stride": 1},
    ],
    "objective.paired_share": 1.0,
    "objective.penalties.r1": 0.8,
    "objective.penalties.r2": 0.8,
    "optim.lr": 2e-3,
    "optim.max_grad_norm": 5.0,
    "schedule.batch_size": 32,
    "schedule.images": 160_000,
}
CHANGES: dict[str, dict[str, object]] = {
    **dict.fromkeys(("flagship", "fashion-mnist", "kmnist"), WITH_CODES),
    "flagship-quick": QUICKER,
    "cifar10": WIDER,
    "stacked-mnist": {**WIDER, "data.restack": True, "schedule.images": 2_800_000},
    "mlp": {"model.init": "he"},
    "vanilla": {"optim.update_scheme": "reused"},
    "dcgan": {"optim.update_scheme": "reused"},
    "dcgan-tutorial": {"optim.update_scheme": "simultaneous"},
    "dcgan-compact": {
        "optim.update_scheme": "reused",
        "data.augment.interpolation": "nearest",
    },
}


@pytest.mark.parametrize("name", OLD_RECIPES)
def test_recipes_of_0_1_0_are_read_as_today_s(name: str) -> None:
    old = override(from_toml(OLD_RECIPES[name]), CHANGES.get(name, {}))
    assert [change for change in differences(old, RECIPES[name]) if change[0] != "notes"] == []


@pytest.mark.parametrize("name", OLD_MODELS)
def test_digests_hash_the_text_of_0_1_0(name: str) -> None:
    text = from_toml(OLD_RECIPES[name]).model.model_dump_json(exclude_defaults=True)
    assert model_json_0_1(text) == OLD_MODELS[name]


@pytest.mark.parametrize("name", BUNDLES)
def test_shipped_bundles_keep_their_digest(name: str) -> None:
    bundle = load_bundle(Path(str(files("inkgan") / "bundles" / f"{name}.safetensors")))
    assert bundle.digest == BUNDLES[name]
    changes = [change[0] for change in differences(bundle.recipe, RECIPES[name])]
    assert not [key for key in changes if key.startswith("model.")]


def test_every_renamed_field_is_found_in_a_section() -> None:
    for old, new in FIELDS.items():
        *parents, last = old.split(".")
        document: dict[str, object] = {last: 1}
        migrated: dict[str, object] = {new: 1}
        for parent in reversed(parents):
            document, migrated = {parent: document}, {parent: migrated}
        assert migrate_recipe(document) == migrated
        assert migrate_override(old, 1) == (".".join([*parents, new]), 1)


def test_values_are_renamed_in_texts_and_lists() -> None:
    for old, new in (("translation,colour", "translation,color"), (["colour"], ["color"])):
        assert migrate_override("objective.augment", old) == ("objective.augment", new)
    recipe = override(RECIPES["acgan"], {"model.generator.conditioning": "multiply"})
    with pytest.warns(RenamedFieldWarning, match="=multiplied` is now written .*=multiply`"):
        assert override(RECIPES["acgan"], ["model.generator.conditioning=multiplied"]) == recipe


def test_older_names_in_overrides_are_said() -> None:
    with pytest.warns(
        RenamedFieldWarning, match=r"`optim\.final=0\.5` is now .*optim\.final_factor"
    ):
        assert override(RECIPES["dcgan"], ["optim.final=0.5"]).optim.final_factor == 0.5


def test_unset_values_are_written_as_none() -> None:
    with pytest.warns(RenamedFieldWarning, match=r"clip=none` is now .*weight_clip=none`"):
        assert override(RECIPES["dcgan"], {"objective.clip": None}) == RECIPES["dcgan"]


def test_a_field_under_both_names_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown field `optim\.final`"):
        from_toml("[optim]\nfinal = 0.5\nfinal_factor = 0.5")


@given(
    st.recursive(
        st.none() | st.integers() | st.text() | st.lists(st.text()),
        lambda inner: st.dictionaries(
            st.sampled_from(["objective", "clip", "augment", "x"]), inner
        ),
    )
)
def test_migrating_twice_changes_nothing_more(value: object) -> None:
    document = {"objective": value}
    once = migrate_recipe(document)
    assert migrate_recipe(once) == once
