"""Packed data sets: files of many images, made by several processes, also in object stores."""

import hashlib
import io
import json
import multiprocessing
import os
import signal
import tarfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.generation.protocols import DIGITS
from inkgan.storage import LocalStorage, ObjectStorage
from inkgan.synthesis import claims as claims_module
from inkgan.synthesis.claims import Claims
from inkgan.synthesis.packed_output import parse_record
from inkgan.synthesis.packed_shards import draw_shard, packed_shards, shard_labels
from inkgan.synthesis.request import (
    Criteria,
    LabeledImages,
    SynthesisRequest,
    labeled_images_from_json,
)
from inkgan.synthesis.synth import synth, synthesize_packed
from inkgan.synthesis.synthesis_result import SynthesisResult
from tests.fixtures.packed import MANY, Quick, Slow, child, stuck_child
from tests.fixtures.run_folders import copy_small_run
from tests.fixtures.synthesis import ORIGIN, FakeGenerator, tree

COUNTS = (900, 100, 500, 500, 500, 500, 500, 500, 500, 501)
IMAGES = LabeledImages(COUNTS, (30,) * 10, "parquet", shard_size=2000)
REQUEST = SynthesisRequest(IMAGES, seed=3)


def make(
    out: str | Path,
    request: SynthesisRequest = REQUEST,
    generator: FakeGenerator | None = None,
    **more: Any,
) -> SynthesisResult:
    return synthesize_packed(out, generator or Quick(), request, ORIGIN, **more)


def requested(format: str, **more: Any) -> SynthesisRequest:
    return SynthesisRequest(LabeledImages(COUNTS, (30,) * 10, format, shard_size=2000), **more)  # type: ignore[arg-type]


def rows(folder: Path, split: str) -> list[dict[str, Any]]:
    paths = sorted((folder / "data").glob(f"{split}-*.parquet"))
    return [row for path in paths for row in pyarrow.parquet.read_table(path).to_pylist()]


# --- what is in the files ---


def test_parquet_has_exact_counts_and_every_image_can_be_drawn_again(tmp_path: Path) -> None:
    made = make(tmp_path / "a")
    names = sorted(path.name for path in (tmp_path / "a" / "data").iterdir())
    assert names == [
        "test-00000-of-00001.parquet",
        "train-00000-of-00003.parquet",
        "train-00001-of-00003.parquet",
        "train-00002-of-00003.parquet",
    ]
    train, test = rows(tmp_path / "a", "train"), rows(tmp_path / "a", "test")
    assert tuple(np.bincount([row["label"] for row in train])) == COUNTS
    assert tuple(np.bincount([row["label"] for row in test])) == (30,) * 10
    seeds = [row["seed"] for row in (*train, *test)]
    assert seeds == list(range(3 * 2**32, 3 * 2**32 + len(seeds)))
    for row in train[::500]:
        with Image.open(io.BytesIO(row["image"]["bytes"])) as picture:
            again = Quick().image(row["label"], row["seed"])
            assert (np.asarray(picture) == again).all()
    assert made.manifest["images"] == made.manifest["drawn"] == len(seeds)
    assert made.manifest["measured"]["digits"]["train"] == dict(zip(DIGITS, COUNTS, strict=True))
    for shard in made.manifest["shards"]:
        content = (tmp_path / "a" / shard["file"]).read_bytes()
        assert shard["sha256"] == hashlib.sha256(content).hexdigest()
        assert shard["bytes"] == len(content)
    assert sum(shard["images"] for shard in made.manifest["shards"]) == len(seeds)
    assert "data:image/png" in made._repr_html_()
    with pytest.raises(ArtifactError, match=r"has no manifest\.jsonl: labels and seeds are beside"):
        made.records()
    assert make(tmp_path / "a").already


