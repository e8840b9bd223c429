"""The base of all configuration values."""

from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


def _allows_none(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


class Value(BaseModel):
    """Base of all configuration values: frozen, and strict about unknown keys and NaN."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True
    )

    @model_validator(mode="before")
    @classmethod
    def _none_in_words(cls, value: Any) -> Any:
        """Read "none" as None where None is possible: TOML has no word for it."""
        if not isinstance(value, dict):
            return value
        optional = {key for key, item in cls.model_fields.items() if _allows_none(item.annotation)}
        return {k: None if v == "none" and k in optional else v for k, v in value.items()}
