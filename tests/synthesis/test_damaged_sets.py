"""Damaged data sets: parts of an unfinished one are made again, a finished one is refused."""

import json
import random
import warnings
from pathlib import Path

import numpy as np
import pytest

from inkgan.errors import ArtifactError
from inkgan.files import DamagedFileWarning
from inkgan.generation.protocols import DIGITS
from inkgan.images import Shape
from inkgan.synthesis import encoded_store, pool_store, shards
from inkgan.synthesis.output_folder import OutputFolder
from inkgan.synthesis.records import read_records
from inkgan.synthesis.request import Criteria, LabeledImages, SynthesisRequest
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.synthesis_result import SynthesisResult
from tests.fixtures.synthesis import Blobs, make, tree

REQUESTS = {
    "images": SynthesisRequest(LabeledImages((20,) * 10, format="npz"), Criteria(dedupe=True)),
    "sequences": SynthesisRequest(Sequences(24, writers=4)),
}
PARTS = {"images": ("shard",), "sequences": ("glyphs", "sequences")}


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "IMAGES_PER_SHARD", 50)
    monkeypatch.setattr(encoded_store, "SEQUENCES_PER_SHARD", 8)
    monkeypatch.setattr(pool_store, "GLYPHS_PER_BLOCK", 20)


def unfinished(name: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make all parts of a data set, and stop before its files are written."""

    def stop(folder: OutputFolder) -> Path:
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(OutputFolder, "empty_staging", stop)
        with pytest.raises(InterruptedError):
            make_quickly(name, out)
    return out.parent / f".{out.name}.unfinished"


def make_quickly(name: str, out: Path) -> SynthesisResult:
    """Make a data set with a generator that needs no time."""
    if name == "images":
        return make(out, REQUESTS[name], Dots(DIGITS, Shape(1, 20, 20)))
    return make(out, REQUESTS[name])


class Dots(Blobs):
    """Images in which every seed has dots of its own; every fifth is a copy."""

    def image(self, label: int, seed: int) -> np.ndarray:
        dots = np.random.default_rng(seed).random((20, 20)) < 0.1
        return super().image(label, 0) if seed % 5 == 0 else (dots * 255).astype(np.uint8)


@pytest.fixture(params=REQUESTS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_damaged_part_is_made_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tree(make_quickly(name, tmp_path / "whole").path)
    work = unfinished(name, tmp_path / "a", monkeypatch)
    found = [path for part in PARTS[name] for path in sorted(work.glob(f"{part}-*.npz"))[:2]]
    assert len(found) == 2 * len(PARTS[name])
    kept = {path: path.stat().st_mtime_ns for path in work.glob("*.npz") if path not in found}
    for path in found:
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(DamagedFileWarning, match=r"-00000\d\.npz is damaged .*; it is made again"):
        work = unfinished(name, tmp_path / "a", monkeypatch)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept  # the others are not
    assert tree(make_quickly(name, tmp_path / "a").path) == whole


def test_no_flipped_bit_reaches_a_data_set(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tree(make_quickly(name, tmp_path / "whole").path)
    work = unfinished(name, tmp_path / "a", monkeypatch)
    seed = random.randrange(2**31)
    print(f"seed {seed}")
    chance, repaired = random.Random(seed), 0
    for _ in range(3):
        for path in work.glob("*-*.npz"):
            data = bytearray(path.read_bytes())
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            unfinished(name, tmp_path / "a", monkeypatch)
        repaired += sum(issubclass(each.category, DamagedFileWarning) for each in caught)
    assert repaired > 0
    assert tree(make_quickly(name, tmp_path / "a").path) == whole


def test_a_part_of_another_plan_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, part in (("images", "shard"), ("sequences", "sequences")):
        whole = tree(make_quickly(name, tmp_path / f"{name}-whole").path)
        work = unfinished(name, tmp_path / name, monkeypatch)
        first, second = (work / f"{part}-00000{number}.npz" for number in range(2))
        second.write_bytes(first.read_bytes())
        with pytest.warns(DamagedFileWarning, match="are not those of the plan"):
            found = tree(make_quickly(name, tmp_path / name).path)
        assert found == whole


@pytest.mark.parametrize("entry", ["data.npz", "manifest.jsonl"])
def test_a_damaged_file_of_a_finished_set_is_refused(entry: str, tmp_path: Path) -> None:
    made = make_quickly("images", tmp_path / "a")
    assert make_quickly("images", tmp_path / "a").already
    path = made.path / entry
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=rf"{entry} is damaged: .*replace it with `force=True`"):
        make_quickly("images", tmp_path / "a")
    path.unlink()
    with pytest.raises(ArtifactError, match=f"is not whole: it has no {entry}; replace it"):
        make_quickly("images", tmp_path / "a")


@pytest.mark.parametrize("entry", ["../../etc/passwd", "/dev/zero", "a/b", ""])
def test_a_manifest_names_only_files_of_its_folder(entry: str, tmp_path: Path) -> None:
    path = make_quickly("images", tmp_path / "a").path / "manifest.json"
    document = json.loads(path.read_text("utf-8"))
    document["sha256"][entry] = "0" * 64
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"manifest\.json is damaged: sha256"):
        make_quickly("images", tmp_path / "a")


def test_records_are_read_by_their_schema(name: str, tmp_path: Path) -> None:
    made = make_quickly(name, tmp_path / "a")
    records = list(made.records())
    assert len(records) == made.manifest["images"]
    assert all((made.path / record["file"]).is_file() for record in records)
    path = made.path / "manifest.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    for damage, reason in (
        ("\n", "it is not JSON"),
        (lines[2].rstrip("\n"), "it is not a whole record"),
        ("[]\n", "it is not a whole record"),
        (lines[2].replace('"index": 2', '"index": -2'), "index = -2"),
        (lines[2].replace('"index": 2', '"index": "2"'), "index = '2'"),
        (lines[2].replace('"index": 2, ', ""), "it has no index"),
        (lines[2].replace('"file": "', '"file": "../'), r"file = '\.\./.*a path inside"),
        (lines[2].replace('"index"', '"more": NaN, "index"'), "it has an unknown field more"),
    ):
        assert damage != lines[2]
        path.write_text("".join((*lines[:2], damage)), encoding="utf-8")
        with pytest.raises(ArtifactError, match=rf"jsonl, line 3, is damaged: {reason}"):
            list(read_records(path))
