"""Safetensors files with one JSON document and a checksum; nothing is ever unpickled.

The metadata of a file has one entry, "inkgan": the document. Its last value, "sha256", is that of
the text before it and of every tensor. (One entry, because safetensors writes several in random
order, and equal runs have equal files.) Files of version 0.1.0, format 1, have no checksum.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from inkgan.errors import ArtifactError
from inkgan.files import atomic, parse_json

KEY = "inkgan"
CHECKSUM = re.compile(r', "sha256": "([0-9a-f]{64})"\}$')
FORMAT = 2


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
    text = json.dumps({"format": FORMAT, **document})
    signed = f'{text[:-1]}, "sha256": "{checksum(text, on_cpu)}"}}'
    try:
        with atomic(path) as temporary:
            save_file(on_cpu, temporary, metadata={KEY: signed})
    except SafetensorError as error:  # how the library reports a full disk
        reason = re.sub(r".*I/O error: (.*) \(os error \d+\)", r"\1", str(error))
        raise ArtifactError(f"cannot write {path}: {reason}") from error


def read(path: Path, kind: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read tensors and their document.

    Args:
        path: of the file.
        kind: that the document must have, such as "bundle".

    Returns:
        The tensors by name, on the CPU, and the document without its kind and format.

    Raises:
        ArtifactError: missing, damaged, or not such a file.
    """
    if not path.is_file():
        raise ArtifactError(f"{path} does not exist")
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            names = opened.keys()
            # copied, since a mapped file that changes later would change or end this process
            tensors = {name: opened.get_tensor(name).clone() for name in names}
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} is no readable safetensors file: {error}") from error
    signed = metadata.get(KEY, "null")
    try:
        document = parse_json(signed)
    except ValueError as error:
        raise ArtifactError(f"{path} is damaged: its metadata cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != kind:
        raise ArtifactError(f"{path} is not an inkgan {kind}")
    version = document.pop("format", 1)
    if type(version) is not int or version < 1:
        raise ArtifactError(f"{path} is damaged: its format is {version!r}")
    if version > FORMAT:
        raise ArtifactError(
            f"{path} has format {version}, and this inkgan reads up to {FORMAT}: upgrade inkgan"
        )
    found = CHECKSUM.search(signed)
    if found is None and version > 1:
        raise ArtifactError(f"{path} is damaged: its checksum is missing")
    if found is not None and checksum(f"{signed[: found.start()]}}}", tensors) != found[1]:
        raise ArtifactError(f"{path} is damaged: its contents do not match its checksum")
    document.pop("sha256", None)
    return tensors, {key: value for key, value in document.items() if key != "kind"}


def checksum(text: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 of a document and of the names, types, shapes and bytes of tensors.

    Args:
        text: the document as JSON.
        tensors: on the CPU, by name; their order does not matter.
    """
    hashed = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        hashed.update(f"\n{name!r} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        hashed.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return hashed.hexdigest()
