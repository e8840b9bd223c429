"""The registry of metrics: one record each, from which tables, charts, reports and docs derive.

`METRIC_SPECS` lists the metrics of an evaluation in the order in which they are shown.
`register_metric` adds one of the user's own.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from inkgan.errors import ConfigError
from inkgan.metrics.metric_spec import (
    MINUS,
    NO_NUMBER,
    MetricSpec,
    format_number,
    format_with_margin,
)
from inkgan.metrics.metric_table import SPECS

__all__ = [
    "METRIC_SPECS",
    "MINUS",
    "NO_NUMBER",
    "MetricFunction",
    "MetricSpec",
    "MetricValue",
    "current_key",
    "format_number",
    "format_with_margin",
    "known_scores",
    "register_metric",
    "registered_metrics",
    "unregister_metric",
]

# A metric's value, or its value with both ends of its interval.
MetricValue = float | tuple[float, float, float]
MetricFunction = Callable[..., MetricValue]

_registry: dict[str, MetricSpec] = {spec.key: spec for spec in SPECS}
_own: dict[str, MetricFunction] = {}
METRIC_SPECS: Mapping[str, MetricSpec] = MappingProxyType(_registry)
"""Every metric by its key, in the order in which they are shown; registered ones come last."""

# Keys of reports, baselines and bundles that were written before they were renamed.
RENAMED_KEYS = {"clear": "confident", "usefulness": "cas"}


def register_metric(spec: MetricSpec, function: MetricFunction) -> None:
    """Add a metric to every evaluation of this process.

    Evaluations show it in `report.scores` and on the report's page, beside the score of real
    images by the same function. They do not reuse earlier results while one is registered.

    Args:
        spec: its record; `unit`, `direction` and `title` say how it is shown. Another metric
            registered under the same key before is replaced.
        function: called as `function(generated, reference)` with two `ImageSet`s: their `images`
            (uint8, (n, 28, 28)), `features` (`e1` (n, 128), `e2` (n, 64), `probabilities`
            (n, 10)) and `labels` (int64, (n,)). It returns a number, or (value, low, high).

    Raises:
        ConfigError: the key is that of a metric of the package, or `function` is not callable.

    Examples:
        >>> def mean_ink(generated, reference):
        ...     return float(generated.images.mean() / 255)
        >>> spec = MetricSpec("ink", "Mean ink", "baseline", "how much is drawn", unit="fraction")
        >>> register_metric(spec, mean_ink)
        >>> METRIC_SPECS["ink"].format(0.131)
        '0.131'
        >>> unregister_metric("ink")
    """
    if spec.key in METRIC_SPECS and spec.key not in _own:
        raise ConfigError(f"`key` {spec.key!r} is a metric of inkgan; choose another name")
    if spec.key in RENAMED_KEYS:
        raise ConfigError(f"`key` {spec.key!r} is an older name of a metric; choose another one")
    if not callable(function):
        raise ConfigError(f"`function` must be callable, not {type(function).__name__}")
    _registry[spec.key] = spec
    _own[spec.key] = function


def unregister_metric(key: str) -> None:
    """Remove a metric that `register_metric` added.

    Raises:
        ConfigError: no such metric was registered.
    """
    if key not in _own:
        raise ConfigError(f"`key` {key!r} is no registered metric")
    del _own[key], _registry[key]


def registered_metrics() -> Mapping[str, MetricFunction]:
    """Return the functions of the user's own metrics by key."""
    return MappingProxyType(dict(_own))


def current_key(key: str) -> str:
    """Return today's name of a metric for its name in an older document."""
    return RENAMED_KEYS.get(key, key)


def known_scores(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `scores` whose metric has a record, by today's keys, in the usual order."""
    renamed = {current_key(key): score for key, score in scores.items()}
    return {key: renamed[key] for key in METRIC_SPECS if key in renamed}
