"""Recipes as values: complete, frozen, refused with the right spelling."""

import contextlib
import math
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from inkgan import config
from inkgan.config import Augment, Data, Recipe
from inkgan.config import serialize as toml
from inkgan.config.recipes import RECIPES, get_recipe
from inkgan.errors import ConfigError

recipes = st.builds(
    Recipe,
    name=st.text(min_size=1, max_size=20).filter(
        lambda text: text.isprintable() and not set(text) & set("/\\.")
    ),
    notes=st.text(),
    seed=st.integers(0, 2**63 - 1),
    data=st.builds(
        Data,
        holdout=st.integers(0, 9999),
        size=st.none() | st.integers(4, 256),
        augment=st.builds(Augment, rotate=st.floats(0, 180), scale=st.floats(0, 0.9)),
    ),
    optim=st.builds(config.Optim, lr=st.floats(1e-9, 1)),
    model=st.sampled_from([r.model for r in RECIPES.values() if not r.model.known_coordinates]),
)


@given(recipes)
@settings(deadline=None)
@example(Recipe(name="a", notes="one\r\ntwo\rthree\n"))
def test_toml_round_trip(recipe: Recipe) -> None:
    assert toml.from_toml(toml.to_toml(recipe)) == recipe


@given(st.text())
def test_any_text_is_a_recipe_or_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(toml.from_toml(text), Recipe)


@given(st.text(max_size=40))
def test_any_override_is_taken_or_refused(assignment: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(toml.override(RECIPES["dcgan"], [assignment]), Recipe)


def test_recipes_are_frozen() -> None:
    with pytest.raises(ValidationError):
        RECIPES["mlp"].optim.lr = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("assignment", "get", "expected"),
    [
        ("optim.lr=1e-4", lambda r: r.optim.lr, 1e-4),
        ("data.augment=rotate:20,shift:2", lambda r: r.data.augment, Augment(rotate=20, shift=2)),
        ("data.augment.elastic=1.5", lambda r: r.data.augment.elastic, 1.5),
        ("objective.loss=minimax", lambda r: r.objective.loss, "minimax"),
        ("schedule.images=1000", lambda r: r.schedule.images, 1000),
        ("schedule.images=none", lambda r: r.schedule.images, None),
        ("model.generator.norm=none", lambda r: r.model.generator.norm, None),
        ('data.name="folder:my pictures"', lambda r: r.data.name, "folder:my pictures"),
        ("data.name=folder:a=b", lambda r: r.data.name, "folder:a=b"),
        ('model.generator={family="mlp"}', lambda r: r.model.generator.widths, (256, 512, 1024)),
    ],
)
def test_override(assignment: str, get, expected: object) -> None:  # type: ignore[no-untyped-def]
    changed = toml.override(RECIPES["dcgan"], [assignment])
    assert get(changed) == expected
    assert RECIPES["dcgan"] == get_recipe("dcgan")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("optim.lrr=1e-4", "unknown field `optim.lrr`; did you mean 'lr'"),
        ("optin.lr=1e-4", "unknown field `optin`; did you mean 'optim'"),
        ("objective.loss=minmax", "did you mean 'minimax'"),
        ('data.name=""', "`data.name` = ''"),
        ("model.generator.negative_slop=0.1", "did you mean 'negative_slope'"),
        ("model.generator.family=dcgn", "did you mean 'dcgan'"),
        ("model.generator.output.padding=sam", "`model.generator.output.padding` = 'sam'"),
        ("model.discriminator.layers=[{kernel=3}]", "model.discriminator.layers.0.channels"),
        ('model.discriminator.layers=[{"channels": 24}]', "a table in it is {field = value}"),
        ("model.discriminator.layers=[24]", "should be a table, {field = value}"),
        ("optim=3", "`optim` = 3: should be a table"),
        ("model.generator.slop=0.1", "unknown field `model.generator.slop`"),
        ("optim.lr=-1", "`optim.lr` = -1: should be greater than 0"),
        ("optim.lr=nan", "finite"),
        ("optim.lr=fast", "`optim.lr` = 'fast'"),
        ("schedule.epochs=0", "greater than or equal to 1"),
        ("schedule.epochs=1.5", "`schedule.epochs` = 1.5"),
        ("data.augment=spin:20", "unknown field `data.augment.spin`"),
        ("data.augment.rotate=400", "less than or equal to 180"),
        ("optim.lr.x=1", "has no fields"),
        ("schedule.epochs=1\nseed = 2", "`schedule.epochs` = '1\\nseed = 2'"),
        ("schedule.epochs=7 # and 8", "`schedule.epochs` = '7 # and 8'"),
        ("schedule.epochs=1]\n# [", "`schedule.epochs` = "),
        ("seed=" + "9" * 5000, "a number that is too long"),
        ("seed=0x" + "f" * 5000, "a very large int"),
        ("model.generator.layers=" + "[" * 3000, "nests values more deeply"),
        ("optim.lr", "no field=value"),
        ("=3", "no field=value"),
        ("model.generator.layers=[]", ""),
    ],
)
def test_impossible_overrides_name_key_value_and_way_out(assignment: str, message: str) -> None:
    if not message:
        assert toml.override(RECIPES["dcgan"], [assignment]).name == "dcgan"
        return
    with pytest.raises(ConfigError) as caught:
        toml.override(RECIPES["dcgan"], [assignment])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'dcgan'"):
        get_recipe("dcgann")
    with pytest.raises(ConfigError, match=r"cannot read the recipe missing\.toml"):
        get_recipe("missing.toml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name = '\xff'", "is not UTF-8 text (byte 8 is 0xff)"),
        (b"seed = " + b"9" * 5000, "has a number that is too long"),
        (b"seed = " + b"[" * 3000, "nests values more deeply"),
        (b"a" + b".a" * 3000 + b" = 1", "nests values more deeply"),
        (b"#" * 2_000_000, "is larger than any recipe"),
        (b'name = ".."', "no control characters"),
        (b'name = "\\u001b[2J"', "no control characters"),
    ],
)
def test_a_hostile_file_is_refused_in_one_line(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "hostile.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        toml.read_recipe(path)
    assert message in str(caught.value)
    assert "hostile.toml" in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="a device of POSIX")
