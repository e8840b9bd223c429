"""inkgan.evaluate: from a source to a Report, its report.json and its report.html."""

import hashlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from torch import nn

from inkgan import __version__, files, rng
from inkgan.device import compute_settings
from inkgan.errors import ConfigError
from inkgan.evaluation import baselines
from inkgan.evaluation.image_sources import digits_shown
from inkgan.evaluation.inception_distance import inception_score
from inkgan.evaluation.outside_generators import LatentOptions, LatentShape
from inkgan.evaluation.own_extractors import load_reference
from inkgan.evaluation.protocol import ProtocolRunner
from inkgan.evaluation.reference import ReferenceImages, ReferenceSet
from inkgan.evaluation.report.report_page import ReportPage, page
from inkgan.evaluation.report_document import FORMAT_VERSION, KIND, Report
from inkgan.evaluation.report_files import ReportContent, deliver, find_kept, refuse_foreign
from inkgan.evaluation.results import FULL, QUICK, EvaluationResult, GeneratedImages, Protocol
from inkgan.evaluation.source_spec import DrawnImages, Source, SourceOptions
from inkgan.evaluation.sources import open_images
from inkgan.evaluation.verdict import verdict
from inkgan.generation.light_on_dark import light_on_dark
from inkgan.generation.load import Checkpoint
from inkgan.generation.protocols import DIGITS, GeneratorLike
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.features.extractors import extractors_digest, linear_probabilities
from inkgan.metrics.features.inception import load_inception
from inkgan.metrics.metric_registry import METRIC_SPECS, registered_metrics
from inkgan.metrics.style_consistency import StyleConsistency, measure_style_consistency
from inkgan.plural import counted
from inkgan.types import Progress, silent

if TYPE_CHECKING:
    from inkgan.generation.generator import Generator

PROTOCOLS: dict[str, Protocol] = {"quick": QUICK, "full": FULL}
RULES = 4  # of what is compared with what, and of the verdict; results by others are not reused
STYLE_LATENTS = 200  # each drawn as all digits
STYLE_FIRST_SEED = 2_000_000  # apart from those of the images that are evaluated


@dataclass(frozen=True)
class _Measures:
    """How much is measured, and whether again."""

    protocol: Protocol
    inception: bool
    fresh: bool
    progress: Progress


@dataclass(frozen=True)
class _Request:
    """What is evaluated, by what, against what, and where the result is kept."""

    source: Source
    protocol: Protocol
    reference: ReferenceImages
    inception: nn.Module | None
    progress: Progress


@dataclass(frozen=True)
class _Findings:
    """Everything that an evaluation has found, before it is written."""

    result: EvaluationResult
    drawn: DrawnImages
    reference: ReferenceImages
    real_features: np.ndarray
    style: StyleConsistency | None
    linear: Mapping[str, float]
    seconds: float


