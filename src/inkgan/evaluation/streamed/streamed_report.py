"""Evaluate a stream of images: measure it, and write the report."""

import contextlib
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inkgan import __version__, files, rng
from inkgan.errors import ConfigError
from inkgan.evaluation import baselines
from inkgan.evaluation.evaluation_report import (
    Evaluated,
    EvaluationRequest,
    linear_agreement,
    report_content,
)
from inkgan.evaluation.generator_style import generator_style_consistency
from inkgan.evaluation.own_extractors import load_reference
from inkgan.evaluation.reference import ReferenceImages, ReferenceSet
from inkgan.evaluation.report_document import FORMAT_VERSION, Report
from inkgan.evaluation.report_files import ReportContent, deliver, find_kept, refuse_foreign
from inkgan.evaluation.source_spec import DrawnImages, Source
from inkgan.evaluation.streamed.image_iterables import IterableStream
from inkgan.evaluation.streamed.open_stream import open_stream
from inkgan.evaluation.streamed.streamed_evaluation import StreamMeasurement, StreamState
from inkgan.evaluation.streamed.streamed_result import STREAM, sampled_images, streamed_result
from inkgan.evaluation.streamed.streamed_sources import (
    NumberedStream,
    not_drawn,
    possible_reference,
)
from inkgan.evaluation.streamed.streamed_sums import StreamSums
from inkgan.folder_lock import locked
from inkgan.generation.load import Checkpoint
from inkgan.generation.protocols import DIGITS
from inkgan.metrics.features.extractors import extractors_digest
from inkgan.metrics.metric_registry import registered_metrics
from inkgan.types import Progress, silent

KEPT = "streams"  # in the cache: sums of streams that are being measured
UNFINISHED = ".unfinished-evaluation"  # the same of an iterable, in the folder of its report
RULES = 1  # of what a stream measures; sums by others are not continued


@dataclass(frozen=True)
class StreamOptions:
    """How a stream is read and measured.

    Attributes:
        images: how many; None for all, or a million of a generator.
        workers: the most processes; None is one for each core.
        checkpoint: of a run, its last or its best generator; `device` draws.
        reference: the data set to compare with; None for MNIST, or the one that a generator was
            trained on where it draws no digits.
        data_dir: where to look for data first.
        fresh: measure again what has been measured.
        progress: called as `progress(what, done, total)`; `download` while data are downloaded.
    """

    images: int | None = None
    workers: int | None = None
    checkpoint: Checkpoint = "last"
    device: str = "auto"
    reference: str | None = None
    data_dir: Path | None = None
    fresh: bool = False
    progress: Progress = silent
    download: Progress = silent


def evaluate_stream(source: Any, options: StreamOptions, out: Path | None) -> Report:
    """Evaluate any number of images in constant memory; the same call again continues.

    Args:
        source: a generator, a data set of many files, or an iterable of arrays.
        options: how it is read.
        out: folder for the report; None leaves it in the cache.

    Raises:
        InkganError: the source or an option is impossible, or images cannot be read.
    """
    if out is not None:
        refuse_foreign(out)
        files.require_writable(out)
    stream = open_stream(source, options.images, options.checkpoint, options.device)
    if isinstance(stream, IterableStream):
        real = load_reference(options.reference or "mnist", options.data_dir, options.download)
        if options.workers not in (None, 1):
            raise ConfigError("`workers` cannot share an iterable; leave it out")
        return _iterable_report(stream, real, options, out)
    name = options.reference or stream.source().reference or "mnist"
    real = possible_reference(load_reference(name, options.data_dir, options.download), stream)
    key = _key(stream.name, stream.digest, str(stream.total), real)
    kept = None if options.fresh or registered_metrics() else find_kept(key)
    content = None
    if kept is None:
        state = StreamState(files.writable_cache_folder() / KEPT / key)
        with _opened(state, options.fresh):
            content = _numbered_content(stream, (name, real), options, state)
    return deliver(key, kept, content, out)


def _numbered_content(
    stream: NumberedStream,
    named: tuple[str, ReferenceImages],
    options: StreamOptions,
    state: StreamState,
) -> ReportContent:
    name, real = named
    started, reference = time.perf_counter(), ReferenceSet(real, options.progress)
    size = min(STREAM.set_size, stream.total, real.largest_set)
    measurement = StreamMeasurement(reference, size, state, options.progress)
    sums = measurement.numbered(stream, options.workers, (name, options.data_dir))
    return _content(stream.source(), sums, measurement, options, started)


def _iterable_report(
    stream: IterableStream, real: ReferenceImages, options: StreamOptions, out: Path | None
) -> Report:
    started, reference = time.perf_counter(), ReferenceSet(real, options.progress)
    state = None if out is None else StreamState(out / UNFINISHED)
    with contextlib.nullcontext() if state is None else _opened(state, options.fresh):
        size = min(STREAM.set_size, real.largest_set)
        measurement = StreamMeasurement(reference, size, state, options.progress)
        sums = measurement.iterated(stream)
        digest = hashlib.sha256(sums.sample.pixels.tobytes()).hexdigest()
        facts = {"images": f"{sums.read:,} from {stream.name}"}
        source = Source(stream.name, digest, not_drawn, None, facts)
        content = _content(source, sums, measurement, options, started)
    return deliver(_key(stream.name, digest, str(sums.read), real), None, content, out)


@contextlib.contextmanager
def _opened(state: StreamState, fresh: bool) -> Iterator[None]:
    """Keep other processes out of the sums; remove them when the report is made."""
    with locked(state.folder, "evaluating the same stream in"):
        if fresh:
            for path in state.folder.glob("*.*"):
                if path.name != ".lock":
                    path.unlink()
        yield
    state.clear()


def _content(
    source: Source,
    sums: StreamSums,
    measurement: StreamMeasurement,
    options: StreamOptions,
    started: float,
) -> ReportContent:
    """Make the report of a stream that is measured."""
    reference, progress = measurement.reference, options.progress
    images = sampled_images(sums, reference, sums.set_size(measurement.size))
    cache = baselines.BaselineCache(reference, progress)
    result = streamed_result(sums, images, cache, progress)
    result = replace(result, notes=(*source.notes, *sums.changes, *result.notes))
    style = None
    if source.generator is not None and reference.images.classes == DIGITS:
        style = generator_style_consistency(source.generator, progress=progress)
    found = Evaluated(
        result,
        DrawnImages(images),
        reference.images,
        reference.features.e1,
        style,
        linear_agreement(images, result, reference.images.extractors),
        time.perf_counter() - started,
    )
    return report_content(EvaluationRequest(source, STREAM, found.reference, None, progress), found)


def _key(name: str, digest: str, total: str, reference: ReferenceImages) -> str:
    parts = (
        __version__,
        f"{FORMAT_VERSION}.{baselines.VERSION}.{RULES}.{rng.VERSION}",
        name,
        digest,
        total,
        str(STREAM),
        extractors_digest(reference.extractors),
        reference.digest,
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
