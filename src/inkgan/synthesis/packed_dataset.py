"""Make a packed data set: claim a shard, draw it, write it; the last one writes the manifest.

Any number of processes, on any machines that see the output, do this at the same time. A shard is a
pure function of the plan and its number, so the files do not depend on who makes which.
"""

import functools
import hashlib
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inkgan import images
from inkgan.device import compute_settings, default_threads
from inkgan.errors import ArtifactError, InkganError
from inkgan.execution.executor import Executor
from inkgan.execution.job import Job
from inkgan.execution.local_processes import LocalProcesses
from inkgan.generation.light_on_dark import light_on_dark
from inkgan.generation.load import load
from inkgan.generation.protocols import GeneratorLike
from inkgan.synthesis.claims import Claims
from inkgan.synthesis.data_card import data_card
from inkgan.synthesis.formats.packed_images import encode_packed, packed_name
from inkgan.synthesis.manifest import CARD, MANIFEST, DatasetStatistics
from inkgan.synthesis.output_folder import Plan
from inkgan.synthesis.packed_output import (
    ATTEMPT,
    RECORDS,
    PackedOutput,
    is_same,
    open_output,
    parse_record,
)
from inkgan.synthesis.packed_shards import PackedShard, draw_shard, num_shards, packed_shards
from inkgan.synthesis.request import LabeledImages, SynthesisRequest, labeled_images_from_json
from inkgan.synthesis.shard_store import DrawCounts, ShardResult
from inkgan.synthesis.weights_file import weights_digest
from inkgan.types import Progress, UInt8, silent

FINISH = "finish"  # the claim of who writes the manifest
PREVIEW = "preview.png"
PREVIEW_IMAGES, PREVIEW_COLUMNS = 40, 20
WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class PackedDataset:
    """A packed data set while it is made.

    Attributes:
        out: where it appears.
        plan: that it was started with.
        request: what the plan says.
    """

    out: PackedOutput
    plan: Plan
    request: SynthesisRequest

    @classmethod
    def joined(cls, out: PackedOutput, plan: Plan) -> "PackedDataset":
        """Return the data set of a plan that was started."""
        return cls(out, plan, labeled_images_from_json(plan["request"]))

    @property
    def content(self) -> LabeledImages:
        """The images that are requested."""
        assert isinstance(self.request.content, LabeledImages)
        return self.request.content

    def shards(self) -> Iterator[PackedShard]:
        """Yield all shards in order."""
        return packed_shards(self.content)

    def done(self) -> set[str]:
        """Return the names of the shards that are written."""
        records = self.out.work(self.plan).names(RECORDS)
        return {name.removesuffix(".json") for name in records}

    def make(self, generator: GeneratorLike, shard: PackedShard) -> None:
        """Draw a shard and write its file, then its record, by which it counts as done."""
        classes, output = generator.bundle.classes, self.out.output(self.plan)
        drawing = _Drawing(classes, shard)
        blocks = drawing.follow(draw_shard(generator, self.request, shard))
        with compute_settings(threads=self.plan["threads"]):
            content = encode_packed(self.content, shard, blocks, classes)
        name = packed_name(self.content, shard)
        written = {name: content}
        if shard.index == 0:
            written[PREVIEW] = _preview(drawing.first)
        record = {
            "files": list(written),
            "images": shard.count,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "drawn": drawing.counts.drawn,
            "rejected": dict(drawing.counts.rejected),
            **drawing.statistics.sums(),
        }
        self.check_current()
        for file, data in written.items():
            output.write(file, data)
        self.check_current()
        self.out.work(self.plan).write(f"{RECORDS}/{shard.name}.json", _json(record))

    def check_current(self) -> None:
        """Raise ArtifactError if the data set was started over, or removed, by another process."""
        if not is_same(self.out.current(), self.plan):
            raise ArtifactError(
                f"{self.out.place} was started over or removed by another process; repeat the "
                "same call to join it"
            )

    def records(self) -> Iterator[tuple[PackedShard, Plan]]:
        """Yield the shards with their records, in order."""
        work = self.out.work(self.plan)
        for shard in self.shards():
            name = f"{RECORDS}/{shard.name}.json"
            content = work.read(name)
            if content is None:
                raise ArtifactError(f"{self.out.place}: the record of {shard.name} is gone")
            yield shard, parse_record(content, f"{self.out.place}: {name}")

    def finish(self, generator: GeneratorLike) -> Plan:
        """Merge the records in order, write card and manifest, and return the manifest."""
        bundle = generator.bundle
        statistics, counts, shards = DatasetStatistics(bundle.classes), DrawCounts(), []
        names = {MANIFEST, CARD}
        for shard, record in self.records():
            statistics.merge(record)
            counts = counts.add(record["drawn"], record["rejected"])
            file = packed_name(self.content, shard)
            names |= {name.split("/")[0] for name in record["files"]}
            row = {key: record[key] for key in ("images", "bytes", "sha256")}
            shards.append({"file": file, "split": shard.split, **row})
        manifest = {key: value for key, value in self.plan.items() if key != ATTEMPT} | {
            "shape": list(bundle.shape),
            "images": self.content.num_images,
            "drawn": counts.drawn,
            "rejected": dict(counts.rejected),
            "classes": list(bundle.classes),
            "measured": statistics.as_json(),
            "sha256": {},
            "shards": shards,
            "entries": sorted(names),
        }
        self.out.publish(self.plan, _json(manifest), data_card(manifest).encode())
        return manifest