def test_an_endless_file_is_refused() -> None:
    with pytest.raises(ConfigError, match="/dev/zero is larger than any recipe"):
        toml.read_recipe(Path("/dev/zero"))


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """As the editors of Windows write it."""
    text = toml.to_toml(RECIPES["dcgan"])
    (tmp_path / "marked.toml").write_text(text, encoding="utf-8-sig", newline="\r\n")
    assert toml.read_recipe(tmp_path / "marked.toml") == RECIPES["dcgan"]


def test_unknown_key_in_a_file_names_the_file() -> None:
    with pytest.raises(ConfigError, match=r"mine\.toml: unknown field `optim\.lrate`"):
        toml.from_toml("[optim]\nlrate = 1", "mine.toml")


def test_differences_are_leaves() -> None:
    other = toml.override(RECIPES["dcgan"], ["optim.lr=1e-3", "seed=4"])
    assert list(toml.differences(RECIPES["dcgan"], other)) == [
        ("optim.lr", 2e-4, 1e-3),
        ("seed", 0, 4),
    ]


def test_overrides_are_texts_or_a_mapping() -> None:
    texts = ["optim.lr=1e-3", "schedule.images=none", "model.style_measures=[]"]
    values = {"optim.lr": 1e-3, "schedule.images": None, "model.style_measures": ()}
    changed = toml.override(RECIPES["flagship"], texts)
    assert changed == toml.override(RECIPES["flagship"], values)
    assert (changed.optim.lr, changed.schedule.images) == (1e-3, None)


def test_overrides_are_checked_together() -> None:
    """Values that are possible only together may be given in any order."""
    changes = {"objective.loss": "wasserstein", "objective.penalties.wgan_gp": 10}
    for items in (list(changes.items()), list(changes.items())[::-1]):
        assert toml.override(RECIPES["lsgan"], dict(items)).objective.penalties.any


def test_learning_rates_survive_text_exactly() -> None:
    recipe = toml.override(RECIPES["dcgan"], [f"optim.lr={math.pi / 1e4!r}"])
    assert toml.from_toml(toml.to_toml(recipe)).optim.lr == math.pi / 1e4
