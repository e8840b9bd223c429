"""The file with the weights of a generator, and its digest."""

import hashlib
from pathlib import Path

from inkgan.generation.load import BUNDLE, Checkpoint, find
from inkgan.io.run_dir import RunFolder


def weights_file(source: str | Path, checkpoint: Checkpoint) -> Path:
    """Return the file that holds the weights to draw with."""
    path = find(source)
    if checkpoint == "best":
        return RunFolder.open(path).checkpoint_path("best")
    return path / BUNDLE if path.is_dir() else path


def weights_digest(source: str | Path, checkpoint: Checkpoint) -> str:
    """Return the SHA-256 of the weights to draw with."""
    return hashlib.sha256(weights_file(source, checkpoint).read_bytes()).hexdigest()
