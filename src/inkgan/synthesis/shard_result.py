"""Images drawn for a data set, with what is known of each; and the shards that keep them."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.synthesis.request import Request
from inkgan.synthesis.shards import Part, parts
from inkgan.types import Float32, Int64, UInt8

UNREAD = -1  # the class read, where there is no judge to read it


@dataclass(frozen=True)
class Drawn:
    """What is known of n images.

    Attributes:
        pixels: uint8 (n, H, W), or (n, H, W, 3) for colour.
        labels: the class that each shows.
        seeds: of the sampler; with the label, they draw the same image again.
        read: the class that the judge reads, or UNREAD.
        confidence: the probability that the judge gives the label, or NaN.
        slant: degrees, or NaN where it was not asked for.
        thickness: pixels, or NaN where it was not asked for.
    """

    pixels: UInt8
    labels: Int64
    seeds: Int64
    read: Int64
    confidence: Float32
    slant: Float32
    thickness: Float32

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, rows: npt.NDArray[np.intp] | slice) -> "Drawn":
        """Return some of the images."""
        return Drawn(*(getattr(self, f.name)[rows] for f in fields(self)))


def joined(pieces: Sequence[Drawn]) -> Drawn:
    """Return several lots as one."""
    names = [f.name for f in fields(Drawn)]
    return Drawn(*(np.concatenate([getattr(p, name) for p in pieces]) for name in names))


@dataclass
class Tally:
    """What drawing has cost so far.

    Attributes:
        drawn: images drawn, kept or not.
        rejected: images not kept, by the reason.
    """

    drawn: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    def reject(self, reason: str, count: int) -> None:
        """Count images that are not kept."""
        if count:
            self.rejected[reason] = self.rejected.get(reason, 0) + count


class Shards:
    """The images of a request on disk, a file for each part, in order.

    They can be read as often as one likes, a shard in memory at a time.
    """

    def __init__(self, folder: Path, request: Request) -> None:
        self.folder, self.request = folder, request

    def parts(self, split: str | None = None) -> Iterator[Part]:
        """Yield the labels of all parts, or of one split."""
        return (part for part in parts(self.request) if split in (None, part.split))

    def each(self, split: str | None = None) -> Iterator[tuple[Part, Drawn]]:
        """Yield all parts with their images, or those of one split."""
        for part in self.parts(split):
            yield part, self.load(part.index)

    def path(self, index: int) -> Path:
        """Name the file of a part."""
        return self.folder / f"shard-{index:06d}.npz"

    def count(self) -> int:
        """Count the shards that stand, from the first on without a gap."""
        index = 0
        while self.path(index).is_file():
            index += 1
        return index

    def save(self, index: int, drawn: Drawn, tally: Tally) -> None:
        """Write a shard, whole or not at all, and what has been drawn up to its end."""
        arrays = {f.name: getattr(drawn, f.name) for f in fields(drawn)}
        arrays["reasons"] = np.array(list(tally.rejected), dtype=np.str_)
        arrays["counts"] = np.array([tally.drawn, *tally.rejected.values()], dtype=np.int64)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        with files.atomic(self.path(index)) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load(self, index: int) -> Drawn:
        """Read the images of a shard.

        Raises:
            ArtifactError: it is missing or damaged.
        """
        names = [f.name for f in fields(Drawn)]
        return Drawn(*self._read(index, names))

    def tally(self, index: int) -> Tally:
        """Read what had been drawn at the end of a shard."""
        reasons, counts = self._read(index, ["reasons", "counts"])
        drawn, *rejected = counts.tolist()
        return Tally(drawn, dict(zip(reasons.tolist(), rejected, strict=True)))

    def _read(self, index: int, names: Sequence[str]) -> list[np.ndarray]:
        path = self.path(index)
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
                return [arrays[name] for name in names]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ArtifactError(f"{path} is damaged ({error}); start over with --force") from error
