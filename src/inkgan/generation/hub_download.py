"""Trained generators from the Hugging Face hub, by the names that people give them there."""

import re
from pathlib import Path

from inkgan.errors import ArtifactError
from inkgan.files import is_offline
from inkgan.optional_imports import import_extra

FILE = "model.safetensors"  # a bundle, under the name that the hub looks for
FOLDERS = frozenset({"runs", "models", "checkpoints", "bundles", "out", "output", "data", "tmp"})
SECONDS = 5.0  # for the hub to answer; its own client tries for half a minute
NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def is_hub_name(text: str) -> bool:
    """Tell whether a text could name a repository of the hub, such as user/name.

    Paths such as ./name and runs/name do not.
    """
    user = text.partition("/")[0]
    looks_so = NAME.fullmatch(text) is not None and not text.endswith(".safetensors")
    return looks_so and not user.startswith(".") and user not in FOLDERS


def fetch(name: str) -> Path:
    """Return the bundle of a repository of the hub, downloaded or from its cache.

    INKGAN_OFFLINE and HF_HUB_OFFLINE allow the cache alone.

    Raises:
        ConfigError: the extra `hub` is not installed.
        ArtifactError: there is no such repository, no such file in it, or no connection.
    """
    what = f"there is no run or bundle {name!r} here, and looking for it on the Hugging Face hub"
    hub = import_extra("huggingface_hub", "hub", what)
    constants = import_extra("huggingface_hub.constants", "hub", what)  # no attribute until then
    offline = is_offline()
    unreachable = not offline and not _answers(constants.ENDPOINT)
    try:
        return Path(hub.hf_hub_download(name, FILE, local_files_only=offline or unreachable))
    except Exception as error:  # the hub, the connection or the disk, in many libraries' words
        reason = str(error).strip().partition("\n")[0]
        if offline or unreachable:
            reason = "INKGAN_OFFLINE is set" if offline else "it cannot be reached"
        raise ArtifactError(
            f"there is no run or bundle {name!r} here, and the Hugging Face hub does not give it: "
            f"{reason}"
        ) from error


def _answers(address: str) -> bool:
    """Ask once whether a server can be reached."""
    import requests  # a tenth of a second, where something is downloaded

    try:
        requests.head(address, timeout=SECONDS)
    except requests.RequestException:
        return False
    return True