def evaluate(
    source: "str | Path | RunFolder | Generator | np.ndarray | Any",
    *,
    protocol: Literal["quick", "full"] = "full",
    labels: Any = None,
    out: str | Path | None = None,
    reference: str | None = None,
    checkpoint: Checkpoint = "last",
    stacked: bool = False,
    latent_dim: LatentShape | None = None,
    conditional: bool | None = None,
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
            - images: an array, a tensor or a list, or a pair of images and labels.
            Images have any common layout, range, ink and size; the notes say what was changed.
        protocol: "quick" (10,000 images, under a minute) or "full" (60,000, some minutes).
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
    if protocol not in PROTOCOLS:
        known = ", ".join(PROTOCOLS)
        raise ConfigError(f"`protocol` must be one of {known}, not {protocol!r}")
    folder = None if data_dir is None else Path(data_dir)
    latents = LatentOptions(latent_dim, conditional)
    options = SourceOptions(checkpoint, device, folder, stacked, labels, download, latents)
    measures = _Measures(PROTOCOLS[protocol], inception, fresh, progress)
    with compute_settings(threads=threads):
        return _evaluated(source, options, reference, measures, None if out is None else Path(out))


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
        request = _Request(opened, measures.protocol, real, network, measures.progress)
        content = _content(request, _find(request))
    return deliver(key, kept, content, target)


def generator_style_consistency(
    generator: GeneratorLike, latents: int = STYLE_LATENTS, progress: Progress = silent
) -> StyleConsistency:
    """Draw `latents` latents under each label, and measure how far they keep their style.

    Raises:
        ConfigError: an unconditional generator, one of color images, or fewer than two latents.
    """
    bundle = generator.bundle
    if not generator.conditional:
        raise ConfigError(
            f"{bundle.recipe.name} is unconditional: it cannot draw one latent as every digit; "
            "train a recipe with `model.classes`"
        )
    if bundle.shape.channels != 1:
        raise ConfigError(f"{bundle.recipe.name} draws {bundle.shape} images; strokes are gray")
    if latents < 2:
        raise ConfigError(f"`latents` must be 2 or more, not {latents}")
    generator = light_on_dark(generator)
    seeds = range(STYLE_FIRST_SEED, STYLE_FIRST_SEED + latents)
    columns = []
    for label in range(len(bundle.classes)):
        columns.append(generator.sample(labels=[label] * latents, seeds=seeds))
        progress("drawing each latent as every digit", label + 1, len(bundle.classes))
    return measure_style_consistency(np.stack(columns, axis=1), progress)


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


def _find(request: _Request) -> _Findings:
    """Draw the images and measure everything."""
    started = time.perf_counter()
    source, progress = request.source, request.progress
    drawn, images = _draw(request)
    reference = ReferenceSet(images, progress)
    cache = baselines.BaselineCache(reference, progress)
    result = ProtocolRunner(reference, cache, request.protocol, progress).run(drawn.images)
    style = None
    if source.generator is not None and images.classes == DIGITS:
        style = generator_style_consistency(source.generator, STYLE_LATENTS, progress)
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
    linear = _linear(drawn.images, result, images.extractors)
    seconds = time.perf_counter() - started
    return _Findings(result, drawn, images, reference.features.e1, style, linear, seconds)


def _draw(request: _Request) -> tuple[DrawnImages, ReferenceImages]:
    """Draw the images, and choose the real ones of the digits that can be among them."""
    source, reference = request.source, request.reference
    reference = source.possible(reference)
    drawn = source.draw(request.protocol, reference, request.progress)
    if source.reads_classes:
        shown = digits_shown(drawn.images.pixels, reference.extractors)
        reference = reference.only(shown)
    return drawn, reference


def _content(request: _Request, findings: _Findings) -> ReportContent:
    """Make the texts of report.json and report.html."""
    document = _document(request, findings)
    request.progress("drawing the report", 0, 1)
    result, images = findings.result, findings.drawn.images
    first = images.part(slice(0, result.counts["set_size"]))
    shown = ReportPage(
        title=request.source.name,
        facts=_facts(document),
        verdict=document["verdict"],
        result=result,
        images=first,
        reference=findings.reference,
        real_features=findings.real_features,
        style=findings.style,
    )
    content = ReportContent(document, page(shown))
    request.progress("drawing the report", 1, 1)
    return content


def _document(request: _Request, findings: _Findings) -> dict[str, Any]:
    source, style = request.source, findings.style
    return {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "source": source.name,
        "digest": source.digest,
        "facts": {**source.facts, **findings.drawn.facts},
        "protocol": request.protocol.name,
        "verdict": verdict(findings.result),
        "reference": {"name": findings.reference.name, "digest": findings.reference.digest},
        "extractors": extractors_digest(findings.reference.extractors),
        "torch": version("torch"),
        **findings.result.to_dict(),
        "style_consistency": None if style is None else style.to_dict(),
        "linear_classifier": dict(findings.linear),
        "seconds": round(findings.seconds, 1),
        "peak_memory_mb": _peak_memory(),
    }


def _linear(
    images: GeneratedImages, result: EvaluationResult, extractors: Path | None
) -> dict[str, float]:
    """Classify the images with the plain linear classifier of the reference system `mlp`."""
    size = result.counts["set_size"]
    probabilities = linear_probabilities(images.pixels[:size], folder=extractors)
    requested = images.requested
    expected = result.features.predicted if requested is None else requested[:size]
    return {
        "agreement": float((probabilities.argmax(axis=1) == expected).mean()),
        "confidence": float(probabilities.max(axis=1).mean()),
    }


def _facts(document: dict[str, Any]) -> list[tuple[str, str]]:
    """List names and values for the head of the page."""
    counts, linear = document["counts"], document["linear_classifier"]
    drawn = counted(counts["images"], "image")
    if counts["sets"] > 1:
        drawn += f", measured in {counts['sets']} sets of {counts['set_size']:,}"
    labelled = any(row["key"] == "label_accuracy" for row in document["scores"])
    expected = "the label" if labelled else "E1's prediction"
    return [
        *document["facts"].items(),
        ("protocol", f"{document['protocol']}: {drawn}"),
        ("reference", f"{document['reference']['name']}, test images"),
        (
            "linear classifier",
            f"agrees with {expected} on {linear['agreement']:.1%}, mean "
            f"confidence {linear['confidence']:.1%}",
        ),
        ("extractors", f"{document['extractors'][:16]}, inkgan {document['version']}"),
        ("took", f"{document['seconds']:.0f} s, {document['peak_memory_mb']:,} MB at most"),
    ]


def _peak_memory() -> int:
    """Return the largest resident memory of this process so far, in MB; 0 where unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    unit = 1024**2 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
