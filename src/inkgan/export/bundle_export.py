"""A bundle to ship: with what was measured of it, and under which license it may be used."""

import dataclasses
import math
import re
from collections.abc import Callable
from pathlib import Path

from inkgan.errors import ArtifactError, ConfigError
from inkgan.evaluation.report_document import find_report, read_report
from inkgan.generation.load import Checkpoint, find, load_source
from inkgan.io.bundle import Bundle, MeasuredScore

LICENSE = "mit"
Warn = Callable[[str], None]


def ignore_warning(_: str) -> None:
    """Ignore a warning."""


def bundle_of(
    source: str | Path, checkpoint: Checkpoint = "last", warn: Warn = ignore_warning
) -> Bundle:
    """Load the bundle of a run, file or name, with the scores of its report.json.

    The report of a file NAME.safetensors is looked for in NAME-evaluation, where `inkgan.evaluate`
    puts it. Scores of other weights than the bundle's are left out, with a warning.

    Raises:
        ArtifactError: there is nothing there, or it is damaged.
    """
    bundle, found = load_source(source, checkpoint), find(source)
    report = find_report(found)
    if report is None:
        return bundle
    document = read_report(report)
    try:
        judged = document["digest"]
        scores = {
            row["key"]: MeasuredScore(float(row["value"]), float(row["baseline"]["mean"]))
            for row in document["scores"]
            if math.isfinite(row["value"])
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"{report} is no report that can be read ({error!r}); evaluate again with: "
            f"inkgan evaluate {source} --fresh"
        ) from error
    if judged != bundle.digest:
        warn(
            f"{report} is about other weights than these, so its scores are left out; evaluate "
            f"these with: inkgan evaluate {source} --checkpoint {checkpoint}"
        )
        return bundle
    return dataclasses.replace(bundle, scores=bundle.scores | scores)


def export_bundle(
    source: str | Path,
    out: Path,
    *,
    half: bool = False,
    license: str | None = None,
    checkpoint: Checkpoint = "last",
    warn: Warn = ignore_warning,
) -> Bundle:
    """Write a bundle to ship: recipe, seed, digest of the data, scores with floors, a license.

    Args:
        source: a run folder, a bundle file or the name of a run.
        out: a .safetensors file.
        half: store weights as float16, half the size; they are loaded as float32.
        license: of the weights: an identifier such as mit or cc0-1.0; left out, what the bundle
            says, or mit. The images that they were trained on have terms of their own.
        checkpoint: of a run folder, its last generator or the best-scored one.
        warn: is told what is left out, and why.

    Raises:
        ArtifactError: the source cannot be read, or the file not be written.
        ConfigError: `license` is no identifier.
    """
    shipped = licensed(bundle_of(source, checkpoint, warn), license)
    shipped = shipped.rounded() if half else shipped
    shipped.save(out, half=half)
    return shipped


def licensed(bundle: Bundle, license: str | None) -> Bundle:
    """Return the bundle with a license: the one given, its own, or mit.

    Raises:
        ConfigError: what is given is no identifier.
    """
    if license is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", license):
        raise ConfigError(f"--license {license!r} is no identifier; use one such as mit or unknown")
    return dataclasses.replace(bundle, license=license or bundle.license or LICENSE)
