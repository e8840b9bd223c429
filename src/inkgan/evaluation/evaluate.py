"""inkgan.evaluate: one judgement, from a source to report.json and report.html."""

import hashlib
import shutil
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from torch import nn

from inkgan import __version__, files
from inkgan.data.dataset import load_dataset
from inkgan.device import compute_settings
from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.evaluation import baselines as floors
from inkgan.evaluation.inception_distance import inception_score
from inkgan.evaluation.protocol import Assessor
from inkgan.evaluation.reference import Reference, Target
from inkgan.evaluation.report.report_page import Judgement, page
from inkgan.evaluation.results import FULL, QUICK, Assessment, Fakes, Protocol, as_json
from inkgan.evaluation.score import KIND, REPORT
from inkgan.evaluation.sources import Source, open_images, whole_set
from inkgan.evaluation.verdict import verdict
from inkgan.generation.load import Checkpoint
from inkgan.metrics.features.extractors import judge_digest, linear_reading
from inkgan.metrics.features.inception import load_inception
from inkgan.metrics.features.networks import SIDE
from inkgan.types import Progress, silent

PAGE = "report.html"
PROTOCOLS: dict[str, Protocol] = {"quick": QUICK, "full": FULL}


@dataclass(frozen=True)
class Judged:
    """A finished judgement.

    Attributes:
        document: what report.json holds.
        json_path: that file; `page_path` the page beside it.
        cached: it had been judged before, with the same judge, and was only copied.
    """

    document: dict[str, Any]
    json_path: Path
    page_path: Path
    cached: bool

    @property
    def verdict(self) -> list[str]:
        """The plain sentences at the top of the page."""
        sentences: list[str] = self.document["verdict"]
        return sentences


def evaluate(
    source: str | Path,
    *,
    protocol: Literal["quick", "full"] = "full",
    out: str | Path | None = None,
    reference: str = "mnist",
    checkpoint: Checkpoint = "last",
    stacked: bool = False,
    data_dir: str | Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    fresh: bool = False,
    inception: bool = False,
    progress: Progress = silent,
    download: Progress = silent,
) -> Judged:
    """Judge a generator or images, and write report.json and report.html.

    Args:
        source: a run folder, a bundle, a run's name, an .npz, a folder of pictures, or
            "data:mnist" for real images.
        protocol: quick (10,000 images, under a minute) or full (60,000, some minutes).
        out: folder for the report; a run's own folder, or NAME-judged, if left out.
        reference: the data set of real digits to hold the images against.
        checkpoint: of a run folder, its last or its best generator.
        stacked: the images of a file are three digits stacked as colour.
        data_dir: where to look for data first.
        device: that draws the images; the judge itself runs on the CPU.
        threads: for each operation; None leaves torch's setting.
        fresh: judge again although the same has been judged before.
        inception: add the FID of pytorch-fid's network (the extra `inception`; slow).
        progress: called with (what, done, of how many).
        download: hears of downloads.

    Raises:
        InkganError: the source or the reference cannot be had, read or judged.
    """
    with compute_settings(threads=threads):
        chosen = PROTOCOLS[protocol]
        folder = None if data_dir is None else Path(data_dir)
        network = load_inception() if inception else None
        opened = open_images(str(source), checkpoint, device, folder, stacked, download)
        target_folder = Path(out) if out is not None else opened.folder
        _refuse_foreign(target_folder)
        real = load_reference(reference, folder, download)
        kept = files.cache_folder() / "judgements" / _key(opened, chosen, real, inception)
        cached = not fresh and (kept / REPORT).is_file() and (kept / PAGE).is_file()
        if not cached:
            _judge(opened, chosen, real, kept, progress, network)
        paths = [target_folder / name for name in (REPORT, PAGE)]
        for path in paths:
            with files.atomic(path) as temporary:
                shutil.copyfile(kept / path.name, temporary)
        return Judged(files.read_json(paths[0]), paths[0], paths[1], cached)


