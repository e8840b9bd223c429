"""The record of a metric: which way is better, how values are written, and metrics of one's own."""

from collections.abc import Iterator

import pytest

from inkgan.errors import ConfigError
from inkgan.metrics.metric_registry import (
    METRIC_SPECS,
    RENAMED_KEYS,
    MetricSpec,
    current_key,
    known_scores,
    register_metric,
    registered_metrics,
    unregister_metric,
)


@pytest.mark.parametrize("spec", METRIC_SPECS.values(), ids=list(METRIC_SPECS))
def test_every_metric_is_described(spec: MetricSpec) -> None:
    assert METRIC_SPECS[spec.key] is spec
    assert spec.title
    assert spec.summary
    assert spec.explanation.endswith(".")
    assert spec.group != "custom"
    assert spec.baseline != "custom"


@pytest.mark.parametrize(
    ("key", "value", "baseline", "excess"),
    [
        ("fd_e1", 3.0, 1.0, 2.0),
        ("recall", 0.75, 1.0, 0.25),
        ("density", 1.25, 1.0, 0.25),  # crowded where real images are densest
        ("density", 0.75, 1.0, 0.25),
        ("label_accuracy", 1.0, 0.75, 0.25),
        ("two_sample_auc", 0.75, 0.5, 0.25),
        ("one_nearest", 0.25, 0.5, 0.25),  # images that are copied are no better than real ones
        ("one_nearest", 0.5, 0.75, -0.25),
    ],
)
def test_excess_knows_which_way_is_better(
    key: str, value: float, baseline: float, excess: float
) -> None:
    assert METRIC_SPECS[key].excess(value, baseline) == excess


def test_values_are_written_by_their_unit() -> None:
    assert METRIC_SPECS["recall"].format(0.92139) == "92.14 %"
    assert METRIC_SPECS["recall"].format(0.92139, decimals=1) == "92.1 %"
    assert METRIC_SPECS["recall"].format_interval(0.9, 0.95) == "90.00 % to 95.00 %"
    assert METRIC_SPECS["density"].format(0.9144) == "0.914"
    assert METRIC_SPECS["modes"].format(1000) == "1,000"
    assert METRIC_SPECS["fd_e1"].format(1.4871) == "1.49"
    assert METRIC_SPECS["fd_e1"].format(4554.3) == "4,554"
    assert METRIC_SPECS["ct"].format(-3.14159) == "\N{MINUS SIGN}3.14"
    assert METRIC_SPECS["ct"].format(float("nan")) == "-"


def test_older_names_are_read() -> None:
    assert current_key("usefulness") == "cas"
    assert current_key("fd_e1") == "fd_e1"
    assert set(RENAMED_KEYS.values()) <= set(METRIC_SPECS)
    assert known_scores({"clear": 1, "best_e3_distance": 2, "fd_e1": 3}) == {
        "fd_e1": 3,
        "confident": 1,
    }


@pytest.fixture
def ink() -> Iterator[MetricSpec]:
    spec = MetricSpec("ink", "Mean ink", "baseline", "how much is drawn", unit="fraction")
    register_metric(spec, lambda generated, reference: 0.1)
    yield spec
    unregister_metric("ink")


def test_a_metric_of_ones_own_is_listed_last(ink: MetricSpec) -> None:
    assert list(METRIC_SPECS)[-1] == "ink"
    assert METRIC_SPECS["ink"] is ink
    assert registered_metrics()["ink"](None, None) == 0.1
    register_metric(ink, lambda generated, reference: 0.2)
    assert registered_metrics()["ink"](None, None) == 0.2


def test_what_cannot_be_registered() -> None:
    with pytest.raises(ConfigError, match="'fd_e1' is a metric of inkgan"):
        register_metric(METRIC_SPECS["fd_e1"], len)
    with pytest.raises(ConfigError, match="`direction` must be one of lower, higher"):
        MetricSpec("x", "X", "up", "x")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`best_value` must be given"):
        MetricSpec("x", "X", "value", "x")
    with pytest.raises(ConfigError, match="`key` must be a name without a slash"):
        MetricSpec("fd/3", "X", "lower", "x")
    with pytest.raises(ConfigError, match="`function` must be callable"):
        register_metric(MetricSpec("x", "X", "lower", "x"), 3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no registered metric"):
        unregister_metric("fd_e1")


def test_differences_are_written_in_points_and_with_their_sign() -> None:
    recall, distance = METRIC_SPECS["recall"], METRIC_SPECS["fd_e1"]
    assert recall.format_difference(0.0123) == "+1.23 points"
    assert recall.format_difference_interval(-0.003, 0.012) == "\N{MINUS SIGN}0.30 to +1.20 points"
    assert distance.format_difference(-0.000051234) == "\N{MINUS SIGN}5.12·10⁻⁵"
    assert recall.heading == "Recall, % ↑"
    assert recall.format_margin(0.94, 0.005) == "94.0 ± 0.5"
    assert METRIC_SPECS["density"].format_margin(0.9) == "0.9"
