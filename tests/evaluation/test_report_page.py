"""The page of a judgement: whole, self-contained, and never a score without its floor."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from inkgan.evaluation.baselines import BaselineCache
from inkgan.evaluation.protocol import ProtocolRunner
from inkgan.evaluation.report import charts, figures
from inkgan.evaluation.report.report_page import ReportPage, page
from inkgan.evaluation.results import EvaluationResult, GeneratedImages, Protocol
from inkgan.evaluation.verdict import verdict
from inkgan.metrics.spec import METRIC_SPECS
from tests.fixtures.references import small_reference, small_reference_set

COUNT = 300


def drawn(with_labels: bool) -> GeneratedImages:
    real = small_reference()
    rows = real.class_matched(COUNT, 9)
    return GeneratedImages(real.train[rows], real.train_labels[rows] if with_labels else None)


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
def thorough(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    return assess(tmp_path_factory.mktemp("floors"), thorough=True, asked=True)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> EvaluationResult:
    return assess(tmp_path_factory.mktemp("floors"), thorough=False, asked=False)


def assess(folder: Path, thorough: bool, asked: bool) -> EvaluationResult:
    target = small_reference_set()
    protocol = Protocol("small", images=COUNT, set_size=COUNT, thorough=thorough)
    return ProtocolRunner(target, BaselineCache(target, folder), protocol).run(drawn(asked))


def judgement(assessment: EvaluationResult, asked: bool) -> ReportPage:
    return ReportPage(
        title="runs/<a>",
        facts=[("recipe", "tiny & small")],
        verdict=["Good <enough>.", *verdict(assessment)],
        result=assessment,
        images=drawn(asked),
        reference=small_reference(),
        real_features=small_reference_set().features.e1,
    )


@pytest.mark.parametrize("kind", ["thorough", "quick"])
def test_the_page_is_whole_and_self_contained(kind: str, request: pytest.FixtureRequest) -> None:
    assessment: EvaluationResult = request.getfixturevalue(kind)
    text = page(judgement(assessment, asked=kind == "thorough"))
    parsed = parse(text)
    assert "script" not in parsed.tags
    assert parsed.sources
    assert all(source.startswith(("data:image/", "#")) for source in parsed.sources)
    assert "http" not in re.sub(r"data:image/[^\"]*", "", text)
    assert "Good <enough>." in parsed.text
    assert "<enough>" not in text
    assert "runs/<a>" in parsed.text
    for key, score in assessment.scores.items():
        after = parsed.text.split(METRIC_SPECS[key].title)[1:]
        assert any(f"{score.baseline.draws} draws" in row[:400] for row in after), key


def test_figures_show_something(thorough: EvaluationResult) -> None:
    images, train = drawn(with_labels=True), small_reference().train
    digits = images.requested
    assert digits is not None
    assert figures.by_digit(images.pixels, digits, "x").std() > 10
    assert len(figures.nearest_training(images.pixels, digits, train)) == 10
    copies = figures.closest_copies(images.pixels, thorough.nearest["pixels"], train)
    assert copies[0].caption == "ratio 0.00"
    for chart in charts.CLASS_CHARTS:
        assert charts.class_chart(thorough.classes, chart).std() > 5
    table = np.full((10, 10), 0.002)
    table[3, 8] = 0.05
    assert charts.confusion_chart(table, labelled=True).std() > 5
    assert all(chart.std() > 5 for chart in charts.score_charts(thorough))


def test_an_assessment_of_one_digit_alone_can_be_shown(quick: EvaluationResult) -> None:
    alone = {1: {"share": 1.0, "fd": 3.0, "recall": 0.5, "variety": 0.9}}
    classes = {d: alone.get(d, {"share": 0.0}) for d in range(10)}
    assert page(judgement(replace(quick, classes=classes), asked=False))
