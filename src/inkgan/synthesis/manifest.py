"""The manifest: a record for each image, and how the whole data set was made."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field

from inkgan import files
from inkgan.documents import Count, Document, EntryName, FileName, Sha256, ShortText, check_document
from inkgan.errors import ArtifactError
from inkgan.images import Shape
from inkgan.synthesis.formats.labeled_images import Written
from inkgan.synthesis.records import RECORDS, to_line
from inkgan.synthesis.shard_store import DrawCounts, ShardResult
from inkgan.types import Progress, silent

KIND = "synthetic-data"
MANIFEST = "manifest.json"  # written last: its presence says that the data set is whole
CARD = "README.md"
START_OVER = "start over with `force=True`, or use another folder"
REMOVE = "remove the folder, or use another one"
Json = dict[str, Any]


class PlanDocument(Document):
    """What decides a data set; it is compared with a request as it is, so the rest is free."""

    model_config = ConfigDict(extra="ignore")

    kind: Literal["synthetic-data"]
    version: ShortText
    request: dict[str, Any]
    generator: dict[str, Any]
    labels: ShortText
    classifier: ShortText | None
    threads: Annotated[int, Field(ge=1, le=100_000)]


class ShardEntry(Document):
    """A file of many images.

    Attributes:
        file: its name in the data set.
        split: train or test.
        images: in it.
        bytes: that it has.
        sha256: of these bytes.
    """

    file: FileName
    split: ShortText
    images: Count
    bytes: Count
    sha256: Sha256


class ManifestDocument(PlanDocument):
    """The manifest of a finished data set; only packed ones have shards."""

    shape: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=3, max_length=3)]
    classes: list[str]
    images: Count
    drawn: Count
    rejected: dict[str, Count]
    measured: dict[str, Any]
    sha256: dict[EntryName, Sha256]
    entries: list[EntryName]
    shards: list[ShardEntry] = []


class DatasetStatistics:
    """Sums over the digits of a data set, by class.

    Attributes:
        classes: their names.
        digits: number of digits of each class, by split.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.digits: dict[str, np.ndarray] = {}
        self._correct = np.zeros(len(classes), np.int64)
        self._confidence = np.zeros(len(classes))

    def add(self, split: str, result: ShardResult) -> None:
        """Add images."""
        size = len(self.classes)
        counts = np.bincount(result.labels, minlength=size)
        self.digits[split] = self.digits.get(split, np.zeros_like(counts)) + counts
        correct = result.labels[result.predicted == result.labels]
        self._correct += np.bincount(correct, minlength=size)
        confidence = result.confidence.astype(np.float64)
        self._confidence += np.bincount(result.labels, confidence, minlength=size)

    def sums(self) -> Json:
        """Return the sums as plain values, for `merge`."""
        finite = bool(np.isfinite(self._confidence.sum()))
        return {
            "digits": {split: counts.tolist() for split, counts in self.digits.items()},
            "correct": self._correct.tolist(),
            "confidence": self._confidence.tolist() if finite else None,
        }

    def merge(self, sums: Json) -> None:
        """Add what `sums` returned."""
        for split, counts in sums["digits"].items():
            self.digits[split] = self.digits.get(split, np.zeros(len(counts), np.int64)) + counts
        self._correct += np.array(sums["correct"], np.int64)
        found = sums["confidence"]
        self._confidence += np.nan if found is None else np.array(found)

    def as_json(self) -> Json:
        """Return the counts, and the classifier's accuracy and confidence where it can read them.

        Shares lie in 0..1; they are None, and `classes` is empty, without a classifier.
        """
        digits = {
            split: dict(zip(self.classes, counts.tolist(), strict=True))
            for split, counts in self.digits.items()
        }
        if not np.isfinite(self._confidence.sum()):
            return {"digits": digits, "label_accuracy": None, "confidence": None, "classes": {}}
        totals = np.sum(list(self.digits.values()), axis=0)
        rows = zip(self.classes, totals, self._correct, self._confidence, strict=True)
        return {
            "digits": digits,
            "label_accuracy": _share(int(self._correct.sum()), int(totals.sum())),
            "confidence": _share(self._confidence.sum(), int(totals.sum())),
            "classes": {
                name: {
                    "label_accuracy": _share(int(correct), int(total)),
                    "confidence": _share(confidence, int(total)),
                }
                for name, total, correct, confidence in rows
                if total
            },
        }