def make_packed(
    dataset: PackedDataset, generator: GeneratorLike, progress: Progress = silent
) -> Plan:
    """Make what is missing of a data set, beside others who do the same; return its manifest.

    Raises:
        ArtifactError: it was started over by another process, or the output cannot be written.
        DataError: too few images satisfy the criteria.
    """
    total = num_shards(dataset.content)
    with Claims(dataset.out.work(dataset.plan)) as claims:
        while True:
            if not is_same(dataset.out.current(), dataset.plan):
                return _finished_by_another(dataset)
            done = dataset.done()
            progress("drawing shards", len(done), total)
            if len(done) == total:
                if claims.take(FINISH) and is_same(dataset.out.current(), dataset.plan):
                    published = dataset.out.find_published(dataset.plan)
                    return published or dataset.finish(generator)
            elif _make_one(dataset, generator, claims, done):
                continue
            time.sleep(WAIT_SECONDS)


def _make_one(
    dataset: PackedDataset, generator: GeneratorLike, claims: Claims, done: set[str]
) -> bool:
    """Make one shard that nobody else makes; False where all are done or claimed."""
    missing = [shard for shard in dataset.shards() if shard.name not in done]
    taken = claims.taken()
    # the claimed ones last: their owners may be gone
    for shard in sorted(missing, key=lambda shard: shard.name in taken):
        if claims.take(shard.name):
            try:
                # else its owner, or all of them, have finished meanwhile
                current = is_same(dataset.out.current(), dataset.plan)
                if current and shard.name not in dataset.done():
                    dataset.make(generator, shard)
            finally:
                claims.release(shard.name)
            return True
    return False


def _finished_by_another(dataset: PackedDataset) -> Plan:
    manifest = dataset.out.find_published(dataset.plan)
    if manifest is None:
        dataset.check_current()
        raise ArtifactError(f"{dataset.out.place} was removed by another process")
    return manifest


def make_in_jobs(dataset: PackedDataset, executor: Executor, progress: Progress) -> None:
    """Make the missing shards as jobs, in several processes or on several machines.

    Each loads the generator that the plan names. Shards that others make are left to them.

    Args:
        dataset: that was started.
        executor: where the jobs are done.
        progress: called as `progress("drawing shards", done, total)`.

    Raises:
        InkganError: a job failed.
    """
    done = dataset.done()
    missing = [shard for shard in dataset.shards() if shard.name not in done]
    count, total = len(done), num_shards(dataset.content)
    crew = uuid.uuid4().hex[:12]
    jobs = [_shard_job(dataset, shard, crew) for shard in missing]
    progress("drawing shards", count, total)
    try:
        for outcome in executor.run(
            jobs, dataset.out.shared_folder(dataset.plan), on_wait=lambda: None, on_stop=None
        ):
            if outcome.error is not None:
                raise outcome.error
            count += 1
            progress("drawing shards", count, total)
    except InkganError:
        if is_same(dataset.out.current(), dataset.plan):
            raise  # else others have completed it meanwhile, which ends the jobs too


