"""What a sweep searches, checked against the fields of a recipe before work starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgan.config.recipes import get_recipe
from inkgan.errors import ConfigError
from inkgan.sweeps.search_space import Dimension, field_types, parse_search, split_list

DCGAN = get_recipe("dcgan")


def test_ranges_and_lists_are_read_by_the_type_of_their_field() -> None:
    space = parse_search(
        [
            "optim.lr=log:1e-5..1e-2",
            "schedule.batch_size=32..256",
            "optim.beta1=0..0.9",
            "objective.loss=hinge,relativistic",
            "optim.d_lr=none,1e-4",
        ],
        DCGAN,
    )
    assert space.dimensions == (
        Dimension("optim.lr", "float", 1e-5, 1e-2, True),
        Dimension("schedule.batch_size", "int", 32, 256),
        Dimension("optim.beta1", "float", 0, 0.9),
        Dimension("objective.loss", "list", choices=("hinge", "relativistic")),
        Dimension("optim.d_lr", "list", choices=("none", "1e-4")),
    )
    assert list(space.as_text().values())[:2] == ["log:1e-05..0.01", "32..256"]


def test_python_values_and_their_texts_are_the_same() -> None:
    of_python = {
        "objective.loss": ["hinge", "relativistic"],
        "objective.weight_clip": [None, 0.01],
        "model.discriminator.widths": [[64, 32], [32]],
    }
    texts = [
        "objective.loss=hinge,relativistic",
        "objective.weight_clip=none,0.01",
        "model.discriminator.widths=[64, 32],[32]",
    ]
    recipe = get_recipe("mlp")
    assert parse_search(of_python, recipe) == parse_search(texts, recipe)


def test_a_recipe_gets_the_values() -> None:
    space = parse_search(["optim.lr=log:1e-5..1e-2", "objective.loss=hinge,relativistic"], DCGAN)
    recipe = space.recipe(DCGAN, {"optim.lr": 0.000123456789, "objective.loss": "hinge"})
    assert recipe.optim.lr == 0.0001235
    assert recipe.objective.loss == "hinge"


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e9), st.floats(0, 1))
def test_rounded_values_stay_inside(one: float, other: float, share: float) -> None:
    low, high = sorted((one, other))
    value = min(max(low + share * (high - low), low), high)
    rounded = Dimension("optim.lr", "float", low, high).rounded(value)
    assert low <= float(rounded) <= high
    assert float(rounded) == pytest.approx(value, rel=1e-3)


@given(st.lists(st.sampled_from(["[1,2]", "hinge", "none", "1e-3", "[[1],[2,3]]"]), min_size=1))
def test_commas_in_brackets_do_not_split(values: list[str]) -> None:
    assert split_list(",".join(values)) == values


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    refused = None
    try:
        parse_search([f"optim.lr={text}"], DCGAN)
    except ConfigError as error:
        refused = str(error)
    assert refused is None or "\n" not in refused


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (["optim.beta=0..0.9"], r"unknown field `optim\.beta`; did you mean 'beta"),
        (["optim=1..2"], "has fields of its own"),
        (["optim.lr.x=1..2"], r"unknown field `optim\.lr\.x`"),
        (["optim.lr"], "write field=values, such as optim.lr=log:1e-5..1e-2"),
        (["optim.lr=0.1"], "list two values or more"),
        (["optim.lr=1e-3,1e-3"], "1e-3 is listed twice"),
        (["optim.lr=log:0..1"], "needs numbers above 0"),
        (["optim.lr=1e-2..1e-5"], "the first number must be less"),
        (["optim.lr=a..b"], "'a' is no number"),
        (["optim.lr=log:1e-3,1e-4"], "log: takes a range"),
        (["optim.lr=1e-3..inf"], "must be finite"),
        (["optim.lr=0.5..20"], r"`search` optim\.lr=20.*less than or equal to 1"),
        (["schedule.batch_size=1.5..9"], "takes whole numbers"),
        (["objective.loss=1..2"], "takes no numbers; list its values"),
        (["objective.loss=hinge,hunge"], "did you mean 'hinge'"),
        (["seed=0..9"], "compare seeds with"),
        (["schedule.evaluation_interval=1..9"], "is chosen by the sweep"),
        (["optim.lr=0.1..0.2", "optim.lr=0.3..0.4"], r"names optim\.lr twice"),
        ([], "must name at least one field"),
        (["objective.loss=hinge,wasserstein"], "slope is bounded"),
    ],
)
def test_what_cannot_be_is_refused(search: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_search(search, DCGAN)


def test_a_value_that_fits_only_some_others_is_searched() -> None:
    """Wasserstein needs a penalty; with one of the two values it has one."""
    recipe = get_recipe("mlp")
    space = parse_search(
        ["objective.loss=hinge,wasserstein", "objective.penalties.wgan_gp=0,10"], recipe
    )
    with pytest.raises(ConfigError):
        space.recipe(recipe, {"objective.loss": "wasserstein", "objective.penalties.wgan_gp": "0"})


def test_types_of_fields() -> None:
    assert field_types(DCGAN, "optim.lr") == {float}
    assert float in field_types(DCGAN, "optim.d_lr")
    assert field_types(DCGAN, "schedule.batch_size") == {int}
    assert field_types(DCGAN, "objective.loss") == {str}