def test_datasets_reads_parquet(tmp_path: Path) -> None:
    from datasets import load_dataset as load_from_hub

    make(tmp_path / "a")
    found = load_from_hub(str(tmp_path / "a"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(found[split]) for split in found} == {"train": sum(COUNTS), "test": 300}
    first = found["train"][0]
    assert found["train"].features["label"].names == list(DIGITS)
    again = Quick().image(first["label"], first["seed"])
    assert (np.asarray(first["image"]) == again).all()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of webdataset, which closes no file
def test_webdataset_reads_packed_arrays(tmp_path: Path) -> None:
    import webdataset

    make(tmp_path / "a", requested("webdataset"))
    urls = sorted(map(str, (tmp_path / "a").glob("train-*.tar.gz")))
    assert len(urls) == 3
    reader = webdataset.WebDataset(urls, shardshuffle=False).decode()
    samples = list(reader.to_tuple("x.npy", "y.npy", "seed.npy").unbatched())
    assert tuple(np.bincount([int(y) for _, y, _ in samples])) == COUNTS
    for x, y, seed in samples[::700]:
        assert (x == Quick().image(int(y), int(seed))).all()
    with tarfile.open(urls[0]) as archive:
        assert len(archive.getnames()) == 3 * 2  # two packs of a thousand images


def test_the_order_is_a_shuffle_of_the_exact_counts() -> None:
    labels = [shard_labels(IMAGES, 3, shard) for shard in packed_shards(IMAGES)]
    assert [len(part) for part in labels] == [2000, 2000, 1001, 300]
    shares = np.array([np.bincount(part, minlength=10) / len(part) for part in labels[:3]])
    assert np.abs(shares - np.array(COUNTS) / sum(COUNTS)).max() < 0.04
    assert (np.diff(labels[0]) != 0).mean() > 0.8


def test_rejected_images_are_replaced_by_seeds_of_their_own(tmp_path: Path) -> None:
    class Blank(FakeGenerator):
        def image(self, label: int, seed: int) -> Any:
            image = super().image(label, seed)
            return image if seed % 3 else np.zeros_like(image)  # a third shows nothing

    content = LabeledImages((60,) * 10, format="parquet", shard_size=2000)
    made = make(tmp_path / "a", SynthesisRequest(content, Criteria(0.5)), Blank())
    seeds = [row["seed"] for row in rows(tmp_path / "a", "train")]
    assert len(set(seeds)) == len(seeds) == 600
    assert max(seeds) >= 600
    assert made.manifest["rejected"]["confidence"] > 100
    assert made.manifest["drawn"] == 600 + sum(made.manifest["rejected"].values())


def test_seeds_never_leave_the_range_of_the_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkgan.synthesis.packed_shards.SEEDS_PER_SET", 5000)
    last = list(packed_shards(IMAGES))[-1]
    with pytest.raises(DataError, match="all 5,000 seeds of this data set are used up"):
        list(draw_shard(Quick(), REQUEST, last))


# --- several processes ---


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.fixtures.packed"])


def test_three_processes_share_the_work_and_none_does_it_twice(tmp_path: Path) -> None:
    make(tmp_path / "alone", MANY)
    logs = [tmp_path / f"log-{number}" for number in range(3)]
    started = [PROCESSES.Process(target=child, args=(tmp_path / "a", log)) for log in logs]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
        assert process.exitcode == 0
    drawn = [int(line) for log in logs if log.exists() for line in log.read_text().split()]
    assert len(drawn) == len(set(drawn)) == 20  # ten shards of two batches
    assert sum(log.exists() for log in logs) > 1
    assert tree(tmp_path / "a") == tree(tmp_path / "alone")
    hidden = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert hidden == []


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_the_claim_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    make(tmp_path / "alone", MANY)
    log = tmp_path / "log"
    victim = PROCESSES.Process(target=stuck_child, args=(tmp_path / "a", log))
    victim.start()
    assert victim.pid is not None
    deadline = time.monotonic() + 60
    while not log.exists() or len(log.read_text().split()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(60)
    unfinished = tmp_path / ".a.unfinished"
    assert len(list(unfinished.glob("*/done/shard-*"))) == 1
    assert len(list(unfinished.glob("*/claims/shard-*"))) == 1
    generator = Slow(tmp_path / "second")
    make(tmp_path / "a", MANY, generator)
    assert tree(tmp_path / "a") == tree(tmp_path / "alone")
    drawn = (tmp_path / "second").read_text().split()
    assert len(drawn) == 18  # nine shards of two batches: the first is kept


def test_a_claim_that_beats_is_respected_and_one_that_does_not_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims_module, "_machine", lambda: "elsewhere")
    now = [0.0]
    storage = LocalStorage(tmp_path)
    other, mine = Claims(storage), Claims(storage, lambda: now[0])
    assert other.take("shard")
    monkeypatch.setattr(claims_module, "_machine", lambda: "here")
    mine._owner["host"] = "here"
    for _ in range(5):
        assert not mine.take("shard")
        now[0] += 50
        other.beat()
    assert not mine.take("shard")
    now[0] += 59
    assert not mine.take("shard")
    now[0] += 2
    assert mine.take("shard")
    assert not other.take("shard")
    other.release("shard")  # it was slow, not dead: the newer claim stays
    assert not Claims(storage).take("shard")
    mine.release("shard")
    assert storage.names("claims") == []
    assert Claims(storage).take("shard")


def test_a_crew_takes_over_what_its_lost_process_has_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims_module, "_machine", lambda: "lost")
    storage = LocalStorage(tmp_path)
    assert Claims(storage, crew="a").take("shard")
    monkeypatch.setattr(claims_module, "_machine", lambda: "here")
    assert not Claims(storage).take("shard")
    assert not Claims(storage, crew="b").take("shard")
    assert Claims(storage, crew="a").take("shard")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_jobs_in_two_processes_give_the_bytes_of_one(tmp_path: Path, precision: str) -> None:
    request: dict[str, Any] = {
        "source": copy_small_run(tmp_path / "run"),
        "per_class": 600,
        "format": "parquet",
        "shard_size": 2000,
        "device": "cpu",
        "precision": precision,
    }
    synth(tmp_path / "one", workers=1, **request)
    synth(tmp_path / "two", workers=2, **request)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    for more in ({"per_class": 2}, {"sequences": 5}, {"sequences": 5, "format": "parquet"}):
        with pytest.raises(ConfigError, match="`on='ray'` draws the files of"):
            synth(tmp_path / "a", on="ray", **more)