def load_reference(name: str, data_dir: Path | None, download: Progress = silent) -> Reference:
    """Load the real digits that a judgement is made against.

    Raises:
        DataError: they cannot be had, or are no 28x28 grey digits.
    """
    config = whole_set(name)
    splits = [load_dataset(config, part, data_dir, download) for part in ("train", "test")]
    for split in splits:
        if split.shape != (1, SIDE, SIDE) or len(split.classes) != 10:
            raise DataError(
                f"--reference {name}: the judge reads ten digits of 28x28 grey, not {split.shape} "
                f"of {len(split.classes)} classes"
            )
    (train, train_labels), (test, test_labels) = [
        (split.images[:, 0].numpy(), split.labels.numpy()) for split in splits
    ]
    return Reference(name, train, train_labels, test, test_labels)


def _key(source: Source, protocol: Protocol, reference: Reference, inception: bool) -> str:
    parts = (
        __version__,
        str(floors.VERSION),
        source.name,
        source.digest,
        str(protocol),
        str(inception),
        judge_digest(),
        reference.digest,
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _refuse_foreign(folder: Path) -> None:
    """Refuse to write over a report.json that is none of ours."""
    path = folder / REPORT
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out {folder} is a file; name a folder")
    if path.exists():
        held = files.read_json(path)
        if not isinstance(held, dict) or held.get("kind") != KIND:
            raise ArtifactError(f"{path} is no judgement of inkgan; use another --out")


def _judge(
    source: Source,
    protocol: Protocol,
    reference: Reference,
    kept: Path,
    progress: Progress,
    network: nn.Module | None,
) -> None:
    started = time.perf_counter()
    target = Target(reference, progress)
    book = floors.FloorBook(target, files.cache_folder() / "floors", progress)
    fakes = source.take(protocol, reference, progress)
    assessment = Assessor(target, book, protocol, progress).assess(fakes)
    assessment.notes[:0] = source.notes
    hand = None if source.hand is None else source.hand(progress)
    if network is not None:
        judged = fakes.pixels[: assessment.counts["set size"]]
        assessment.scores["fid"] = inception_score(judged, target, network, progress)
    linear = _linear(fakes, assessment)
    document = {
        "kind": KIND,
        "version": __version__,
        "source": source.name,
        "digest": source.digest,
        "facts": source.facts,
        "protocol": protocol.name,
        "verdict": verdict(assessment),
        "reference": {"name": reference.name, "digest": reference.digest},
        "judge": judge_digest(),
        "torch": version("torch"),
        **as_json(assessment),
        "hand": None if hand is None else hand.as_json(),
        "linear": linear,
        "seconds": round(time.perf_counter() - started, 1),
        "peak_memory_mb": _peak_memory(),
    }
    progress("drawing the report", 0, 1)
    size = assessment.counts["set size"]
    judgement = Judgement(
        title=source.name,
        facts=_facts(document, source),
        verdict=document["verdict"],
        assessment=assessment,
        fakes=fakes.pixels[:size],
        asked=None if fakes.asked is None else fakes.asked[:size],
        reference=reference,
        real_features=target.seen.e1,
        hand=hand,
    )
    files.write_text(kept / PAGE, page(judgement))
    files.write_json(kept / REPORT, document)
    progress("drawing the report", 1, 1)


def _linear(fakes: Fakes, assessment: Assessment) -> dict[str, float]:
    """Read the images with the plain linear classifier of the reference system `mlp`."""
    size = assessment.counts["set size"]
    probabilities = linear_reading(fakes.pixels[:size])
    expected = assessment.seen.read if fakes.asked is None else fakes.asked[:size]
    return {
        "agreement": float((probabilities.argmax(axis=1) == expected).mean()),
        "confidence": float(probabilities.max(axis=1).mean()),
    }


def _facts(document: dict[str, Any], source: Source) -> list[tuple[str, str]]:
    counts, linear = document["counts"], document["linear"]
    drawn = f"{counts['images']:,} images, measured in {counts['sets']} sets of "
    labelled = any(row["key"] == "label_accuracy" for row in document["scores"])
    expected = "the label" if labelled else "E1's reading"
    return [
        *source.facts.items(),
        ("protocol", f"{document['protocol']}: {drawn}{counts['set size']:,}"),
        ("reference", f"{document['reference']['name']}, test images"),
        (
            "linear classifier",
            f"agrees with {expected} on {linear['agreement']:.1%}, mean "
            f"confidence {linear['confidence']:.1%}",
        ),
        ("judge", f"{document['judge'][:16]}, inkgan {document['version']}"),
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