def is_worthwhile(dataset: PackedDataset, executor: Executor) -> bool:
    """Return whether jobs are faster than this process alone: never for one shard on one machine.

    A GPU of this machine is shared by processes only if their number is given.
    """
    if not isinstance(executor, LocalProcesses):
        return True
    on_cpu = dataset.plan["generator"]["device"] == "cpu"
    most = (default_threads() if on_cpu else 1) if executor.workers is None else executor.workers
    return min(most, num_shards(dataset.content) - len(dataset.done())) > 1


def _shard_job(dataset: PackedDataset, shard: PackedShard, crew: str) -> Job:
    source = dataset.plan["generator"]["source"]
    return Job(
        shard.name,
        "inkgan.synthesis.packed_dataset:make_shard",
        {
            "out": dataset.out.place,
            "attempt": dataset.plan[ATTEMPT],
            "index": shard.index,
            "source": str(Path(source).resolve()) if Path(source).exists() else source,
            "crew": crew,
        },
        cpus=dataset.plan["threads"] or 1,
        gpus=float(dataset.plan["generator"]["device"].startswith("cuda")),
    )


# --- one shard as a job, in another process or on another machine ---


def make_shard(out: str, attempt: str, index: int, source: str, crew: str) -> bool:
    """Make one shard of a data set that was started; False where another process makes it.

    Args:
        out: path or address of the data set.
        attempt: by which its plan is known.
        index: of the shard.
        source: of the generator, wherever this process works.
        crew: of the jobs among which no two make the same shard.

    Raises:
        ArtifactError: the data set was started over, or the generator is another one here.
    """
    output = open_output(out)
    plan = output.current()
    if plan is None or plan[ATTEMPT] != attempt:
        raise ArtifactError(f"{output.place} was started over, removed or completed meanwhile")
    dataset = PackedDataset.joined(output, plan)
    shard = next(shard for shard in dataset.shards() if shard.index == index)
    origin = plan["generator"]
    device = origin["device"].partition(":")[0]  # a job sees its own GPU alone
    how = origin["checkpoint"], device, origin.get("precision", "float32")
    generator = _generator(source, origin["sha256"], *how)
    with Claims(output.work(plan), crew=crew) as claims:
        if shard.name in dataset.done() or not claims.take(shard.name):
            return False
        if shard.name not in dataset.done():
            dataset.make(generator, shard)
        claims.release(shard.name)
    return True


@functools.lru_cache(maxsize=1)
def _generator(
    source: str, sha256: str, checkpoint: Any, device: str, precision: Any
) -> GeneratorLike:
    if weights_digest(source, checkpoint) != sha256:
        raise InkganError(
            f"the generator {source} is another one on this machine than where the data set was "
            "started"
        )
    generator = load(source, device=device, checkpoint=checkpoint, precision=precision)
    return light_on_dark(generator)


class _Drawing:
    """Follows the blocks of a shard while they are written, and sums up what is known of them."""

    def __init__(self, classes: tuple[str, ...], shard: PackedShard) -> None:
        self.statistics, self.counts = DatasetStatistics(classes), DrawCounts()
        self.first: UInt8 | None = None
        self._split = shard.split

    def follow(self, blocks: Iterator[tuple[ShardResult, DrawCounts]]) -> Iterator[ShardResult]:
        for block, counts in blocks:
            self.statistics.add(self._split, block)
            self.counts = self.counts.add(counts.drawn, counts.rejected)
            if self.first is None:
                self.first = block.pixels[:PREVIEW_IMAGES].copy()
            yield block


def _preview(first: UInt8 | None) -> bytes:
    assert first is not None
    return images.png_bytes(images.grid(first, columns=PREVIEW_COLUMNS))


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
