"""The cost of a generator from its recipe alone, against the built network, and its limits."""

import pytest

from inkgan.config import Model
from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.images import Shape
from inkgan.models.build import build_generator, count_operations, count_parameters
from inkgan.models.cost import generator_cost, require_affordable
from tests.fixtures.bundles import EVERY, SHAPE, small_bundle

SHAPES = {"stacked-mnist": Shape(3, 28, 28), "cifar10": Shape(3, 32, 32)}


def assert_equal_to_the_network(model: Model, shape: Shape, tolerance: float) -> None:
    network = build_generator(model, shape, seed=0).eval()
    cost = generator_cost(model, shape)
    assert cost.operations == count_operations(network, model)
    assert cost.parameters <= count_parameters(network)  # which has biases and scales, too
    assert cost.parameters == pytest.approx(count_parameters(network), rel=tolerance)


@pytest.mark.parametrize("name", ["mlp", "cgan", "dcgan-tutorial", "flagship", "cifar10"])
def test_cost_of_a_recipe(name: str) -> None:
    recipe = RECIPES[name]
    size = recipe.data.size or 28
    shape = SHAPES.get(recipe.data.name, Shape(1, size, size))
    assert_equal_to_the_network(recipe.model, shape, tolerance=0.02)


@pytest.mark.parametrize(("name", "conditioning"), EVERY)
def test_cost_of_every_kind_of_layer(name: str, conditioning: str) -> None:
    model = small_bundle(name, conditioning).recipe.model
    assert_equal_to_the_network(model, SHAPE, tolerance=0.25)


@pytest.mark.parametrize(
    ("changes", "size", "message"),
    [
        ({"model.generator": {"family": "mlp", "widths": [65536, 65536]}}, 28, "parameters"),
        (
            {"model.generator": {"family": "residual", "widths": [256, 128, 128, 128]}},
            256,
            "bytes for one layer of 64 images; the limit is 2,000,000,000",
        ),
        (
            {"model.generator": {"family": "residual", "widths": [512, 256], "blocks": 4}},
            56,
            "operations for an image; the limit is 10,000,000,000",
        ),
        (
            {
                "model.generator": {
                    "family": "dcgan",
                    "stem": None,
                    "layers": [{"channels": 1, "stride": 8, "kernel": 8, "padding": 0}] * 60,
                }
            },
            28,
            "more than 10^15",
        ),
    ],
)
def test_what_needs_too_much_is_refused(
    changes: dict[str, object], size: int, message: str
) -> None:
    model = override(RECIPES["dcgan"], changes).model
    with pytest.raises(ConfigError) as caught:
        require_affordable(model, Shape(1, size, size))
    assert message in str(caught.value)
    with pytest.raises(ConfigError):
        build_generator(model, Shape(1, size, size), seed=0)


def test_layers_without_any_output_are_refused() -> None:
    layers = [{"channels": 4, "kernel": 1, "stride": 1, "padding": 9}]
    changes = {"model.generator": {"family": "dcgan", "layers": layers}}
    model = override(RECIPES["dcgan"], changes).model
    with pytest.raises(ConfigError, match="shrink 12x12 gray images to nothing"):
        build_generator(model, SHAPE, seed=0)
