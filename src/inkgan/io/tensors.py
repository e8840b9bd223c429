"""Safetensors files with one JSON document as metadata; nothing is ever unpickled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from inkgan.errors import ArtifactError
from inkgan.files import atomic

KEY = "inkgan"


def write(path: Path, tensors: Mapping[str, torch.Tensor], document: Mapping[str, Any]) -> None:
    """Write tensors and their document, whole or not at all.

    Args:
        path: of the file.
        tensors: by name, on any device.
        document: JSON values; its "kind" is checked when the file is read.

    Raises:
        ArtifactError: the file cannot be written (no space, no permission).
    """
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with atomic(path) as temporary:
            save_file(on_cpu, temporary, metadata={KEY: json.dumps(document)})
    except SafetensorError as error:  # how the library reports a full disk
        raise ArtifactError(f"cannot write {path}: {error}") from error


def read(path: Path, kind: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read tensors and their document.

    Args:
        path: of the file.
        kind: that the document must have, such as "bundle".

    Returns:
        The tensors by name, on the CPU, and the document.

    Raises:
        ArtifactError: missing, damaged, or not such a file.
    """
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist")
    try:
        with safe_open(path, framework="pt") as opened:
            document = json.loads((opened.metadata() or {}).get(KEY, "null"))
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactError(f"{path} is no readable safetensors file: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != kind:
        raise ArtifactError(f"{path} is not an inkgan {kind}")
    return tensors, document
