"""inkgan.evaluate: from a source to a Report, its report.json and its report.html."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from inkgan import __version__, files, rng
from inkgan.device import compute_settings
from inkgan.errors import ConfigError
from inkgan.evaluation import baselines
from inkgan.evaluation.evaluation_report import (
    Evaluated,
    EvaluationRequest,
    linear_agreement,
    report_content,
)
from inkgan.evaluation.generator_style import generator_style_consistency
from inkgan.evaluation.image_sources import digits_shown
from inkgan.evaluation.inception_distance import inception_score
from inkgan.evaluation.outside_generators import LatentOptions, LatentShape
from inkgan.evaluation.own_extractors import load_reference
from inkgan.evaluation.protocol import ProtocolRunner
from inkgan.evaluation.reference import ReferenceImages, ReferenceSet
from inkgan.evaluation.report_document import FORMAT_VERSION, Report
from inkgan.evaluation.report_files import deliver, find_kept, refuse_foreign
from inkgan.evaluation.results import FULL, QUICK, Protocol
from inkgan.evaluation.source_spec import DrawnImages, Source, SourceOptions
from inkgan.evaluation.sources import open_images
from inkgan.evaluation.streamed.open_stream import is_stream
from inkgan.evaluation.streamed.streamed_report import StreamOptions, evaluate_stream
from inkgan.evaluation.streamed.streamed_result import STREAM
from inkgan.execution.executor import check_workers
from inkgan.generation.load import Checkpoint
from inkgan.generation.protocols import DIGITS
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.features.extractors import extractors_digest
from inkgan.metrics.features.inception import load_inception
from inkgan.metrics.metric_registry import METRIC_SPECS, registered_metrics
from inkgan.types import Progress, silent

if TYPE_CHECKING:
    from inkgan.generation.generator import Generator

PROTOCOLS: dict[str, Protocol] = {"quick": QUICK, "full": FULL}
RULES = 4  # of what is compared with what, and of the verdict; results by others are not reused


@dataclass(frozen=True)
class _Measures:
    """How much is measured, and whether again."""

    protocol: Protocol
    inception: bool
    fresh: bool
    progress: Progress


def evaluate(
    source: "str | Path | RunFolder | Generator | np.ndarray | Any",
    *,
    protocol: Literal["quick", "full", "stream"] = "full",
    labels: Any = None,
    out: str | Path | None = None,
    reference: str | None = None,
    checkpoint: Checkpoint = "last",
    stacked: bool = False,
    latent_dim: LatentShape | None = None,
    conditional: bool | None = None,
    images: int | None = None,
    workers: int | None = None,
    data_dir: str | Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    fresh: bool = False,
    inception: bool = False,
    progress: Progress = silent,
    download: Progress = silent,
) -> Report:
    """Evaluate a generator or images against real digits.

    The same evaluation is computed once and then read from the user's cache, except while a
    metric of one's own is registered.

    Args:
        source: one of
            - a run (folder, name, or what `train` returned), a bundle, a generator;
            - an ONNX file, a torch module or a function (see below);
            - an .npz, .npy or .csv, a folder of pictures, "data:mnist" for real images;
            - images: an array, a tensor or a list, or a pair of images and labels;
            - very many images: an iterable of such arrays or pairs, or the folder or address of a
              Parquet or WebDataset of `inkgan.synth`. These are always streamed.
            Images have any common layout, range, ink and size; the notes say what was changed.
        protocol: "quick" (10,000 images, under a minute), "full" (60,000, some minutes), or
            "stream": any number of images in constant memory. Sums over all of them give the
            distances and shares, a sample of fixed size the rest. The same call continues after
            a stop; an iterable must yield the same images again then, and needs `out`.
        labels: of an array, the digit that each image shows: whole numbers (n,) or one-hot.
        out: folder for report.json and report.html. By default a run's own folder, or
            NAME-evaluation; for arrays and generators nothing is written but the cache.
        reference: the data set to compare with, MNIST if left out, or that of a generator of other
            images than digits; of other sets than digits after `inkgan.fit_extractors_for`.
        checkpoint: of a run, its "last" or its "best" generator.
        stacked: the images of a file or array are three digits stacked as color, (n, 28, 28, 3).
        latent_dim: the size of the latents of a function or a torch module, or their shape, such
            as (100, 1, 1). An ONNX file says it itself.
        conditional: whether these take a label for each latent. None: where they require two
            arguments, or an ONNX file has two inputs.
        images: how many are streamed; all by default, and a million of a generator.
        workers: processes that share a stream; None means one for each core.
        data_dir: where to look for data first.
        device: that draws the images; everything else runs on the CPU.
        threads: inside each operation of torch; None leaves torch's setting.
        fresh: evaluate again although the same has been evaluated before.
        inception: add the FID of pytorch-fid's network (needs inkgan[inception]; slow).
        progress: called as `progress(what, done, total)`.
        download: called as `download(what, done, total)` while data are downloaded.

    A function, a torch module or an ONNX file is a generator. With `latent_dim` it is called as
    `source(z)` or, where it is conditional, `source(z, y)`: tensors of torch, z float32
    (n, latent_dim) from N(0, 1), y int64 (n,) from 0. Without it a function is called as
    `source(n, seed)`; it returns n images, or a pair of images and labels.

    Returns:
        The report, with `scores`, `verdict`, `to_dict()` and `save(path)`. It shows itself in a
        notebook.

    Raises:
        ConfigError: an argument that is impossible; the message names it.
        DataError: images or a reference that cannot be had or read.
        ArtifactError: no such run or bundle, or a foreign report.json in `out`.

    Examples:
        >>> report = inkgan.evaluate("flagship", protocol="quick")  # doctest: +SKIP
        >>> print(report.scores["precision"])  # doctest: +SKIP
        93.96 % (93.48 % to 94.41 %)
        >>> inkgan.evaluate(images, labels=labels).verdict[0]  # doctest: +SKIP
        >>> inkgan.evaluate(my_torch_generator, latent_dim=100)  # doctest: +SKIP
    """
    if protocol not in (*PROTOCOLS, STREAM.name):
        known = ", ".join((*PROTOCOLS, STREAM.name))
        raise ConfigError(f"`protocol` must be one of {known}, not {protocol!r}")
    folder = None if data_dir is None else Path(data_dir)
    target = None if out is None else Path(out)
    check_workers(workers)
    if protocol == STREAM.name or is_stream(source):
        given = {"labels": labels is not None, "stacked": stacked, "inception": inception}
        given |= {"latent_dim": latent_dim is not None, "conditional": conditional is not None}
        for name in (name for name, is_given in given.items() if is_given):
            raise ConfigError(f"`{name}` does not go with a stream; leave it out")
        streamed = StreamOptions(
            images,
            workers,
            checkpoint,
            device,
            reference,
            folder,
            fresh,
            progress,
            download,
        )
        with compute_settings(threads=threads):
            return evaluate_stream(source, streamed, target)
    for name, value in (("images", images), ("workers", workers)):
        if value is not None:
            raise ConfigError(f"`{name}` belongs to a stream: use `protocol='stream'`")
    latents = LatentOptions(latent_dim, conditional)
    options = SourceOptions(checkpoint, device, folder, stacked, labels, download, latents)
    measures = _Measures(PROTOCOLS[protocol], inception, fresh, progress)
    with compute_settings(threads=threads):
        return _evaluated(source, options, reference, measures, target)


def _evaluated(
    source: Any,
    options: SourceOptions,
    reference: str | None,
    measures: _Measures,
    out: Path | None,
) -> Report:
    network = load_inception() if measures.inception else None
    opened = open_images(source, options)
    target = out if out is not None else opened.folder
    if target is not None:
        refuse_foreign(target)
    if out is not None:
        files.require_writable(out)
    real = load_reference(
        reference or opened.reference or "mnist", options.data_dir, options.download
    )
    if opened.digest is None:
        opened = _drawn_first(opened, measures.protocol, real, measures.progress)
    key = _key(opened, measures.protocol, real, measures.inception)
    kept = None if measures.fresh or registered_metrics() else find_kept(key)
    content = None
    if kept is None:
        request = EvaluationRequest(opened, measures.protocol, real, network, measures.progress)
        content = report_content(request, _find(request))
    return deliver(key, kept, content, target)


def _key(source: Source, protocol: Protocol, reference: ReferenceImages, inception: bool) -> str:
    parts = (
        __version__,
        f"{FORMAT_VERSION}.{baselines.VERSION}.{RULES}.{rng.VERSION}",
        source.name,
        str(source.digest),
        str(protocol),
        str(inception),
        " ".join(METRIC_SPECS),
        extractors_digest(reference.extractors),
        reference.digest,
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _drawn_first(
    source: Source, protocol: Protocol, reference: ReferenceImages, progress: Progress
) -> Source:
    """Return a source with the digest of its images, which nothing else tells of a function."""
    drawn = source.draw(protocol, source.possible(reference), progress)
    return replace(source, digest=drawn.images.digest(), draw=lambda *_: drawn)


def _find(request: EvaluationRequest) -> Evaluated:
    """Draw the images and measure everything."""
    started = time.perf_counter()
    source, progress = request.source, request.progress
    drawn, images = _draw(request)
    reference = ReferenceSet(images, progress)
    cache = baselines.BaselineCache(reference, progress)
    result = ProtocolRunner(reference, cache, request.protocol, progress).run(drawn.images)
    style = None
    if source.generator is not None and images.classes == DIGITS:
        style = generator_style_consistency(source.generator, progress=progress)
    scores = dict(result.scores)
    if request.inception is not None:
        # Networks are callables of modules; torch does not say so.
        network = cast("Callable[[Any], list[Any]]", request.inception)
        first = drawn.images.pixels[: result.counts["set_size"]]
        scores["fid"] = inception_score(first, images, network, progress)
    notes = (*source.notes, *drawn.notes, *result.notes)
    present = set(images.test_labels.tolist())
    missing = tuple(sorted(set(request.reference.test_labels.tolist()) - present))
    result = replace(result, scores=scores, notes=notes, missing=missing)
    linear = linear_agreement(drawn.images, result, images.extractors)
    seconds = time.perf_counter() - started
    return Evaluated(result, drawn, images, reference.features.e1, style, linear, seconds)


def _draw(request: EvaluationRequest) -> tuple[DrawnImages, ReferenceImages]:
    """Draw the images, and choose the real ones of the digits that can be among them."""
    source, reference = request.source, request.reference
    reference = source.possible(reference)
    drawn = source.draw(request.protocol, reference, request.progress)
    if source.reads_classes:
        shown = digits_shown(drawn.images.pixels, reference.extractors)
        reference = reference.only(shown)
    return drawn, reference
