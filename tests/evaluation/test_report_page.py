"""The page of a report: whole, self-contained, and every score with its real baseline."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from inkgan.evaluation.baselines import BaselineCache
from inkgan.evaluation.findings import findings_of
from inkgan.evaluation.protocol import ProtocolRunner
from inkgan.evaluation.reference import ReferenceImages
from inkgan.evaluation.report import charts, figures
from inkgan.evaluation.report.report_page import ReportPage, _outcome, page
from inkgan.evaluation.results import EvaluationResult, GeneratedImages, Protocol
from inkgan.evaluation.score import Baseline, Score
from inkgan.evaluation.verdict import verdict
from inkgan.metrics.metric_registry import METRIC_SPECS
from tests.fixtures.references import small_reference, small_reference_set

COUNT = 300
HOSTILE = '<script>alert("1")</script>\n&amp;\'"><img src=x onerror=alert(1)>'


class Parsed(HTMLParser):
    """Collects tags, sources and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def parse(text: str) -> Parsed:
    parsed = Parsed()
    parsed.feed(text)
    return parsed


@pytest.fixture(scope="module")
def reference() -> ReferenceImages:
    return small_reference()


@pytest.fixture(scope="module")
def labelled(reference: ReferenceImages) -> GeneratedImages:
    rows = reference.class_matched(COUNT, 9)
    return GeneratedImages(reference.train[rows], reference.train_labels[rows])


@pytest.fixture(scope="module")
def unlabelled(labelled: GeneratedImages) -> GeneratedImages:
    return GeneratedImages(labelled.pixels)


@pytest.fixture(scope="module")
def thorough(
    labelled: GeneratedImages, tmp_path_factory: pytest.TempPathFactory
) -> EvaluationResult:
    return evaluated(labelled, tmp_path_factory.mktemp("baselines"), thorough=True)


@pytest.fixture(scope="module")
def quick(
    unlabelled: GeneratedImages, tmp_path_factory: pytest.TempPathFactory
) -> EvaluationResult:
    return evaluated(unlabelled, tmp_path_factory.mktemp("baselines"), thorough=False)


def evaluated(images: GeneratedImages, folder: Path, thorough: bool) -> EvaluationResult:
    reference_set = small_reference_set()
    protocol = Protocol("small", images=COUNT, set_size=COUNT, thorough=thorough)
    return ProtocolRunner(reference_set, BaselineCache(reference_set, folder=folder), protocol).run(
        images
    )


def report(
    result: EvaluationResult, images: GeneratedImages, reference: ReferenceImages
) -> ReportPage:
    return ReportPage(
        title="runs/<a>",
        facts=[("recipe", "tiny & small")],
        verdict=["Good <enough>.", *verdict(result)],
        result=result,
        images=images,
        reference=reference,
        real_features=small_reference_set().features.e1,
    )


@pytest.mark.parametrize("kind", ["thorough", "quick"])
def test_the_page_is_whole_and_self_contained(
    kind: str, reference: ReferenceImages, request: pytest.FixtureRequest
) -> None:
    result: EvaluationResult = request.getfixturevalue(kind)
    images = request.getfixturevalue("labelled" if kind == "thorough" else "unlabelled")
    text = page(report(result, images, reference))
    parsed = parse(text)
    assert "script" not in parsed.tags
    assert parsed.sources
    assert all(source.startswith(("data:image/", "#")) for source in parsed.sources)
    assert "http" not in re.sub(r"data:image/[^\"]*", "", text)
    assert "Good <enough>." in parsed.text
    assert "<enough>" not in text
    assert "runs/<a>" in parsed.text
    for key, score in result.scores.items():
        after = parsed.text.split(METRIC_SPECS[key].title)[1:]
        assert any(f"{score.baseline.draws} draws" in row[:600] for row in after), key


def test_hostile_names_are_escaped(
    quick: EvaluationResult, unlabelled: GeneratedImages, reference: ReferenceImages
) -> None:
    hostile = replace(
        report(replace(quick, notes=(HOSTILE,)), unlabelled, replace(reference, name=HOSTILE)),
        title=HOSTILE,
        facts=[(HOSTILE, HOSTILE)],
        verdict=[HOSTILE, HOSTILE],
    )
    text = page(hostile)
    parsed = parse(text)
    assert "script" not in parsed.tags
    assert "x" not in parsed.sources
    assert parsed.text.count("alert(1)") >= 7
    assert "onerror=alert(1)>" not in text


