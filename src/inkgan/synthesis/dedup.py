"""Finding near-copies among images of one class, in bounded memory."""

import hashlib

import numpy as np
import numpy.typing as npt

from inkgan.metrics.memorization import nearest
from inkgan.metrics.validation import gaps
from inkgan.types import Int64, UInt8

# Of an image's own length |x|: y is a near-copy of x where |x - y| <= 0.1 |x|, in pixels. Among
# 5,000 training images of each digit of MNIST the nearest two are 0.13 apart (ones), 0.19 to 0.31
# for the other digits: real images have no near-copies.
NEAR = 0.1
RECENT = 10_000  # images of each class that near-copies are sought among: 8 MB of 28x28 pixels


class Copies:
    """What has been kept: a digest of every image, and the most recent ones of each class."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()
        self._recent: dict[int, UInt8] = {}

    def remember(self, pixels: UInt8, labels: Int64) -> None:
        """Add images that are kept."""
        for label in np.unique(labels):
            rows = _flat(pixels[labels == label])
            self._digests.update(map(_digest, rows))
            held = self._recent.get(int(label), rows[:0])
            self._recent[int(label)] = np.concatenate([held, rows])[-RECENT:]

    def fresh(self, pixels: UInt8, labels: Int64) -> npt.NDArray[np.bool_]:
        """Say of each image whether it is no copy of one remembered or before it, bool (n,)."""
        verdict = np.zeros(len(labels), dtype=np.bool_)
        for label in np.unique(labels):
            verdict[labels == label] = self._fresh(_flat(pixels[labels == label]), int(label))
        return verdict

    def _fresh(self, rows: UInt8, label: int) -> list[bool]:
        reach = NEAR * np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1))
        held = self._recent.get(label, rows[:0])
        away = nearest(rows, held).distances if len(held) else np.full(len(rows), np.inf)
        verdict: list[bool] = []
        kept: list[int] = []
        for place, row in enumerate(rows):
            new = away[place] > reach[place] and _digest(row) not in self._digests
            new = new and not (gaps(rows[kept], row) <= reach[place]).any()
            verdict.append(bool(new))
            if new:
                kept.append(place)
        return verdict


def _flat(pixels: UInt8) -> UInt8:
    return pixels.reshape(len(pixels), -1)


def _digest(row: UInt8) -> bytes:
    """Return 64 bits of SHA-256: two of a million images share them once in 37 million sets."""
    return hashlib.sha256(row.tobytes()).digest()[:8]
