"""Documents of older versions of inkgan, brought to today's names.

Recipes inside them are migrated by `inkgan.config.recipe_migration`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the studio reads metrics without torch
    import torch

# Names of version 0.1.0 and what they are called since.
CHECKPOINT_PREFIXES = {
    "tally.": "metrics.",
    "g_optimiser.": "g_optimizer.",
    "d_optimiser.": "d_optimizer.",
}
CHECKPOINT_COUNTERS = {"tally": "metrics"}
METRIC_ROWS = {"real_spread": "real_pixel_std", "fake_spread": "fake_pixel_std"}


def migrate_bundle(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bundle's document as today's: the first ones had no license and no baselines."""
    scores = document.get("scores")
    if not isinstance(scores, Mapping):
        return dict(document)
    pairs = {
        key: value if isinstance(value, list) else [value, None] for key, value in scores.items()
    }
    return {"license": "", **document, "scores": pairs}


def migrate_checkpoint(
    tensors: "Mapping[str, torch.Tensor]", counters: Mapping[str, Any]
) -> "tuple[dict[str, torch.Tensor], dict[str, Any]]":
    """Return a training checkpoint's tensors and counters under today's names."""
    renamed = {}
    for key, tensor in tensors.items():
        prefix = key.partition(".")[0] + "."
        renamed[CHECKPOINT_PREFIXES.get(prefix, prefix) + key.removeprefix(prefix)] = tensor
    return renamed, {CHECKPOINT_COUNTERS.get(key, key): value for key, value in counters.items()}


def migrate_metrics_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of metrics.jsonl under today's names."""
    return {METRIC_ROWS.get(key, key): value for key, value in row.items()}
