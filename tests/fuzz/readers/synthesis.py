"""Data sets: records of pictures, and the files that keep finished parts."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from inkgan import files
from inkgan.images import Shape
from inkgan.synthesis.bounding_box import BoundingBox
from inkgan.synthesis.records import read_records, to_line
from inkgan.synthesis.rendered_sequence import CharacterRecord, EncodedSequence
from inkgan.synthesis.shard_composer import SequenceShard, load_shard, save_shard
from inkgan.synthesis.shard_store import DrawCounts, ShardResult, ShardStore
from inkgan.synthesis.shards import Shard
from tests.fuzz.harness import FileReader, Reader, register
from tests.fuzz.mutators import HOSTILE_VALUES, mutate_file, mutate_json

IMAGE = {"split": "train", "index": 0, "file": "data.npz", "label": 3, "seed": 7}
MEASURED = {"predicted": 3, "confidence": 0.9871, "slant": -4.5, "thickness": 2.25}
CHARACTER = {"character": "7", "box": [1, 2, 3, 4], "number": 0, "area": 9, "mask": "ab1"}
SEQUENCE = {
    **{"split": "train", "index": 1, "file": "images/0.png", "text": "7.", "writer": "w"},
    **{"size": [30, 90], "characters": [CHARACTER, {**CHARACTER, "character": "."}]},
}
COUNT = 6


@register
class Records(Reader):
    """manifest.jsonl: every line is a record, or the file is refused."""

    name, file = "records", "manifest.jsonl"
    inputs = 100

    def prepare(self, folder: Path) -> None:
        """Write records of both kinds."""
        records = [IMAGE, IMAGE | MEASURED, SEQUENCE]
        files.write_text(folder / self.file, "".join(map(to_line, records)))

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change a value, or bytes."""
        if chance.random() < 0.5:
            return mutate_file(chance, folder / self.file)
        changed = mutate_json(chance, chance.choice((IMAGE | MEASURED, SEQUENCE)))
        text = json.dumps(changed)
        files.write_text(folder / self.file, f"{to_line(IMAGE)}{text}\n")
        return text[:200]

    def read(self, folder: Path) -> Any:
        """Read them."""
        return list(read_records(folder / self.file))

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Lines without a checksum may say something else, but have all fields."""
        for record in value:
            assert record["split"] in ("train", "validation", "test")
            assert record["index"] >= 0
            assert record["seed"] >= 0 if "seed" in record else record["text"] is not None


SHARD = Shard(0, "train", 0, np.arange(COUNT, dtype=np.uint8) % 3)


def image_arrays() -> dict[str, Any]:
    """Return the arrays of a shard."""
    pixels = np.arange(COUNT * 64, dtype=np.uint8).reshape(COUNT, 8, 8)
    known = np.full(COUNT, 0.5, np.float32)
    numbers = np.arange(COUNT, dtype=np.int64)
    result = ShardResult(pixels, numbers % 3, numbers, numbers % 3, known, known, known)
    counts = DrawCounts(9, {"confidence": 3})
    return vars(result) | counts.as_arrays()


@register
class ImageShard(FileReader):
    """A shard of single images: a damaged one is refused, so that it is drawn again."""

    name, file = "image-shard", "shard-000000.npz"
    inputs = 100

    def prepare(self, folder: Path) -> None:
        """Write one."""
        np.savez(folder / self.file, **image_arrays())

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change bytes, or an array."""
        if chance.random() < 0.5:
            return mutate_file(chance, folder / self.file)
        arrays = image_arrays()
        name = chance.choice(sorted(arrays))
        ways: dict[str, Callable[[], Any]] = {
            "double": lambda: arrays[name].astype(np.float64) if name != "reasons" else 1.0,
            "shorter": lambda: arrays[name][:-1],
            "deeper": lambda: arrays[name][..., None],
            "scalar": lambda: np.zeros((), arrays[name].dtype),
            "negative": lambda: np.full_like(arrays[name], -1) if name != "pixels" else [[-1]],
            "value": lambda: np.array(str(chance.choice(HOSTILE_VALUES))[:50]),
        }
        way = chance.choice(sorted(ways))
        if way == "negative" and name in ("confidence", "slant", "thickness", "reasons", "seeds"):
            way = "deeper"
        arrays[name] = ways[way]()
        np.savez(folder / self.file, **arrays)
        return f"{name}: {way}"

    def read(self, folder: Path) -> Any:
        """Read it."""
        found = next(ShardStore(folder, (SHARD,), Shape(1, 8, 8)).results())[1]
        return {name: array.tolist() for name, array in vars(found).items()}

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Nothing changed; of predictions only the type is checked."""
        assert value | {"predicted": 0} == intact | {"predicted": 0}


SEQUENCE_SHARD = SequenceShard(0, "train", 40, 3)


def sequences() -> list[EncodedSequence]:
    """Return three sequences."""
    character = CharacterRecord("7", BoundingBox(1, 2, 3, 4), "ab1", 9, ([1, 2, 3, 4, 5, 6],), 0)
    mark = CharacterRecord(".", BoundingBox(5, 2, 1, 1), "c", 1)
    return [
        EncodedSequence("train", i, "7.", "w", bytes([i] * i), (30, 90), 1, (character, mark))
        for i in range(40, 43)
    ]


@register
class SequenceShardFile(FileReader):
    """A shard of sequences: a damaged one is refused, so that it is composed again."""

    name, file = "sequence-shard", "sequences-000000.npz"
    inputs = 100

    def prepare(self, folder: Path) -> None:
        """Write one."""
        save_shard(folder / self.file, sequences())

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change bytes, or a value of a line."""
        path = folder / self.file
        if chance.random() < 0.5:
            return mutate_file(chance, path)
        with np.load(path) as archive:
            arrays = dict(archive)
        lines = arrays["lines"].tobytes().split(b"\n")
        row = chance.randrange(len(lines))
        changed = json.dumps(mutate_json(chance, json.loads(lines[row])))
        lines[row] = changed.encode()
        arrays["lines"] = np.frombuffer(b"\n".join(lines), np.uint8)
        np.savez(path, **arrays)
        return changed[:200]

    def read(self, folder: Path) -> Any:
        """Read it."""
        return load_shard(folder / self.file, SEQUENCE_SHARD)

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """Pictures and places are the same; a line may say something else, and is whole."""
        assert [(one.image, one.index) for one in value] == [
            (one.image, one.index) for one in intact
        ]
        for one in value:
            again = EncodedSequence.restored(one.dumped(), one.image)
            assert again == one