def test_only_one_of_many_takes_a_claim(tmp_path: Path) -> None:
    storage, won = LocalStorage(tmp_path), []
    barrier = threading.Barrier(8)

    def attempt() -> None:
        own = Claims(storage)
        own.__enter__()
        barrier.wait()
        if own.take("shard"):
            won.append(own)
        barrier.wait()
        own.__exit__(None, None, None)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_an_attempt_that_was_started_over_ends_with_a_reason(tmp_path: Path) -> None:
    class StartedOver(Quick):
        def sample(self, labels=None, *, seeds=None):  # type: ignore[no-untyped-def]
            make(tmp_path / "a", requested("parquet", seed=9), force=True)
            return super().sample(labels, seeds=seeds)

    with pytest.raises(ArtifactError, match="started over or removed by another process"):
        make(tmp_path / "a", generator=StartedOver())
    assert make(tmp_path / "a", requested("parquet", seed=9)).already


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda text: text.replace('"images"', '"image"'), "it has no images"),
        (lambda text: text.replace('"drawn": 1', '"drawn": -1'), "drawn = -1"),
        (lambda text: text.replace("data/", "../"), "files"),
        (lambda text: text[:-3], "it is not JSON"),
        (lambda text: text.replace("{", '{"images": 1, ', 1), "'images' twice"),
    ],
    ids=["missing", "negative", "elsewhere", "cut", "twice"],
)
def test_a_damaged_record_of_a_shard_is_refused(
    damage: Callable[[str], str], reason: str, tmp_path: Path
) -> None:
    made = make(tmp_path / "a")
    record = {
        **made.manifest["shards"][0],
        **{"files": ["data/train.parquet"], "drawn": 1, "rejected": {}},
        **{"digits": {"train": [1]}, "correct": [1], "confidence": None},
    }
    del record["file"], record["split"]
    content = json.dumps(record)
    assert parse_record(content.encode(), "a.json") == record
    with pytest.raises(ArtifactError, match=f"^a.json is damaged: .*{reason}"):
        parse_record(damage(content).encode(), "a.json")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda shard: shard.pop("bytes"), "it has no shards.0.bytes"),
        (lambda shard: shard.update(file="../a"), r"shards.0.file = '\.\./a'"),
        (lambda shard: shard.update(bytes=-1), "shards.0.bytes = -1"),
    ],
    ids=["missing", "elsewhere", "negative"],
)
def test_a_damaged_manifest_is_refused(
    change: Callable[[dict[str, Any]], object], reason: str, tmp_path: Path
) -> None:
    path = make(tmp_path / "a").path / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    change(manifest["shards"][0])
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ArtifactError, match=rf"manifest\.json is damaged: {reason}"):
        make(tmp_path / "a")


