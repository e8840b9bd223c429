"""The provenance of a generator: how it was made, and its scores beside those of real images."""

from inkgan.io.bundle import Bundle
from inkgan.metrics.metric_registry import METRIC_SPECS, known_scores
from inkgan.models.build import count_parameters

UNKNOWN_LICENSE = "unknown"


def provenance(bundle: Bundle) -> list[tuple[str, str]]:
    """Return how a generator was made, as (term, fact)."""
    recipe = bundle.recipe
    parameters = count_parameters(bundle.generator())
    return [
        ("Recipe", f"{recipe.name}, seed {recipe.seed}, inkgan {bundle.version}"),
        ("Network", f"{recipe.model.generator.family}, {parameters:,} parameters"),
        ("Trained on", f"{recipe.data.name}, {bundle.images_seen:,} images"),
        ("SHA-256 of the training data", bundle.data_sha256),
        ("SHA-256 of network and weights", bundle.digest),
        ("License", bundle.license or UNKNOWN_LICENSE),
    ]


def score_rows(bundle: Bundle) -> list[tuple[str, str, str]]:
    """Return the scores as (metric, value, real baseline), in the order of the report."""
    return [
        (spec.title, spec.format(score.value), spec.format(score.baseline))
        for key, score in known_scores(bundle.scores).items()
        if (spec := METRIC_SPECS[key]) and score.baseline is not None
    ]
