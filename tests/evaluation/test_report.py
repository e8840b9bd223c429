"""The report: what it shows of itself, where it is kept, and reports of older versions."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkgan
from inkgan import files
from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.evaluation import baselines, protocol
from inkgan.evaluation.evaluate import PROTOCOLS
from inkgan.evaluation.report_document import (
    FORMAT_VERSION,
    KIND,
    Report,
    find_report,
    migrate_report,
    read_report,
    report_folder,
)
from inkgan.evaluation.results import GeneratedImages, Protocol
from inkgan.metrics.metric_registry import MetricSpec, register_metric, unregister_metric
from tests.fixtures.references import as_npz, small_reference

OLD = Path(__file__).parents[1] / "fixtures" / "report_format_1.json"
Evaluate = Callable[..., Report]


@pytest.fixture
def evaluate(tmp_path: Path, keeps_baselines: None, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    """Give `inkgan.evaluate` with a small reference and a small protocol."""
    monkeypatch.setitem(PROTOCOLS, "quick", Protocol("quick", images=400, set_size=400))
    monkeypatch.chdir(tmp_path)
    reference = as_npz(tmp_path / "reference.npz", small_reference())

    def run(source: Any, **options: Any) -> Report:
        given = {"protocol": "quick", "reference": f"npz:{reference}"} | options
        return inkgan.evaluate(source, **given)

    return run


@pytest.fixture
def drawn() -> GeneratedImages:
    real = small_reference()
    rows = real.class_matched(400, 3)
    return GeneratedImages(real.train[rows], real.train_labels[rows])


# --- arrays, and what a report shows ---


def test_an_array_is_evaluated_and_nothing_is_written(
    evaluate: Evaluate, drawn: GeneratedImages, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    report = evaluate(drawn.pixels, labels=drawn.requested)
    assert set(tmp_path.iterdir()) == before
    assert "label_accuracy" in report.scores
    score = report.scores["recall"]
    assert score.interval is not None
    assert score.interval.low <= score.value <= score.interval.high
    assert score.baseline.draws in (10, 20)  # full or quick, whichever test was first
    assert str(score).startswith(score.spec.format(score.value))
    assert isinstance(report.verdict, tuple)
    html = report._repr_html_()
    assert report.verdict[0].split("(")[0].strip() in html
    assert score.spec.title in html
    assert "http" not in html
    assert "<script" not in html
    plain = evaluate(drawn.pixels)
    assert "label_accuracy" not in plain.scores
    assert evaluate(drawn.pixels).cached


def test_a_report_is_saved_where_one_likes(
    evaluate: Evaluate, drawn: GeneratedImages, tmp_path: Path
) -> None:
    report = evaluate(drawn.pixels)
    page = report.save(tmp_path / "mine.html")
    assert page.read_bytes() == report.page_path.read_bytes()
    numbers = report.save(tmp_path / "mine.json")
    assert read_report(numbers) == report.to_dict() == files.read_json(report.json_path)
    assert report.save(tmp_path / "folder") == tmp_path / "folder" / "report.html"
    assert read_report(tmp_path / "folder" / "report.json") == report.to_dict()
    values = report.to_dict()
    values["scores"].clear()
    assert report.to_dict()["scores"]
    report.page_path.unlink()
    with pytest.raises(ArtifactError, match="has been removed"):
        report.save(tmp_path / "again.html")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"source": 3}, ConfigError, "`source` must be a name, a path, a run, a generator"),
        ({"source": np.zeros((300, 28, 28))}, DataError, "every pixel of all 300 images is 0"),
        ({"source": np.zeros((28, 28), np.uint8)}, DataError, "`source`: images .* one picture"),
        ({"source": []}, DataError, "`source`: images hold nothing"),
        ({"source": "flagship", "labels": [1]}, ConfigError, "`labels` belong to an array"),
        ({"labels": [1, 2]}, DataError, r"`labels` must be (400|395) whole numbers"),
        ({"labels": np.full(400, 0.5)}, DataError, r"`labels` must be (400|395) whole numbers"),
        ({"protocol": "fast"}, ConfigError, "one of quick, full, stream, not 'fast'"),
        ({"stacked": True}, DataError, "`stacked` needs images of 28x28x3"),
    ],
)
def test_a_wrong_argument_is_named(
    evaluate: Evaluate,
    drawn: GeneratedImages,
    arguments: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        evaluate(**({"source": drawn.pixels} | arguments))


# --- metrics of one's own ---


@pytest.fixture
def ink() -> Iterator[str]:
    spec = MetricSpec("ink", "Mean ink", "baseline", "how much is drawn", unit="fraction")
    register_metric(spec, lambda generated, reference: generated.images.mean() / 255)
    yield spec.key
    unregister_metric(spec.key)


def test_a_metric_of_ones_own_is_scored_and_shown(
    evaluate: Evaluate, drawn: GeneratedImages, ink: str
) -> None:
    report = evaluate(drawn.pixels)
    score = report.scores[ink]
    assert score.value == pytest.approx(drawn.pixels.mean() / 255)
    assert abs(score.z) < 6
    assert score.baseline.draws == 5
    assert "Mean ink" in report.page_path.read_text(encoding="utf-8")
    assert not evaluate(drawn.pixels).cached  # the function might be another one


@pytest.mark.parametrize("result", [float("nan"), "much", (1.0, 2.0), (1.0, 2.0, 3.0), None])
def test_a_metric_that_returns_no_number_is_named(
    evaluate: Evaluate,
    drawn: GeneratedImages,
    ink: str,
    result: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And before the rest is measured, which takes minutes of many images."""
    monkeypatch.setattr(protocol, "measure_set", lambda *_: pytest.fail("measured before"))
    monkeypatch.setattr(baselines, "measure_set", lambda *_: pytest.fail("measured before"))
    spec = MetricSpec(ink, "Mean ink", "baseline", "how much is drawn")
    register_metric(spec, lambda generated, reference: result)
    with pytest.raises(ConfigError, match="the metric 'ink'"):
        evaluate(drawn.pixels)