def test_the_nearest_training_images_are_those_of_cdist(
    labelled: GeneratedImages, reference: ReferenceImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "PART", 700)
    images = np.concatenate([reference.train[:3], labelled.pixels[:5]])
    tiles = figures.nearest_training(images, np.arange(8), reference.train)
    flat, train = (part.reshape(len(part), -1) / 255 for part in (images, reference.train))
    expected = np.sort(cdist(flat, train), axis=1)[:, :3]
    captions = {", ".join(f"{gap:.1f}" for gap in row) for row in expected}
    assert {tile.caption for tile in tiles} == captions
    assert sum(tile.caption.startswith("0.0, ") for tile in tiles) >= 3


def test_figures_show_something(
    thorough: EvaluationResult, labelled: GeneratedImages, reference: ReferenceImages
) -> None:
    digits, pixels = labelled.requested, labelled.pixels
    assert digits is not None
    assert figures.by_digit(pixels, digits, "x").std() > 10
    assert len(figures.nearest_training(pixels, digits, reference.train)) == 10
    copies = figures.closest_copies(pixels, thorough.nearest["pixels"], reference.train)
    assert copies[0].caption == "ratio 0.00"
    for chart in charts.CLASS_CHARTS:
        assert charts.class_chart(thorough.classes, chart).std() > 5
    table = np.full((10, 10), 0.002)
    table[3, 8] = 0.05
    assert charts.confusion_chart(table, labelled=True).std() > 5
    assert all(chart.std() > 5 for chart in charts.score_charts(thorough))


def test_labels_of_any_length_have_room_beside_the_axes() -> None:
    """The letters of the classes are whole: nothing of them touches the border of the picture."""
    row = {"recall": 0.9, "recall_baseline": 0.8}
    for names in (["0", "1"], ["a sleeve", "another sleeve"], ["$x", "_^\\frac{"]):
        chart = charts.class_chart({0: row, 1: row}, charts.CLASS_CHARTS[1], names)
        assert (chart[:, [0, 1, -1]] == 255).all(), names
        confused = charts.confusion_chart(np.full((2, 2), 0.25), labelled=True, names=names)
        assert (confused[-2:] == 255).all(), names
    charts.class_chart({0: row}, charts.CLASS_CHARTS[1], ["n" * 300])


def test_a_result_of_one_digit_alone_can_be_shown(
    quick: EvaluationResult, unlabelled: GeneratedImages, reference: ReferenceImages
) -> None:
    alone = {1: {"share": 1.0, "fd": 3.0, "recall": 0.5, "variety": 0.9}}
    classes = {d: alone.get(d, {"share": 0.0}) for d in range(10)}
    assert page(report(replace(quick, classes=classes), unlabelled, reference))


@pytest.mark.parametrize(
    ("key", "value", "baseline", "word"),
    [
        # 0.8 points of accuracy, certain as it is with a standard deviation of 0.01 points
        ("label_accuracy", 0.985, Baseline(0.993, 0.0001, 20), "slightly worse"),
        ("precision", 0.88, Baseline(0.94, 0.001, 20), "worse"),
        ("precision", 0.70, Baseline(0.94, 0.001, 20), "far off"),
        ("precision", 0.939, Baseline(0.94, 0.001, 20), "inside its margin"),
        ("fd_e1", 1.8, Baseline(1.3, 0.01, 20), "slightly worse"),
        ("fd_e1", 12.0, Baseline(1.3, 0.01, 20), "worse"),
        ("fd_e1", 60.0, Baseline(1.3, 0.01, 20), "far off"),
        ("fd_e1", 1.0, Baseline(1.3, 0.01, 20), "beyond real"),
    ],
)
def test_badges_speak_of_the_size_of_a_certain_difference(
    key: str, value: float, baseline: Baseline, word: str
) -> None:
    found = findings_of({key: Score(key, value, value, value, baseline, "sets")})[key]
    assert _outcome(found)[0] == word
