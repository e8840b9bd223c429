"""Export a bundle to ship: weights and recipe with evaluation scores and a license."""

import dataclasses
import math
import warnings
from collections.abc import Callable
from pathlib import Path

from inkgan.errors import ArtifactError
from inkgan.evaluation.report_document import find_report, read_report
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint, find, load_source
from inkgan.io.bundle import Bundle, MeasuredScore, check_license
from inkgan.io.run_dir import RunFolder
from inkgan.types import GeneratorFactory

DEFAULT_LICENSE = "mit"
ExportSource = str | Path | RunFolder | Generator
Warn = Callable[[str], None]


def warn_user(text: str) -> None:
    """Issue a Python warning that points to the caller of the export."""
    warnings.warn(text, stacklevel=4)


def load_scored_bundle(
    source: ExportSource,
    checkpoint: Checkpoint = "last",
    warn: Warn = warn_user,
    generator: GeneratorFactory | None = None,
) -> Bundle:
    """Load a bundle with the scores of its report.json, if it has been evaluated.

    The report of a bundle NAME.safetensors is looked for in NAME-evaluation, where
    `inkgan.evaluate` puts it. A report of other weights is ignored with a warning.

    Args:
        source: a run folder, a bundle file, the name of a run, or the run or generator itself.
        checkpoint: of a run folder, its last generator or the best-scored one.
        warn: called with a text if the report belongs to other weights.
        generator: the class of a generator of the user's own.

    Raises:
        ArtifactError: there is nothing, or it is damaged.
    """
    if isinstance(source, Generator):
        return source.bundle
    if isinstance(source, RunFolder):
        generator, source = generator or source.generator_class, source.path
    bundle, found = load_source(source, checkpoint, generator), find(source)
    report = find_report(found)
    if report is None:
        return bundle
    document = read_report(report)
    try:
        evaluated = document["digest"]
        scores = {
            row["key"]: MeasuredScore(float(row["value"]), float(row["baseline"]["mean"]))
            for row in document["scores"]
            if math.isfinite(row["value"])
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"{report} is no report that can be read ({error!r}); evaluate {source} again "
            "with `inkgan.evaluate` and `fresh=True`"
        ) from error
    if evaluated != bundle.digest:
        warn(
            f"{report} belongs to other weights, so its scores are left out; evaluate "
            f"these with `inkgan.evaluate` and `checkpoint={checkpoint!r}`"
        )
        return bundle
    return dataclasses.replace(bundle, scores=bundle.scores | scores)


def export_bundle(
    source: ExportSource,
    out: Path,
    *,
    half: bool = False,
    license: str | None = None,
    checkpoint: Checkpoint = "last",
    warn: Warn = warn_user,
    generator: GeneratorFactory | None = None,
) -> Bundle:
    """Write a bundle to ship: weights, recipe, digest of the data, scores and a license.

    Args:
        source: a run folder, a bundle file, the name of a run, or the run or generator itself.
        out: a .safetensors file.
        half: store weights as float16, half the size; they are loaded as float32.
        license: of the weights: an identifier such as mit or cc0-1.0; the bundle's own or mit if
            left out. The training images have their own license.
        checkpoint: of a run folder, its last generator or the best-scored one.
        warn: called with a text about scores that are left out.
        generator: the class of a generator of the user's own.

    Returns:
        The bundle as it was written.

    Raises:
        ArtifactError: the source cannot be read, or the file cannot be written.
        ConfigError: `license` is no identifier.

    Examples:
        >>> export_bundle("runs/a", Path("digits.safetensors"), license="cc0-1.0")
    """
    bundle = load_scored_bundle(source, checkpoint, warn, generator)
    bundle = with_license(bundle, license)
    bundle = bundle.rounded() if half else bundle
    bundle.save(out, half=half)
    return bundle


def with_license(bundle: Bundle, license: str | None) -> Bundle:
    """Return the bundle with a license: the given one, else its own, else mit.

    Raises:
        ConfigError: `license` is no identifier.
    """
    if license is not None:
        check_license(license)
    return dataclasses.replace(bundle, license=license or bundle.license or DEFAULT_LICENSE)
