"""Backgrounds of one's own: a folder of images of which each sequence gets a part."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inkgan.errors import ArtifactError, ConfigError
from inkgan.images import DAMAGED
from inkgan.synthesis.paper.homography import Homography
from inkgan.types import Float32, UInt8

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
LARGEST_SIDE = 1024  # pixels that are kept of an image
IMAGES_IN_MEMORY = 32
LEAST_PART = 0.3  # of the largest part that fits


@dataclass(frozen=True)
class BackgroundFolder:
    """Images of paper.

    Attributes:
        files: in the order of their names.
        sha256: of all of them.
    """

    files: tuple[Path, ...]
    sha256: str

    @classmethod
    def open(cls, folder: str | Path) -> "BackgroundFolder":
        """List a folder's images and read each of them once.

        Raises:
            ConfigError: no folder, or no image in it.
            ArtifactError: a file that is no image.
        """
        path = Path(folder)
        if not path.is_dir():
            raise ConfigError(f"`backgrounds` {folder} is not a folder")
        found = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
        if not found:
            raise ConfigError(
                f"`backgrounds` {folder} has no images; it may contain {', '.join(SUFFIXES)}"
            )
        digest = hashlib.sha256()
        for one in found:
            load_background(one)
            digest.update(one.relative_to(path).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(one.read_bytes()).digest())
        return cls(tuple(found), digest.hexdigest())

    def as_json(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {"count": len(self.files), "sha256": self.sha256}

    def seen(self, view: Homography, size: tuple[int, int], random: np.random.Generator) -> Float32:
        """Return a part of one image as a camera sees it, float32 (3, H, W) in [0, 1].

        Args:
            view: from the page to the picture.
            size: height and width of the picture.
            random: of the sequence's own address.
        """
        image = load_background(self.files[int(random.integers(len(self.files)))])
        height, width = size
        left, top, right, bottom = view.inverse.bounds(0, 0, width, height)
        low = left - 2, top - 2
        columns, rows = right + 2 - low[0], bottom + 2 - low[1]
        fitting = min(image.shape[1] / columns, image.shape[0] / rows)
        scale = fitting * random.uniform(LEAST_PART, 1)
        x, y = random.random(2) * (image.shape[1] - scale * columns, image.shape[0] - scale * rows)
        part = (x, y, x + scale * columns, y + scale * rows)
        page = Image.fromarray(image).resize((columns, rows), Image.Resampling.BILINEAR, box=part)
        seen = view.image(np.asarray(page), size, origin=low)
        return seen.transpose(2, 0, 1).astype(np.float32, order="C") / np.float32(255)


@functools.lru_cache(maxsize=IMAGES_IN_MEMORY)
def load_background(path: Path) -> UInt8:
    """Return an image, uint8 (H, W, 3), with at most LARGEST_SIDE pixels on a side.

    Raises:
        ArtifactError: the file is no image.
    """
    try:
        with Image.open(path) as opened:
            opened.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
            image = opened.convert("RGB")
    except DAMAGED as error:
        raise ArtifactError(f"`backgrounds`: {path} cannot be read ({error})") from error
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return np.asarray(image)
