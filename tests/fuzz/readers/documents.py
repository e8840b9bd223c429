"""Reports, manifests of data sets, and cached calibrations."""

import json
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import numpy as np

from inkgan import files
from inkgan.errors import ArtifactError
from inkgan.evaluation.report_document import FORMAT_VERSION, KIND, Report, read_report
from inkgan.evaluation.score import Baseline, Score
from inkgan.generation.style_control.calibration import Calibration
from inkgan.synthesis.manifest import read_manifest
from tests.fuzz.harness import Reader, register
from tests.fuzz.mutators import mutate_file, mutate_json


class JsonReader(Reader):
    """A reader of a JSON file, whose values or bytes are changed."""

    document: ClassVar[Any]

    def prepare(self, folder: Path) -> None:
        """Write the document."""
        files.write_json(folder / self.file, self.document)

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change a value twice as often as bytes."""
        if chance.random() < 0.33:
            return mutate_file(chance, folder / self.file)
        files.write_text(folder / self.file, json.dumps(mutate_json(chance, self.document)))
        return "a value"


@register
class ReportFile(JsonReader):
    """report.json: what is accepted can be shown, compared and exported."""

    name, file = "report", "report.json"
    inputs = 150
    document: ClassVar[Any] = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "version": "0.2.0",
        "source": "runs/a",
        "digest": "ab" * 32,
        "scores": [
            Score("fd_e1", 2.5, 2.0, 3.0, Baseline(1.5, 0.1, 20), "images", 0.25, 100).to_dict(),
            Score.without_interval("recall", 0.9, Baseline(0.95, 0.01, 20), "why").to_dict(),
        ],
        "verdict": ["As good as real images."],
        "notes": [],
        "extractors": "cd" * 32,
        "reference": {"name": "mnist", "digest": "ef" * 32},
        "counts": {"set_size": 10_000, "sets": 1},
    }

    def read(self, folder: Path) -> Any:
        """Read it."""
        return read_report(folder / self.file)

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """It can be shown."""
        report = Report(value, Path("report.html"), Path("report.json"))
        assert isinstance(report.notes, tuple)
        assert all(isinstance(score.value, float | int) for score in report.scores.values())
        report._repr_html_()


@register
class Manifest(JsonReader):
    """manifest.json of a data set."""

    name, file = "manifest", ""
    document: ClassVar[Any] = {
        "kind": "synthetic-data",
        "version": "0.2.0",
        "request": {"content": {"kind": "images", "counts": [1, 2]}, "seed": 0},
        "generator": {"source": "flagship", "sha256": "ab" * 32, "images_seen": 5},
        "labels": "requested from the generator",
        "classifier": None,
        "threads": 1,
        "shape": [1, 28, 28],
        "classes": ["0", "1"],
        "images": 3,
        "drawn": 3,
        "rejected": {"blank": 0},
        "measured": {"digits": {"train": {"0": 1}}},
        "sha256": {"a": "ab" * 32},
        "entries": ["a", "manifest.json"],
    }

    def prepare(self, folder: Path) -> None:
        """Write it."""
        files.write_json(folder / "manifest.json", self.document)

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change a value, or bytes."""
        if chance.random() < 0.33:
            return mutate_file(chance, folder / "manifest.json")
        files.write_text(folder / "manifest.json", json.dumps(mutate_json(chance, self.document)))
        return "a value"

    def read(self, folder: Path) -> Any:
        """Read it."""
        return read_manifest(folder / "manifest.json")

    def check(self, value: Any, intact: Any, warned: bool) -> None:
        """What is used again has its type."""
        assert all(isinstance(entry, str) for entry in value["entries"])
        assert value["threads"] >= 1


@register
class CalibrationCache(JsonReader):
    """A cached calibration: used whole, or refused (and then computed again)."""

    name, file = "calibration", ""
    document: ClassVar[Any] = Calibration(
        np.eye(3, 7), np.ones((3, 3)), np.ones((3, 101))
    ).as_json()

    def prepare(self, folder: Path) -> None:
        """Write it."""
        files.write_json(folder / "c.json", self.document)

    def mutate(self, chance: Random, folder: Path) -> str:
        """Change a value."""
        files.write_text(folder / "c.json", json.dumps(mutate_json(chance, self.document)))
        return "a value"

    def read(self, folder: Path) -> Any:
        """Restore it; the cache takes ValueError and its like for a missing file."""
        document = files.read_json(folder / "c.json")
        try:
            return Calibration.from_json(document)
        except (AttributeError, TypeError, ValueError):
            raise ArtifactError("c.json is damaged") from None

    def check(self, value: Calibration, intact: Any, warned: bool) -> None:
        """Shapes and numbers are those of a calibration."""
        assert value.axes.shape[0] == 3
        assert np.isfinite(value.percentiles).all()
