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
        raise ConfigError(
            f"{what} needs the extra: pip install 'inkgan[{extra}]' ({error})"
        ) from error
