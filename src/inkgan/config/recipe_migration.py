"""Recipes written by older versions, brought to today's names of fields and values.

There is one table of renamed fields and one of renamed values. `migrate_recipe` applies them to a
nested mapping (recipe.toml of a run folder, the metadata of a bundle), `migrate_override` to one
dotted field. Both leave what they do not know as it is; validation comes after them.
"""

import re
from collections.abc import Mapping
from typing import Any

FIELDS = {  # of version 0.1.0
    "model.style": "style_measures",
    "model.generator.slope": "negative_slope",
    "model.generator.squash": "tanh_output",
    "model.generator.stem.normalise": "norm_axis",
    "model.discriminator.slope": "negative_slope",
    "model.discriminator.spectral": "spectral_norm",
    "objective.classify": "aux_weight",
    "objective.style": "style_weight",
    "objective.clip": "weight_clip",
    "objective.penalties.gradient": "wgan_gp",
    "objective.penalties.every": "interval",
    "objective.penalties.final": "final_factor",
    "optim.final": "final_factor",
    "schedule.sample_every": "sample_interval",
    "schedule.evaluate_every": "evaluation_interval",
}
VALUES = {  # of version 0.1.0
    "model.generator.conditioning": {
        "concatenated": "concat",
        "multiplied": "multiply",
        "normalisation": "conditional-bn",
    },
    "model.discriminator.conditioning": {"concatenated": "concat"},
    "objective.augment": {"colour": "color"},
}


class RenamedFieldWarning(FutureWarning):
    """A recipe field was given under an older name, which is still accepted."""


def migrate_recipe(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's nested values under today's names.

    Args:
        values: as TOML or JSON hold them, of any version; not changed.

    A field that occurs under its older and under its present name keeps both, so that validation
    refuses the older one.

    Examples:
        >>> migrate_recipe({"objective": {"clip": 0.01}})
        {'objective': {'weight_clip': 0.01}}
    """
    return _migrate_section(values, "")


def migrate_override(key: str, value: Any) -> tuple[str, Any]:
    """Return a dotted field and its value under today's names.

    Examples:
        >>> migrate_override("objective.clip", 0.01)
        ('objective.weight_clip', 0.01)
    """
    *parents, last = key.split(".")
    renamed = ".".join([*parents, FIELDS.get(key, last)])
    return renamed, _migrate_value(value, renamed)


def model_json_0_1(text: str) -> str:
    """Return the JSON text of a model under the names of version 0.1.0.

    The digests of bundles hash this text, and shipped files and users' caches hold such digests, so
    it stays as it was. Keys and values are replaced in the text itself, which keeps the order of
    the fields and the spelling of the numbers.
    """
    names = {new: old.rpartition(".")[2] for old, new in FIELDS.items() if old.startswith("model.")}
    for new, old in names.items():
        text = text.replace(f'"{new}":', f'"{old}":')
    conditioning = VALUES["model.generator.conditioning"]
    older = {new: old for old, new in conditioning.items()}
    return re.sub(
        r'"conditioning":"([a-z-]+)"',
        lambda found: f'"conditioning":"{older.get(found[1], found[1])}"',
        text,
    )


def _migrate_section(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    migrated = {}
    for key, value in values.items():
        dotted = f"{prefix}{key}"
        renamed = FIELDS.get(dotted, key)
        name = key if renamed in values else renamed
        migrated[name] = _migrate_value(value, f"{prefix}{name}")
    return migrated


def _migrate_value(value: Any, dotted: str) -> Any:
    if isinstance(value, Mapping):
        return _migrate_section(value, f"{dotted}.")
    names = VALUES.get(dotted)
    if names is None:
        return value
    if isinstance(value, str):
        return ",".join(names.get(part.strip(), part) for part in value.split(","))
    if isinstance(value, list | tuple):
        return [names.get(part, part) if isinstance(part, str) else part for part in value]
    return value
