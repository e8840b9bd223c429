"""Measure a stream part by part, in one process or in several, and continue after a stop."""

import functools
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkgan import files
from inkgan.device import default_threads
from inkgan.errors import ArtifactError, DataError
from inkgan.evaluation.own_extractors import load_reference
from inkgan.evaluation.reference import ReferenceSet
from inkgan.evaluation.streamed.image_iterables import IterableStream
from inkgan.evaluation.streamed.streamed_sources import NumberedStream, only_classes
from inkgan.evaluation.streamed.streamed_sums import ImagePart, StreamSums, measure_part
from inkgan.execution.worker_processes import completed
from inkgan.metrics.features.extractors import Features
from inkgan.types import Progress, silent

REFERENCE = "reference.npz"  # features of the real images, for other processes
SUMS = re.compile(r"sums-(\d{6})\.npz")  # of so many parts together


@dataclass(frozen=True)
class StreamState:
    """The sums of the first parts of a stream, on disk.

    Attributes:
        folder: that keeps them; another one for every stream.
    """

    folder: Path

    def load(self) -> tuple[int, StreamSums | None]:
        """Return how many parts are measured, and their sums."""
        found = sorted(path for path in self.folder.glob("sums-*.npz") if SUMS.fullmatch(path.name))
        for path in reversed(found):
            try:
                return int(path.name[5:11]), StreamSums.load(path)
            except ArtifactError:
                path.unlink()
        return 0, None

    def save(self, parts: int, sums: StreamSums) -> None:
        """Keep the sums of the first parts in the place of those of fewer."""
        sums.save(self.folder / f"sums-{parts:06d}.npz")
        for path in self.folder.glob("sums-*.npz"):
            if SUMS.fullmatch(path.name) and int(path.name[5:11]) < parts:
                path.unlink()

    def part_path(self, index: int) -> Path:
        """Return the file for the sums of one part, until they are merged."""
        return self.folder / f"part-{index:06d}.npz"

    def clear(self) -> None:
        """Remove everything."""
        files.remove(self.folder)


@dataclass(frozen=True, eq=False)
class StreamMeasurement:
    """How a stream is measured.

    Attributes:
        reference: the real images.
        size: of a set.
        state: where sums are kept; None keeps none.
        progress: called as `progress("measuring images", done, total)`, total 0 if not known.
    """

    reference: ReferenceSet
    size: int
    state: StreamState | None
    progress: Progress = silent

    def numbered(
        self, stream: NumberedStream, workers: int | None, data: tuple[str, Path | None]
    ) -> StreamSums:
        """Measure a stream whose parts can be had in any order.

        Args:
            stream: of images.
            workers: the most processes; None is one for each core.
            data: name and folder of the reference, by which other processes load it.
        """
        assert self.state is not None
        done, sums = self.state.load()
        total = stream.num_parts(self.size)
        self._report(sums, stream.total)
        for index, found in self._parts(stream, range(done, total), workers, data):
            sums = found if sums is None else sums.merge(found)
            self.state.save(index + 1, sums)
            self.state.part_path(index).unlink(missing_ok=True)
            self._report(sums, stream.total)
        if sums is None:
            raise DataError(f"{stream.name} has no images")
        return sums

    def iterated(self, stream: IterableStream) -> StreamSums:
        """Measure arrays as they come; after a stop the same ones are passed over."""
        done, sums = (0, None) if self.state is None else self.state.load()
        for index, part in enumerate(stream.parts(self.size, self.reference.images)):
            if index < done:
                assert sums is not None
                self._refuse_other(index, part)
                continue
            found = measure_part(part, self.reference, self.size)
            sums = found if sums is None else sums.merge(found)
            if self.state is not None:
                files.write_text(self._check_path(index), str(_checksum(part)))
                self.state.save(index + 1, sums)
            self._report(sums, stream.most or 0)
        if sums is None:
            raise DataError(f"{stream.name} has no images")
        return sums

    def _parts(
        self,
        stream: NumberedStream,
        missing: range,
        workers: int | None,
        data: tuple[str, Path | None],
    ) -> Iterator[tuple[int, StreamSums]]:
        """Yield the sums of the parts in order, whoever measures them."""
        assert self.state is not None
        processes = min(default_threads() if workers is None else workers, len(missing))
        if processes <= 1 or not stream.travels:
            for index in missing:
                part = stream.part(index, self.size, self.reference.images)
                yield index, measure_part(part, self.reference, self.size)
            return
        real = self.reference.features
        with files.atomic(self.state.folder / REFERENCE) as path, path.open("wb") as file:
            np.savez(file, allow_pickle=False, **real._asdict())
        job = PartJob(stream, self.size, self.state, data, self.reference.images.digest)
        ahead = [index for index in missing if not self.state.part_path(index).is_file()]
        with closing(completed(job, ahead, processes)) as finished:
            for index in missing:
                while not self.state.part_path(index).is_file():
                    next(finished)
                yield index, StreamSums.load(self.state.part_path(index))

    def _report(self, sums: StreamSums | None, total: int) -> None:
        self.progress("measuring images", 0 if sums is None else sums.read, total)

    def _check_path(self, index: int) -> Path:
        assert self.state is not None
        return self.state.folder / f"check-{index:06d}.txt"

    def _refuse_other(self, index: int, part: ImagePart) -> None:
        path = self._check_path(index)
        if path.read_text(encoding="utf-8") != str(_checksum(part)):
            raise ArtifactError(
                "the images of `source` are not those that were measured before the stop; use "
                "another `out`, or `fresh=True`"
            )


def _checksum(part: ImagePart) -> int:
    labels = b"" if part.labels is None else part.labels.tobytes()
    return zlib.crc32(labels, zlib.crc32(np.ascontiguousarray(part.pixels).tobytes()))


@dataclass(frozen=True)
class PartJob:
    """Measures parts of a stream, in whichever process, and writes their sums.

    Attributes:
        stream: that can be sent to another process.
        size: of a set.
        state: where the sums go.
        data: name and folder of the reference.
        digest: of the reference's images.
    """

    stream: NumberedStream
    size: int
    state: StreamState
    data: tuple[str, Path | None]
    digest: str

    def __call__(self, index: int) -> None:
        """Measure a part."""
        known = self.state.folder / REFERENCE
        reference = _reference(*self.data, self.stream.classes(), self.digest, known)
        part = self.stream.part(index, self.size, reference.images)
        sums = measure_part(part, reference, self.size)
        sums.save(self.state.part_path(index))


@functools.lru_cache(maxsize=1)
def _reference(
    name: str, folder: Path | None, classes: tuple[str, ...] | None, digest: str, features: Path
) -> ReferenceSet:
    """Load the real images and the features that were computed of them."""
    images = only_classes(load_reference(name, folder), classes)
    if images.digest != digest:
        raise ArtifactError(f"{name} is another data set in this process")
    reference = ReferenceSet(images)
    with np.load(features, allow_pickle=False) as archive:
        known = Features(*(archive[key] for key in Features._fields))
    reference.__dict__["features"] = known  # as a cached property has them
    return reference
