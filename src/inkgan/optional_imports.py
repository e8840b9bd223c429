"""Imports of libraries that only an extra of the package installs."""

import importlib
from typing import Any

from inkgan.errors import ConfigError


def import_extra(module: str, extra: str, what: str) -> Any:
    """Import a module that an extra of this package installs.

    Args:
        module: its full name.
        extra: the name of the extra in pyproject.toml, such as onnx.
        what: the feature that needs it, for the message.

    Raises:
        ConfigError: it is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing_extra(module, extra, what, error) from error


def missing_extra(module: str, extra: str, what: str, error: Exception) -> ConfigError:
    """Return the error that names an extra; the reason is added where more than it is missing.

    Args:
        module: that could not be imported.
        extra: the name of the extra in pyproject.toml.
        what: the feature that needs it.
        error: that the import raised.
    """
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    is_absent = missing.partition(".")[0] == module.partition(".")[0]
    reason = "" if is_absent else f" ({error})"
    return ConfigError(f"{what} needs the extra: pip install 'inkgan[{extra}]'{reason}")
