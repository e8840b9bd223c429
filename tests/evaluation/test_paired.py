"""Differences between two generators: shown where they are, and not where they are not."""

import re
from pathlib import Path

import numpy as np
import pytest

from inkgan import files
from inkgan.config import Recipe
from inkgan.errors import ArtifactError
from inkgan.evaluation.paired import paired_comparison
from inkgan.evaluation.report.comparison_table import PairedComparison, compare_scores
from inkgan.evaluation.report_document import FORMAT_VERSION, KIND
from inkgan.evaluation.score import Baseline, Score
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.stats.intervals import normal_interval, paired_interval

BASELINE = Baseline(1.0, 0.1, 20)


def scores(value: float, accuracy: float = 0.99, error: float = 0.5) -> dict[str, Score]:
    return {
        "fd_e1": Score("fd_e1", value, value - error, value + error, BASELINE, "sets"),
        "label_accuracy": Score(
            "label_accuracy",
            accuracy,
            accuracy - 0.001,
            accuracy + 0.001,
            Baseline(0.995, 0.001, 20),
            "sets",
        ),
    }


def test_seeds_are_paired() -> None:
    noise = [0.0, 5.0, 10.0]  # seeds differ far more than the two generators do
    one = {seed: scores(20 + noise[seed]) for seed in range(3)}
    other = {seed: scores(18 + noise[seed] + 0.1 * seed) for seed in range(3)}
    found = paired_comparison(one, other)[0]
    assert found.basis == "3 paired seeds"
    expected = paired_interval([18.0, 23.1, 28.2], [20.0, 25.0, 30.0])
    assert found.gap == pytest.approx(expected)
    assert found.advantage == pytest.approx((-expected.value, -expected.high, -expected.low))
    assert found.significant
    assert found.second_is_better


def test_one_run_each_speaks_of_images_alone() -> None:
    found = paired_comparison({0: scores(20)}, {7: scores(20.5)})[0]
    assert "not another training" in found.basis
    assert not found.significant
    assert paired_comparison({0: scores(20)}, {7: scores(25)})[0].significant


def test_too_typical_is_not_better_than_real() -> None:
    typical, real = scores(1, accuracy=0.9999), scores(1, accuracy=0.9951)
    towards_real = paired_comparison({0: typical}, {0: real})[1]
    assert towards_real.significant
    assert towards_real.second_is_better
    away_from_real = paired_comparison({0: real}, {0: typical})[1]
    assert away_from_real.significant
    assert not away_from_real.second_is_better


def auc(value: float, replicates: tuple[float, ...] = ()) -> dict[str, Score]:
    interval = normal_interval(value, 0.01)
    baseline = Baseline(0.5, 0.001, 20)
    score = Score.of("two_sample_auc", interval, baseline, "images", replicates=replicates)
    return {"two_sample_auc": score}


def test_equally_far_on_both_sides_of_the_best_value_is_no_better() -> None:
    found = paired_comparison({0: auc(0.45)}, {0: auc(0.55)})
    assert found[0].gap == pytest.approx(normal_interval(0.1, 0.01 * np.sqrt(2)))
    assert found[0].advantage == pytest.approx(normal_interval(0.0, 0.01 * np.sqrt(2)))
    assert not found[0].significant
    row = PairedComparison("a", "b", tuple(found)).rows()[0]
    assert row["finding"] == "different, neither better"
    assert paired_comparison({0: auc(0.45)}, {0: auc(0.51)})[0].second_is_better
    assert paired_comparison({0: auc(0.45)}, {0: auc(0.51)})[0].significant


def test_errors_of_the_shared_real_images_cancel() -> None:
    random = np.random.default_rng(0)
    real, one, other = random.normal(0, 1, (3, 100)) * np.array([[0.01], [0.001], [0.001]])
    found = paired_comparison(
        {0: auc(0.7, tuple(real + one))}, {0: auc(0.71, tuple(real + other))}
    )[0]
    assert found.gap is not None
    margin = (found.gap.high - found.gap.low) / 2
    assert margin == pytest.approx(1.96 * 0.001 * np.sqrt(2), rel=0.3)
    assert found.significant


def test_without_an_interval_nothing_is_claimed() -> None:
    reason = "the function of the metric returns a number alone"
    scores = [
        {"two_sample_auc": Score.without_interval("two_sample_auc", v, BASELINE, reason)}
        for v in (0.5, 0.9)
    ]
    found = paired_comparison({0: scores[0]}, {0: scores[1]})
    row = PairedComparison("a", "b", tuple(found)).rows()[0]
    assert (row["difference"], row["finding"]) == ("-", "no interval")
    assert not found[0].significant


def test_random_differences_are_rarely_significant() -> None:
    random = np.random.default_rng(0)  # always the same draws
    shown = 0
    for _ in range(200):
        one = {seed: scores(float(random.normal())) for seed in range(4)}
        other = {seed: scores(float(random.normal())) for seed in range(4)}
        shown += paired_comparison(one, other)[0].significant
    assert shown <= 22  # 5 % of 200, and four standard deviations


def write_report(run: RunFolder, value: float, extractors: str = "this one") -> None:
    document = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "extractors": extractors,
        "reference": {"digest": "x"},
        "counts": {"set_size": 10_000},
        "scores": [s.to_dict() for s in scores(value).values()],
    }
    files.write_json(run.path / "report.json", document)


def test_runs_that_differ_in_their_seed_are_one_recipe(
    tiny: Recipe, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    runs = []
    for name, lr, value in (("a", 2e-4, 20.0), ("b", 1e-3, 10.0)):
        for seed in range(3):
            optim = tiny.optim.model_copy(update={"lr": lr})
            recipe = tiny.model_copy(update={"seed": seed, "optim": optim})
            run = RunFolder(folder / f"{name}{seed}", recipe)
            write_report(run, value + seed + 0.1 * seed * (name == "b"))
            runs.append((run.path.name, run))
    (found,) = compare_scores(runs)
    assert found.first == "tiny with optim.lr=0.0002 (3 seeds)"
    assert found.second == "tiny with optim.lr=0.001 (3 seeds)"
    assert found.sentence.startswith(
        "tiny with optim.lr=0.001 (3 seeds) beats tiny with optim.lr=0.0002 (3 seeds) by Fréchet"
    )
    assert "Fréchet distance, E1" in found.sentence
    assert "3 paired seeds" in found.sentence
    assert "No significant difference by 1 of 2 metrics" in found.sentence
    assert found.rows()[0]["finding"] == "tiny with optim.lr=0.001 (3 seeds) is better"
    assert "10% of comparisons" in found.caution  # 1 - 0.95²
    write_report(runs[5][1], 12.0, extractors="another")
    (found,) = compare_scores(runs)
    assert "a0 and b2 were evaluated with different extractors" in found.sentence
    (runs[4][1].path / "report.json").unlink()
    (found,) = compare_scores(runs)
    assert re.search(r"evaluate \S+b1 first \(inkgan evaluate \S+b1\)", found.sentence)


def test_equal_scores_show_no_difference() -> None:
    found = PairedComparison("a", "b", tuple(paired_comparison({0: scores(20)}, {0: scores(20)})))
    assert found.sentence.startswith("No significant difference between a and b")


def test_a_foreign_report_is_refused(tiny: Recipe, tmp_path: Path) -> None:
    runs = [(name, RunFolder(tmp_path / name, tiny)) for name in ("a", "b")]
    for _, run in runs:
        files.write_json(run.path / "report.json", {"mine": 1})
    with pytest.raises(ArtifactError, match="is no report of inkgan"):
        compare_scores(runs)