def write_records(
    folder: Path,
    written: Iterable[Written],
    statistics: DatasetStatistics,
    num_images: int,
    progress: Progress = silent,
) -> None:
    """Write manifest.jsonl while the images are written, and sum up what is known of them.

    Args:
        folder: of the data set.
        written: the shards, each yielded when its images are written.
        statistics: every shard is added to them.
        num_images: the total, for the progress.
        progress: called as `progress("writing", done, total)`.
    """
    done = 0
    with (
        files.atomic(folder / RECORDS) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        for shard, result, records in written:
            statistics.add(shard.split, result)
            for record in records:
                stream.write(to_line(record))
            done += len(records)
            progress("writing", done, num_images)


def write_manifest(
    folder: Path,
    plan: Json,
    shape: Shape,
    num_images: int,
    counts: DrawCounts,
    found: Json,
) -> Json:
    """Write manifest.json into a folder in which all other files but the card are written.

    Args:
        folder: of the data set.
        plan: what decides it.
        shape: of the generator's images.
        num_images: pictures written.
        counts: of the digits drawn.
        found: classes and measures of the data set.

    Returns:
        What manifest.json holds: the plan, and what came of it.
    """
    others = sorted(folder.iterdir())
    manifest = plan | {
        "shape": list(shape),
        "images": num_images,
        "drawn": counts.drawn,
        "rejected": dict(counts.rejected),
        **found,
        "sha256": {path.name: _sha256(path) for path in others if path.is_file()},
        "entries": sorted([*(path.name for path in others), MANIFEST, CARD]),
    }
    files.write_json(folder / MANIFEST, manifest)
    return manifest


def read_plan(path: Path, way_out: str = START_OVER) -> Json:
    """Read the plan of an unfinished data set, under today's names.

    Raises:
        ArtifactError: it is damaged, or of something else; the message ends with the way out.
    """
    return check_plan(files.read_json(path), path, way_out)


def check_plan(document: Any, path: str | Path, way_out: str = START_OVER) -> Json:
    """Check what was read of the plan of an unfinished data set; otherwise as `read_plan`."""
    if not isinstance(document, dict) or document.get("kind") != KIND:
        folder = path.parent if isinstance(path, Path) else path
        raise ArtifactError(f"{folder} is not empty and no data set of inkgan; {way_out}")
    try:
        migrated = migrate_manifest(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ArtifactError(f"{path} is damaged ({reason}); {way_out}") from error
    check_document(PlanDocument, migrated, path, way_out)
    return migrated


def read_manifest(path: Path) -> Json:
    """Read the manifest of a finished data set; otherwise as `read_plan`."""
    return check_manifest(files.read_json(path), path)


def check_manifest(document: Any, path: str | Path) -> Json:
    """Check what was read of a manifest; otherwise as `read_manifest`."""
    manifest = check_plan(document, path, REMOVE)
    check_document(ManifestDocument, manifest, path, REMOVE)
    return manifest


def check_files(folder: Path, manifest: Json, way_out: str) -> None:
    """Compare the files of a finished data set with their checksums in its manifest.

    Files in folders inside it, such as single pictures, have none.

    Raises:
        ArtifactError: one is missing or damaged; the message ends with the way out.
    """
    for name in manifest["entries"]:
        if not (folder / name).exists():
            raise ArtifactError(f"{folder} is not whole: it has no {name}; {way_out}")
    for name, expected in manifest["sha256"].items():
        if not (folder / name).is_file() or _sha256(folder / name) != expected:
            raise ArtifactError(
                f"{folder / name} is damaged: it does not match its checksum in {MANIFEST}; "
                f"{way_out}"
            )


def migrate_manifest(document: Mapping[str, Any]) -> Json:
    """Return a manifest or plan of an older version under today's names.

    Version 0.1.0 called sequences "strings" and single images "digits", said that labels were
    "asked of the generator" or "read by the judge", and called the classifier "judge" and its
    accuracy "agreement".
    """
    modern = dict(document)
    if "judge" in modern:
        modern = _rename(modern, {"judge": "classifier"})
    labels = {"asked of the generator": REQUESTED, "read by the judge": PREDICTED}
    if modern.get("labels") in labels:
        modern["labels"] = labels[modern["labels"]]
    kinds = {"strings": "sequences", "digits": "images"}
    content = modern.get("request", {}).get("content", {})
    if content.get("kind") in kinds:
        content = content | {"kind": kinds[content["kind"]]}
        modern["request"] = modern["request"] | {"content": content}
    measured = modern.get("measured", {})
    if "agreement" in measured:
        renamed = {"agreement": "label_accuracy"}
        classes = {name: _rename(row, renamed) for name, row in measured["classes"].items()}
        modern["measured"] = _rename(measured, renamed) | {"classes": classes}
    return modern


REQUESTED, PREDICTED = "requested from the generator", "predicted by the classifier"
"""Where the labels of a data set come from."""


def _rename(values: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    """Return values under other keys, in the same order."""
    return {names.get(key, key): value for key, value in values.items()}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}") from error


def _share(part: float, whole: float) -> float:
    return round(float(part) / float(whole), 6)
