"""What an evaluation has found, as the texts of report.json and report.html."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from inkgan import __version__
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.report.report_page import ReportPage, page
from inkgan.evaluation.report_document import FORMAT_VERSION, KIND
from inkgan.evaluation.report_files import ReportContent
from inkgan.evaluation.results import EvaluationResult, GeneratedImages, Protocol
from inkgan.evaluation.source_spec import DrawnImages, Source
from inkgan.evaluation.verdict import verdict
from inkgan.metrics.features.extractors import extractors_digest, linear_probabilities
from inkgan.metrics.style_consistency import StyleConsistency
from inkgan.plural import counted
from inkgan.types import Progress


@dataclass(frozen=True)
class EvaluationRequest:
    """What is evaluated, by what, against what, and where the result is kept."""

    source: Source
    protocol: Protocol
    reference: ReferenceImages
    inception: nn.Module | None
    progress: Progress


@dataclass(frozen=True)
class Evaluated:
    """Everything that an evaluation has found, before it is written."""

    result: EvaluationResult
    drawn: DrawnImages
    reference: ReferenceImages
    real_features: np.ndarray
    style: StyleConsistency | None
    linear: Mapping[str, float]
    seconds: float


def report_content(request: EvaluationRequest, findings: Evaluated) -> ReportContent:
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


def _document(request: EvaluationRequest, findings: Evaluated) -> dict[str, Any]:
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


def linear_agreement(
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
