"""Libraries that only some people need, and how to ask for them."""

import importlib
from typing import Any

from inkgan.errors import ConfigError


def import_extra(module: str, extra: str, what: str) -> Any:
    """Import a module that an extra of this package installs.

    Args:
        module: its full name.
        extra: of pyproject.toml, such as onnx.
        what: needs it, for the message.

    Raises:
        ConfigError: it is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"{what} needs the extra: pip install 'inkgan[{extra}]' ({error})"
        ) from error
