"""A data set that is killed, by SIGKILL, at random moments comes out to the byte."""

import dataclasses
import multiprocessing
import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from inkgan.errors import ArtifactError
from inkgan.generation.protocols import DIGITS
from inkgan.images import Shape
from inkgan.synthesis import encoded_store, pool_store
from inkgan.synthesis import shards as shards_module
from inkgan.synthesis.output_folder import OutputFolder
from inkgan.synthesis.request import Criteria, LabeledImages, SynthesisRequest
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.synth import synthesize
from inkgan.types import UInt8
from tests.fixtures.synthesis import ORIGIN, Blobs, make, tree

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["inkgan.synthesis.synth"])
KILLS = int(os.environ.get("INKGAN_KILLS", "6"))
MANY = (40,) * 10
REQUESTS = {
    "npz": SynthesisRequest(LabeledImages(MANY, (4,) * 10, "npz"), Criteria(dedupe=True)),
    "png": SynthesisRequest(LabeledImages(MANY, format="png")),
    "lmdb": SynthesisRequest(Sequences(60, test=5, writers=12, format="lmdb")),
    "detection": SynthesisRequest(Sequences(30, pattern=("[0-9]{3}", "amount"), writers=9)),
}


class Quick(Blobs):
    """Needs no classifier, and draws copies often."""

    def __init__(self) -> None:
        super().__init__(DIGITS, Shape(1, 20, 20))

    def image(self, label: int, seed: int) -> UInt8:
        random = np.random.default_rng(seed)
        noise = random.integers(0, 255, (20, 20)) * (random.random((20, 20)) < 0.1)
        return super().image(label, 0) if seed % 5 == 0 else noise.astype(np.uint8)


def child(out: Path, request: SynthesisRequest) -> None:
    shards_module.IMAGES_PER_SHARD, encoded_store.SEQUENCES_PER_SHARD = 20, 4
    pool_store.GLYPHS_PER_BLOCK = 30
    synthesize(out, Quick(), request, ORIGIN, workers=1)  # several: test_worker_processes.py


def run(out: Path, request: SynthesisRequest, seconds: float) -> bool:
    """Make a data set in a process of its own; kill it after so many seconds, and say whether."""
    process = PROCESSES.Process(target=child, args=(out, request))
    process.start()
    process.join(seconds)
    alive = process.is_alive()
    process.kill()
    process.join(60)
    assert alive or process.exitcode == 0
    return alive


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
@pytest.mark.parametrize("name", list(REQUESTS))
def test_sigkill_at_random_moments_loses_nothing(name: str, tmp_path: Path) -> None:
    request = REQUESTS[name]
    run(tmp_path / "first", request, 60)  # the server of processes starts here
    began = time.monotonic()
    run(tmp_path / "whole", request, 60)
    duration = time.monotonic() - began
    seed = int(os.environ.get("INKGAN_TEST_SEED", random.randrange(2**31)))
    print(f"moments of seed {seed}; repeat them with INKGAN_TEST_SEED={seed}")
    chance = random.Random(seed)  # other moments every time: the claim is for any of them
    killed = 0
    while killed < KILLS and not (tmp_path / "cut").exists():
        killed += run(tmp_path / "cut", request, duration * chance.uniform(0.05, 0.4))
    run(tmp_path / "cut", request, 60)
    assert killed > 0
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole") == tree(tmp_path / "first")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "first", "whole"]


# --- the same without a second process: stops at a chosen image ---


class Stopped(Exception):
    """What stops a fake generator."""


class Stopping(Quick):
    """Stops after so many images."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def sample(self, labels=None, *, seeds=None):  # type: ignore[no-untyped-def]
        if len(self.seeds_drawn) >= self.after:
            raise Stopped
        return super().sample(labels, seeds=seeds)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards_module, "IMAGES_PER_SHARD", 50)


REQUEST = SynthesisRequest(LabeledImages((20,) * 10), Criteria(dedupe=True))


def stopped(out: Path, request: SynthesisRequest = REQUEST) -> None:
    with pytest.raises(Stopped):
        make(out, request, Stopping(120))


def test_only_what_is_missing_is_drawn(tmp_path: Path) -> None:
    make(tmp_path / "whole", REQUEST, Quick())
    stopped(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    generator = Quick()
    made = make(tmp_path / "a", REQUEST, generator)
    assert 0 < len(generator.seeds_drawn) < made.manifest["drawn"]
    assert tree(tmp_path / "a") == tree(tmp_path / "whole")


def test_the_same_command_finds_its_set(tmp_path: Path) -> None:
    first = make(tmp_path / "a", REQUEST, Quick())
    generator = Quick()
    again = make(tmp_path / "a", REQUEST, generator)
    assert again.already
    assert again.manifest == first.manifest
    assert not generator.seeds_drawn


def test_a_kill_after_publishing_leaves_nothing_behind(tmp_path: Path) -> None:
    stopped(tmp_path / "a")
    shutil.copytree(tmp_path / ".a.unfinished", tmp_path / "kept")
    make(tmp_path / "a", REQUEST, Quick())
    (tmp_path / "kept").rename(tmp_path / ".a.unfinished")
    assert make(tmp_path / "a", REQUEST, Quick()).already
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]


def test_another_command_is_refused_until_forced(tmp_path: Path) -> None:
    other = SynthesisRequest(REQUEST.content, REQUEST.criteria, seed=1)
    stopped(tmp_path / "a")
    with pytest.raises(ArtifactError, match=r"\(request.seed was 0 and is now 1"):
        make(tmp_path / "a", other, Quick())
    made = make(tmp_path / "a", REQUEST, Quick())
    with pytest.raises(ArtifactError, match=r"another data set \(request.seed was 0 and is now 1"):
        make(tmp_path / "a", other, Quick())
    trained = Quick()
    trained.bundle = dataclasses.replace(trained.bundle, images_seen=641)
    with pytest.raises(ArtifactError, match=r"\(generator.images_seen was 640 and is now 641"):
        make(tmp_path / "a", REQUEST, trained)
    before = tree(made.path)
    synthesize(tmp_path / "a", Quick(), other, ORIGIN, force=True)
    make(tmp_path / "b", other, Quick())
    assert tree(tmp_path / "a") == tree(tmp_path / "b") != before


def test_force_keeps_the_old_set_until_the_new_one_is_whole(tmp_path: Path) -> None:
    before = tree(make(tmp_path / "a", REQUEST, Quick()).path)
    with pytest.raises(Stopped):
        synthesize(tmp_path / "a", Stopping(120), REQUEST, ORIGIN, force=True)
    assert tree(tmp_path / "a") == before
    (tmp_path / "a" / "notes.txt").write_text("mine")
    with pytest.raises(ArtifactError, match=r"contains 'notes\.txt', which does not belong"):
        synthesize(tmp_path / "a", Quick(), REQUEST, ORIGIN, force=True)


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    target = OutputFolder(tmp_path / "a")
    with (
        target.opened({"kind": "x"}, force=False),
        pytest.raises(ArtifactError, match="another process is making"),
    ):
        make(tmp_path / "a", REQUEST, Quick())
