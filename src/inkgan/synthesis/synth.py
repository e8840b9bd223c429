"""inkgan.synth: a labeled data set from a trained generator."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from inkgan import __version__, files, rng
from inkgan.config.recipe import Precision
from inkgan.device import choose_device, compute_settings
from inkgan.errors import ConfigError
from inkgan.execution.executor import Executor, On, choose_executor
from inkgan.execution.local_processes import LocalProcesses
from inkgan.generation.light_on_dark import light_on_dark
from inkgan.generation.load import Checkpoint, load
from inkgan.generation.protocols import GeneratorLike, can_classify
from inkgan.metrics.features.extractors import extractors_digest
from inkgan.storage import is_url
from inkgan.synthesis.data_card import data_card
from inkgan.synthesis.dataset_sampler import DatasetSampler, check_generator, check_style
from inkgan.synthesis.encoded_store import EncodedStore
from inkgan.synthesis.formats.labeled_images import write_labeled_images
from inkgan.synthesis.formats.sequence_formats import SEQUENCE_FORMATS, check_importable
from inkgan.synthesis.manifest import (
    CARD,
    KIND,
    PREDICTED,
    REQUESTED,
    DatasetStatistics,
    write_manifest,
    write_records,
)
from inkgan.synthesis.output_folder import OutputFolder, Plan
from inkgan.synthesis.packed_dataset import PackedDataset, is_worthwhile, make_in_jobs, make_packed
from inkgan.synthesis.packed_output import open_output
from inkgan.synthesis.pool_store import draw_pool
from inkgan.synthesis.request import (
    DEFAULT_PER_CLASS,
    SHARD_SIZE,
    Bounds,
    Criteria,
    Format,
    LabeledImages,
    SynthesisRequest,
    counts_per_class,
)
from inkgan.synthesis.sequence_composer import SequenceComposer
from inkgan.synthesis.sequence_files import SequenceStatistics, write_sequences, write_writers
from inkgan.synthesis.sequence_plan import SequencePlan
from inkgan.synthesis.sequence_request import SequenceFormat, Sequences
from inkgan.synthesis.shard_composer import ShardComposer
from inkgan.synthesis.shard_store import DrawCounts, ShardStore
from inkgan.synthesis.shards import plan_shards
from inkgan.synthesis.synthesis_result import SynthesisResult
from inkgan.synthesis.weights_file import weights_digest
from inkgan.synthesis.writer_set import choose_writers, imitated_writers
from inkgan.types import Progress, silent

ALONE = LocalProcesses(1)


def synth(
    out: str | Path,
    *,
    source: str | Path = "flagship",
    per_class: int | Sequence[int] | None = None,
    test_per_class: int | Sequence[int] = 0,
    format: Format | SequenceFormat | None = None,
    plain: bool = False,
    shard_size: int = SHARD_SIZE,
    seed: int = 0,
    min_confidence: float | None = None,
    dedupe: bool = False,
    slant: Bounds | None = None,
    thickness: Bounds | None = None,
    sequences: int | Sequences | None = None,
    license: str = "unknown",
    checkpoint: Checkpoint = "last",
    device: str = "auto",
    precision: Precision = "float32",
    threads: int | None = None,
    workers: int | None = None,
    on: On = "local",
    address: str | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> SynthesisResult:
    """Draw a labeled data set; the same call again continues an interrupted one.

    Args:
        out: folder of the data set; it appears when it is complete. Until then its parts are in
            .NAME.unfinished beside it. Of parquet and webdataset also an address that fsspec
            knows, such as s3://bucket/digits, with credentials from the environment.
        source: a run folder, a bundle, or a run's name.
        per_class: training images of each class: one number for all classes, or one for each;
            6,000 if left out.
        test_per_class: the same for a test split; 0 makes none.
        format: idx (MNIST's own files), npz (the keys of Keras), png (with metadata.csv),
            imagefolder (a folder for each class), or for very many images parquet or webdataset;
            idx if left out. Of sequences, see `Sequences`.
        plain: idx without gzip.
        shard_size: images in each file of parquet and webdataset, a multiple of 2,000.
        seed: of the data set, 0 to 2^31 - 1; data sets with different seeds share no image.
        min_confidence: least probability in (0, 1) that a classifier gives to an image's label.
        dedupe: leave out near-copies of earlier images.
        slant: least and most degrees from the vertical, positive to the right.
        thickness: least and most pixels of the stroke.
        sequences: numbers, dates and amounts instead of single digits: how many, or all that
            `inkgan.Sequences` can say of them.
        license: identifier for the data card, such as cc0-1.0.
        checkpoint: of a run folder, its last generator or the best-scored one.
        device: that draws the images: auto, cpu, cuda, cuda:N or mps.
        precision: in which they are drawn, float32 or bfloat16; see `inkgan.load`.
        threads: for each operation of torch; None means the number that the data set was started
            with, or for a new one torch's setting, and 1 for parquet and webdataset.
        workers: the most processes that compose sequences, or draw the files of parquet and
            webdataset, at a time; None means one for each core that this process may use, and 1
            means this process itself. Small data sets start fewer. The files do not depend on it.
            The same call in several processes, on machines that see `out`, shares the files of
            parquet and webdataset among them.
        on: processes of this machine (local), or a Ray cluster (ray), which draws the files of
            parquet and webdataset; its machines see `out`.
        address: of the cluster, such as auto; None starts one on this machine.
        force: start over, and replace an existing data set.
        progress: called as `progress(what, done, total)`.

    Returns:
        The folder and its manifest; in a notebook it shows the first images.

    Raises:
        ConfigError: an impossible value, or too little space on the disk.
        DataError: too few of the generator's images satisfy the criteria.
        ArtifactError: there is no such generator, or the folder holds something else.

    Examples:
        >>> inkgan.synth("digits", per_class=6000, test_per_class=1000)
        >>> inkgan.synth("numbers", sequences=inkgan.Sequences(10_000, pattern="[0-9]{4,8}"))
    """
    drawn_by = load(source, device=device, checkpoint=checkpoint, precision=precision)
    generator = light_on_dark(drawn_by)
    content: LabeledImages | Sequences
    executor = choose_executor(on, workers, address)
    if sequences is None:
        counts = per_class, test_per_class
        content = _labeled_images(generator.bundle.classes, counts, format, plain, shard_size)
        if workers is not None and not content.is_packed:
            raise ConfigError(
                "`workers` compose sequences, or draw the files of `format='parquet'` and "
                "`format='webdataset'`; other formats need only `threads`"
            )
    else:
        single = {"per_class": per_class is not None, "test_per_class": test_per_class != 0}
        content = _sequences(sequences, format, single | {"plain": plain})
    if on != "local" and not (isinstance(content, LabeledImages) and content.is_packed):
        raise ConfigError(
            f"`on={on!r}` draws the files of `format='parquet'` and `format='webdataset'` of "
            "single digits; leave it out"
        )
    criteria = Criteria(min_confidence, dedupe, slant, thickness)
    request = SynthesisRequest(content, criteria, seed, license)
    if request.is_packed and threads is None:
        threads = 1  # of each process; there is one for each core
    with compute_settings(threads=threads):
        origin = _origin(source, checkpoint, device, precision)
        if request.is_packed:
            return synthesize_packed(out, generator, request, origin, force, progress, executor)
        if is_url(out):
            raise ConfigError(
                f"`out` {out} is no folder: use `format='parquet'` or `format='webdataset'` of "
                "single digits"
            )
        return synthesize(Path(out), generator, request, origin, force, progress, workers)


def synthesize(
    out: Path,
    generator: GeneratorLike,
    request: SynthesisRequest,
    origin: Plan,
    force: bool = False,
    progress: Progress = silent,
    workers: int | None = None,
) -> SynthesisResult:
    """Draw a data set with a generator that is already loaded.

    Args:
        out: folder of the data set.
        generator: draws the images.
        request: what to draw and to write.
        origin: what the manifest records of the generator's source.
        force: start over, and replace an existing data set.
        progress: called as `progress(what, done, total)`.
        workers: the most processes that compose sequences.

    Raises:
        InkganError: as `synth`.
    """
    request.check()
    if isinstance(request.content, Sequences):
        check_importable(request.content.format)
    check_generator(generator, request)
    bundle, folder = generator.bundle, OutputFolder(out)
    plan = _plan(generator, request, origin)
    finished = folder.find_finished(plan, force)
    if finished is not None:
        folder.remove_leftovers(plan)
        return SynthesisResult(folder.path, finished, already=True)
    check_style(generator, request, progress)
    folder.check_disk_space(request.max_bytes(bundle.shape))
    with folder.opened(plan, force) as started, compute_settings(threads=started["threads"]):
        if isinstance(request.content, Sequences):
            manifest = _make_sequences(folder, generator, request, started, progress, workers)
        else:
            manifest = _make_images(folder, generator, request, started, progress)
        files.write_text(folder.staging / CARD, data_card(manifest))
        folder.publish()
    return SynthesisResult(folder.path, manifest, already=False)


def synthesize_packed(
    out: str | Path,
    generator: GeneratorLike,
    request: SynthesisRequest,
    origin: Plan,
    force: bool = False,
    progress: Progress = silent,
    executor: Executor = ALONE,
) -> SynthesisResult:
    """Draw a packed data set, beside others who draw the same; otherwise as `synthesize`.

    Args:
        out: folder of the data set, or an address.
        generator: draws the images.
        request: what to draw and to write.
        origin: what the manifest records of the generator's source.
        force: start over, and replace an existing data set.
        progress: called as `progress(what, done, total)`.
        executor: where shards are drawn; other processes load the generator that `origin` names.
    """
    request.check()
    check_generator(generator, request)
    output, plan = open_output(out), _plan(generator, request, origin)
    finished = output.find_finished(plan, force)
    if finished is None:
        check_style(generator, request, progress)
        output.check_space(request.max_bytes(generator.bundle.shape))
        dataset = PackedDataset.joined(output, output.start(plan, force))
        if is_worthwhile(dataset, executor):
            make_in_jobs(dataset, executor, progress)
        manifest = make_packed(dataset, generator, progress)
    else:
        manifest = finished
    path = Path(out) if is_url(out) else Path(out).resolve()
    return SynthesisResult(path, manifest, finished is not None, str(out) if is_url(out) else None)


def _make_images(
    folder: OutputFolder,
    generator: GeneratorLike,
    request: SynthesisRequest,
    started: Plan,
    progress: Progress,
) -> Plan:
    """Draw and write single images; return the manifest."""
    content, bundle = request.content, generator.bundle
    assert isinstance(content, LabeledImages)
    store = ShardStore(folder.work, plan_shards(content, request.seed), bundle.shape)
    counts = _draw_missing(generator, request, store, progress)
    staging = folder.empty_staging()
    statistics = DatasetStatistics(bundle.classes)
    written = write_labeled_images(staging, store, content, bundle.shape, bundle.classes)
    write_records(staging, written, statistics, content.num_images, progress)
    found = {"classes": list(bundle.classes), "measured": statistics.as_json()}
    return write_manifest(staging, started, bundle.shape, content.num_images, counts, found)


def _make_sequences(
    folder: OutputFolder,
    generator: GeneratorLike,
    request: SynthesisRequest,
    started: Plan,
    progress: Progress,
    workers: int | None,
) -> Plan:
    """Draw the digits of all writers, compose and write the sequences; return the manifest."""
    content, bundle = request.content, generator.bundle
    assert isinstance(content, Sequences)
    spec = SEQUENCE_FORMATS[content.format]
    if content.hands:
        writers = imitated_writers(generator, content, progress)
    else:
        writers = choose_writers(generator, content, request.criteria, request.seed)
    variants = content.num_variants()
    sequence_plan = SequencePlan(content, writers.splits, request.seed)
    needed = sequence_plan.needed_digits(variants)
    drawn = draw_pool(folder.work, generator, request, writers, variants, needed, progress)
    composer = SequenceComposer(sequence_plan, drawn.pool)
    store = EncodedStore(folder.work, content.splits())
    shards = ShardComposer(folder.work, composer, drawn.numbers, spec.polygons, spec.file)
    store.fill(shards, workers, progress)
    staging = folder.empty_staging()
    statistics = SequenceStatistics(drawn)
    write_sequences(staging, store, spec, statistics, progress)
    write_writers(staging, writers, drawn)
    found = {
        "classes": list(bundle.classes),
        "measured": statistics.as_json(),
        "writers": {split: end - first for split, (first, end) in writers.splits.items()},
    }
    images = content.num_images
    return write_manifest(staging, started, bundle.shape, images, drawn.counts, found)


def _labeled_images(
    classes: Sequence[str],
    counts: tuple[int | Sequence[int] | None, int | Sequence[int]],
    format: Format | SequenceFormat | None,
    plain: bool,
    shard_size: int,
) -> LabeledImages:
    """Return the request for single images, with one count for each class."""
    per_class, test_per_class = counts
    train = counts_per_class(
        DEFAULT_PER_CLASS if per_class is None else per_class, classes, "per_class"
    )
    test = counts_per_class(test_per_class, classes, "test_per_class")
    return LabeledImages(train, test, cast(Format, format or "idx"), plain, shard_size)


def _origin(source: str | Path, checkpoint: Checkpoint, device: str, precision: Precision) -> Plan:
    """Return what the manifest records of the generator's source."""
    return {
        "source": str(source),
        "sha256": weights_digest(source, checkpoint),
        "checkpoint": checkpoint,
        "device": str(choose_device(device)),
        "precision": precision,
    }


def _sequences(
    sequences: int | Sequences, format: Format | SequenceFormat | None, given: dict[str, bool]
) -> Sequences:
    """Return the request for sequences; refuse parameters that belong to single digits."""
    for name in (name for name, is_given in given.items() if is_given):
        raise ConfigError(f"`{name}` is for single digits; leave it out with `sequences`")
    content = Sequences(sequences) if isinstance(sequences, int) else sequences
    if format is not None:
        content = replace(content, format=cast(SequenceFormat, format))
    return content.resolved()


def _plan(generator: GeneratorLike, request: SynthesisRequest, origin: Plan) -> Plan:
    """Return everything that decides the data set, for the manifest and for continuing."""
    bundle = generator.bundle
    return {
        "kind": KIND,
        "version": __version__,
        "request": request.as_json(),
        "generator": {
            **origin,
            "recipe": bundle.recipe.name,
            "trained_on": bundle.recipe.data.name,
            "images_seen": bundle.images_seen,
            "conditional": generator.conditional,
        },
        "labels": REQUESTED if generator.conditional else PREDICTED,
        "classifier": extractors_digest() if can_classify(bundle) else None,
        "threads": torch.get_num_threads(),
        "random_numbers": rng.VERSION,
    }


def _draw_missing(
    generator: GeneratorLike, request: SynthesisRequest, store: ShardStore, progress: Progress
) -> DrawCounts:
    """Draw the shards that are not saved yet, or damaged; return the counts of all of them."""
    sampler = DatasetSampler(generator, request, DrawCounts())
    done, total = 0, request.content.num_images
    for shard in store.shards:
        saved = store.load_intact(shard)
        if saved is None:
            result = sampler.fill(shard.labels.astype(np.int64))
            store.save(shard, result, sampler.counts)
        else:
            result, sampler.counts = saved
            sampler.remember(result)
        done += len(shard.labels)
        progress("drawing", done, total)
    return sampler.counts
