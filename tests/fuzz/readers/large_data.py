"""Files that are read part by part: packed data sets, arrays in a stream, CIFAR-10, and sums."""

import functools
import hashlib
import json
import tarfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from inkgan import files
from inkgan.data.dataset_spec import ReadRequest
from inkgan.data.download import RemoteFile
from inkgan.data.readers.cifar import CIFAR_RECORD, read_cifar10
from inkgan.data.readers.packed_files import find_packed
from inkgan.evaluation.streamed.image_iterables import NpzChunks
from inkgan.evaluation.streamed.streamed_sums import FeatureSums, Reservoir, StreamSums
from inkgan.synthesis.request import LabeledImages, SynthesisRequest
from inkgan.synthesis.synth import synthesize_packed
from tests.fixtures.packed import Quick
from tests.fixtures.synthesis import ORIGIN
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import mutate_file, mutate_json
from tests.fuzz.readers.outside_data import COUNT, labels, npy_bytes, shapes

PACKED_FORMATS = ("parquet", "webdataset")


@functools.cache
def packed_set(folder: Path) -> None:
    """Make a small data set in each packed format."""
    for kind in PACKED_FORMATS:
        content = LabeledImages((3,) * 10, format=kind, shard_size=2000)  # type: ignore[arg-type]
        synthesize_packed(folder / kind, Quick(), SynthesisRequest(content), ORIGIN)


@register
class PackedSet(Reader):
    """A data set of many files: its manifest, and files whose SHA-256 was computed again."""

    name = "packed-set"
    inputs = 60

    def prepare(self, folder: Path) -> None:
        """Make one in each format."""
        packed_set(folder)

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change a value of the manifest, or the bytes of a file, and sign it."""
        place = folder / chance.choice(PACKED_FORMATS)
        path = place / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if chance.random() < 0.5:
            changed = mutate_json(chance, {k: manifest[k] for k in ("shards", "classes", "kind")})
            if isinstance(changed, dict):
                changed = {**{k: v for k, v in manifest.items() if k == "version"}, **changed}
            files.write_text(path, json.dumps(changed))
            return f"{place.name}: manifest"
        shard = manifest["shards"][0]
        done = mutate_file(chance, place / shard["file"])
        shard["sha256"] = hashlib.sha256((place / shard["file"]).read_bytes()).hexdigest()
        files.write_text(path, json.dumps(manifest))
        return done

    def read(self, folder: Path) -> Any:
        """Read all images."""
        found = [find_packed(folder / kind) for kind in PACKED_FORMATS]
        return [
            (packed.classes, [packed.read(name) for name in packed.files])
            for packed in found
            if packed is not None
        ]

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Every image has a label that is a class."""
        for classes, parts in value:
            for pixels, own in parts:
                assert pixels.dtype == np.uint8
                assert len(pixels) == len(own)
                assert not len(own) or 0 <= own.min() <= own.max() < len(classes)


@register
class NpzStream(FileReader):
    """Arrays in a file that are read some thousand at a time."""

    name, file = "npz-stream", "set.npz"

    def prepare(self, folder: Path) -> None:
        """Write images and labels."""
        np.savez_compressed(folder / self.file, x_train=shapes(), y_train=labels())

    def read(self, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
        """Read them."""
        return list(NpzChunks(folder / self.file))

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """There are as many labels as images; the archive tells a changed pixel."""
        for images, own in value:
            assert len(images) == len(own)
            assert np.array_equal(images, intact[0][0])


@register
class CifarFile(FileReader):
    """A batch of CIFAR-10."""

    name, file = "cifar", ""
    batch = "test_batch.bin"

    def prepare(self, folder: Path) -> None:
        """Write three records, in a file and in an archive."""
        records = np.zeros((3, CIFAR_RECORD), np.uint8)
        records[:, 0] = (1, 5, 9)
        place = folder / "cifar-10-batches-bin"
        place.mkdir()
        (place / self.batch).write_bytes(records.tobytes())
        with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
            archive.add(place, "cifar-10-batches-bin")

    def mutate(self, chance: Random, folder: Path) -> str:
        """Damage the file, or leave the archive alone and damage that."""
        place = folder / "cifar-10-batches-bin" / self.batch
        if chance.random() < 0.5:
            return mutate_file(chance, place)
        place.unlink()
        done = mutate_file(chance, folder / "a.tar.gz")
        return f"archive {done}"

    def read(self, folder: Path) -> Any:
        """Read the test split."""
        remote = RemoteFile("a.tar.gz", "0" * 64, ())
        return read_cifar10(remote, ReadRequest("test", folder))

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Every image has a label."""
        images, own = value
        assert images.shape[1:] == (32, 32, 3)
        assert len(images) == len(own) >= 1
        assert set(own) <= set(range(10))


@register
class StreamState(FileReader):
    """The sums of a stream that is being evaluated: damaged ones are measured again."""

    name, file = "stream-sums", "sums-000001.npz"

    def prepare(self, folder: Path) -> None:
        """Write sums."""
        features = FeatureSums.of(np.eye(3))
        sample = Reservoir(np.arange(COUNT), shapes(), labels().astype(np.int64))
        StreamSums(
            *(COUNT, COUNT, 1, {"recall": (0.5, 1)}, 9, 8, np.eye(10, dtype=np.int64)),
            *(features, features, sample, ("inverted",)),
        ).save(folder / self.file)

    def read(self, folder: Path) -> Any:
        """Read them."""
        found = StreamSums.load(folder / self.file)
        return repr((found.read, dict(found.measures), found.e1, found.sample.pixels.tolist()))


@register
class NpyBytes(FileReader):
    """One array inside an archive that is not compressed, whose header says any shape."""

    name, file = "npy-stream", "set.npz"

    def prepare(self, folder: Path) -> None:
        """Write images and labels."""
        np.savez(folder / self.file, x_train=shapes(), y_train=labels())

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change the header or the bytes of an array, and pack it again."""
        import zipfile

        content = {"x_train.npy": npy_bytes(shapes()), "y_train.npy": npy_bytes(labels())}
        name = chance.choice(sorted(content))
        place = folder / "array"
        place.write_bytes(content[name])
        done = mutate_file(chance, place)
        content[name] = place.read_bytes()
        with zipfile.ZipFile(folder / self.file, "w") as archive:
            for each, data in content.items():
                archive.writestr(each, data)
        return f"{name} {done}"

    def read(self, folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
        """Read them."""
        return list(NpzChunks(folder / self.file))

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """There are as many labels as images."""
        assert all(len(images) == len(own) for images, own in value)
