"""Find near-copies among images of one class, in bounded memory."""

import hashlib

import numpy as np

from inkgan.metrics.validation import gaps
from inkgan.types import Bool, Int64, UInt8

# y is a near-copy of x if |x - y| <= 0.1 |x|, as vectors of pixels. Real images have no
# near-copies: among 5,000 training images of each digit of MNIST, the nearest two are 0.13 |x|
# apart for ones, and 0.19 to 0.31 |x| for the other digits.
MAX_RELATIVE_DISTANCE = 0.1
RECENT = 10_000  # images of each class that near-copies are searched among: 8 MB of 28x28 pixels


class Deduplicator:
    """Remembers a digest of every image that was kept, and the most recent images of each class.

    Examples:
        >>> dedup = Deduplicator()
        >>> dedup.add(images, labels)
        >>> dedup.is_new(more_images, more_labels)  # bool (n,)
    """

    def __init__(self) -> None:
        self._digests: set[bytes] = set()
        self._recent: dict[int, UInt8] = {}

    def add(self, pixels: UInt8, labels: Int64) -> None:
        """Remember images (n, H, W[, 3]) that are kept."""
        for label in np.unique(labels):
            rows = _flatten_pixels(pixels[labels == label])
            self._digests.update(map(_digest, rows))
            recent = self._recent.get(int(label), rows[:0])
            self._recent[int(label)] = np.concatenate([recent, rows])[-RECENT:]

    def is_new(self, pixels: UInt8, labels: Int64) -> Bool:
        """Return whether each image copies neither a remembered one nor one before it, (n,)."""
        new = np.zeros(len(labels), dtype=np.bool_)
        for label in np.unique(labels):
            of_class = labels == label
            new[of_class] = self._is_new(_flatten_pixels(pixels[of_class]), int(label))
        return new

    def _is_new(self, rows: UInt8, label: int) -> list[bool]:
        from inkgan.metrics.memorization import nearest  # half a second, for `dedupe` alone

        thresholds = MAX_RELATIVE_DISTANCE * np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1))
        recent = self._recent.get(label, rows[:0])
        distances = nearest(rows, recent).distances if len(recent) else np.full(len(rows), np.inf)
        flags: list[bool] = []
        kept: list[int] = []
        for place, row in enumerate(rows):
            new = distances[place] > thresholds[place] and _digest(row) not in self._digests
            new = new and not (gaps(rows[kept], row) <= thresholds[place]).any()
            flags.append(bool(new))
            if new:
                kept.append(place)
        return flags


def _flatten_pixels(pixels: UInt8) -> UInt8:
    return pixels.reshape(len(pixels), -1)


def _digest(row: UInt8) -> bytes:
    """Return 64 bits of SHA-256: a collision among a million images has probability 3e-8."""
    return hashlib.sha256(row.tobytes()).digest()[:8]