def test_another_request_is_refused_and_force_replaces(tmp_path: Path) -> None:
    make(tmp_path / "a")
    other = requested("parquet", seed=4)
    with pytest.raises(ArtifactError, match=r"contains another data set \(request.seed was 3"):
        make(tmp_path / "a", other)
    make(tmp_path / "a", other, force=True)
    make(tmp_path / "b", other)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


# --- object stores ---


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a bucket of a local server that speaks S3; credentials come from the environment."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    name = f"digits-{uuid.uuid4().hex}"  # the server keeps its buckets as long as the process
    s3fs.S3FileSystem(use_listings_cache=False).mkdir(name)
    yield f"s3://{name}"
    server.stop()
    s3fs.S3FileSystem.clear_instance_cache()


def objects(url: str) -> dict[str, bytes]:
    storage = ObjectStorage(url)
    found = storage._files.find(storage._root)
    return {name.removeprefix(f"{storage._root}/"): storage._files.cat_file(name) for name in found}


def test_an_object_store_gets_the_same_bytes(bucket: str, tmp_path: Path) -> None:
    make(tmp_path / "a")
    made = make(f"{bucket}/set")
    assert objects(f"{bucket}/set") == tree(tmp_path / "a")
    assert made.place == f"{bucket}/set"
    assert make(f"{bucket}/set").already
    with pytest.raises(ArtifactError, match="contains another data set"):
        make(f"{bucket}/set", requested("parquet", seed=4))
    make(f"{bucket}/set", requested("webdataset"), force=True)
    make(tmp_path / "b", requested("webdataset"))
    assert objects(f"{bucket}/set") == tree(tmp_path / "b")


def test_two_claims_of_one_object_cannot_both_be_had(bucket: str) -> None:
    storage = ObjectStorage(f"{bucket}/set")
    assert storage.create("claim", b"one")
    assert not storage.create("claim", b"two")
    assert storage.read("claim") == b"one"
    assert storage.read("nothing") is None
    assert storage.names("") == ["claim"]
    storage.remove("claim")
    assert storage.names("") == []


def test_an_interrupted_object_store_has_no_manifest_and_continues(
    bucket: str, tmp_path: Path
) -> None:
    class Stops(Quick):
        def sample(self, labels=None, *, seeds=None):  # type: ignore[no-untyped-def]
            if seeds[0] > 3 * 2**32 + 2000:
                raise KeyboardInterrupt
            return super().sample(labels, seeds=seeds)

    with pytest.raises(KeyboardInterrupt):
        make(f"{bucket}/set", generator=Stops())
    names = objects(f"{bucket}/set").keys()
    assert "manifest.json" not in names
    assert sum(name.startswith("data/") for name in names) == 1
    generator = Quick()
    make(f"{bucket}/set", generator=generator)
    assert min(generator.seeds_drawn) == 3 * 2**32 + 2000
    make(tmp_path / "a")
    assert objects(f"{bucket}/set") == tree(tmp_path / "a")


def test_what_is_wrong_with_a_store_is_one_line(bucket: str) -> None:
    with pytest.raises(ArtifactError, match="cannot write s3://nowhere/set"):
        make("s3://nowhere/set")
    with pytest.raises(ConfigError, match="nosuch:// is no storage"):
        make("nosuch://bucket/set")
    ObjectStorage(f"{bucket}/own").write("letter.txt", b"mine")
    with pytest.raises(ArtifactError, match="not empty and no data set"):
        make(f"{bucket}/own")


# --- impossible requests ---


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LabeledImages((9,), format="parquet", shard_size=3000), "must be a multiple of 2,000"),
        (LabeledImages((9,), format="parquet", shard_size=0), "must be a multiple of 2,000"),
        (LabeledImages((9,), shard_size=4000), "`format='idx'` has no such files"),
        (
            LabeledImages((999_999_999,), format="parquet", shard_size=2000),
            "makes 500,000 files; make at most 100,000 larger ones",
        ),
    ],
)
def test_impossible_shards_are_refused(content: LabeledImages, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SynthesisRequest(content).check()


def test_dedupe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`dedupe` compares each image with all earlier ones"):
        make(tmp_path / "a", requested("parquet", criteria=Criteria(dedupe=True)))


def test_a_request_comes_back_from_its_plan(tmp_path: Path) -> None:
    criteria = Criteria(0.5, False, (-5.0, 5.0), None)
    request = requested("parquet", criteria=criteria, seed=7, license="cc0-1.0")
    values = json.loads(json.dumps(request.as_json()))
    assert labeled_images_from_json(values) == request