def test_a_metric_may_bring_its_own_interval(
    evaluate: Evaluate, drawn: GeneratedImages, ink: str
) -> None:
    spec = MetricSpec(ink, "Share of sevens", "baseline", "how many sevens", unit="share")
    register_metric(spec, lambda one, other: (float(np.mean(one.labels == 7)), 0.0, 1.0))
    score = evaluate(drawn.pixels, labels=drawn.requested).scores[ink]
    assert (score.low, score.high) == (0.0, 1.0)
    assert score.value == pytest.approx(float(np.mean(drawn.requested == 7)), abs=0.01)


# --- reports of older versions ---


def numbers_of(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers_of(item)
    elif isinstance(value, int | float):
        yield value


def test_an_older_report_keeps_every_number_under_todays_names(tmp_path: Path) -> None:
    old = json.loads(OLD.read_text(encoding="utf-8"))
    new = migrate_report(copy.deepcopy(old))
    assert new["kind"] == KIND
    assert new["format_version"] == FORMAT_VERSION
    dropped = [row for row in old["scores"] if row["spread"] == "draws of the floor"]
    for row in dropped:  # intervals as wide as the spread of real images are none
        del row["low"], row["high"]
    expected = [*numbers_of({**old, "kind": None}), FORMAT_VERSION]
    assert len(dropped) > 2
    assert sorted(numbers_of(new)) == sorted(expected)
    text = json.dumps({key: value for key, value in new.items() if key not in ("verdict", "notes")})
    for name in ("floor", '"hand"', '"judge"', '"clear"', '"usefulness"', "set size", '"spread"'):
        assert name not in text
    report = Report(new, tmp_path / "report.html", tmp_path / "report.json")
    assert report.scores["confident"].baseline.draws == 20
    assert report.scores["cas"].interval_over == "seeds"
    assert set(new["style_consistency"]["styles"]["slant"]) == {
        "consistency",
        "one_way",
        "permuted",
    }
    assert "recall_baseline" in new["classes"]["3"]
    assert new["counts"]["set_size"] == 393
    assert set(new["copy_tests"]) == {"pixels", "e2"}
    assert migrate_report(new) == new
    assert report.scores["kid"].interval is None
    assert "measured none" in report.scores["kid"].no_interval
    assert migrate_report(json.loads(OLD.read_text(encoding="utf-8"))) == new


def test_a_newer_or_foreign_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    files.write_json(path, {"kind": KIND, "format_version": FORMAT_VERSION + 1})
    with pytest.raises(ArtifactError, match="this inkgan reads up to"):
        read_report(path)
    files.write_json(path, {"mine": 1})
    with pytest.raises(ArtifactError, match="is no report of inkgan"):
        read_report(path)


def test_reports_of_files_are_found_where_older_versions_put_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bundle = Path("mine.safetensors")
    assert find_report(bundle) is None
    files.write_json(Path("mine-judged/report.json"), {})
    assert find_report(bundle) == Path("mine-judged/report.json")
    files.write_json(report_folder(bundle) / "report.json", {})
    assert find_report(bundle) == Path("mine-evaluation/report.json")
    assert report_folder(tmp_path) == tmp_path
