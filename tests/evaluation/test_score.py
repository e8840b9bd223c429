"""A score: its interval, its difference from real images, and how it is written and read."""

import json
import math

import pytest

from inkgan.evaluation.score import Baseline, Score
from inkgan.metrics.stats.intervals import Interval

BASELINE = Baseline(1.0, 0.1, 4)
T_3 = 3.182446305284263  # of the t distribution with 3 degrees of freedom, 97.5 %


def test_the_excess_covers_images_and_draws() -> None:
    score = Score.of("fd_e1", Interval(2.0, 1.8, 2.3), BASELINE, "images")
    assert score.standard_error == pytest.approx(0.3 / 1.96, rel=1e-4)
    half = T_3 * 0.1 / math.sqrt(4)
    expected = (1.0, 1.0 - math.hypot(0.2, half), 1.0 + math.hypot(0.3, half))
    assert score.difference == pytest.approx(expected)
    assert score.excess_interval == pytest.approx(expected)


def test_the_excess_turns_round_where_higher_is_better() -> None:
    score = Score.of("recall", Interval(0.8, 0.7, 0.85), Baseline(0.9, 0.0, 20), "images")
    assert score.excess_interval == pytest.approx((0.1, 0.05, 0.2))


def test_the_excess_is_folded_where_a_value_is_best() -> None:
    real = Baseline(1.0, 0.0, 20)
    assert Score.of("density", Interval(1.1, 0.9, 1.3), real, "images").excess_interval == (
        pytest.approx((0.1, 0.0, 0.3))
    )
    real = Baseline(0.52, 0.0, 20)
    above = Score.of("two_sample_auc", Interval(0.6, 0.55, 0.65), real, "images")
    assert above.excess_interval == pytest.approx((0.08, 0.03, 0.13))
    around = Score.of("two_sample_auc", Interval(0.49, 0.44, 0.54), real, "images")
    assert around.excess_interval == pytest.approx((-0.01, -0.02, 0.04))


def test_a_score_without_an_interval_says_why() -> None:
    score = Score.without_interval("fd_e1", 2.0, BASELINE, "too few images", images=200)
    assert (score.interval, score.difference, score.excess_interval) == (None, None, None)
    assert math.isnan(score.margin)
    assert str(score) == "2.00 (no interval)"
    document = json.loads(json.dumps(score.to_dict(), allow_nan=False))
    assert document["low"] is None
    assert Score.from_dict(document) == score


def test_a_score_survives_json() -> None:
    score = Score.of(
        "fd_e1", Interval(2.0, 1.8, 2.3), BASELINE, "images", images=10_000, replicates=(0.5, -0.25)
    )
    document = json.loads(json.dumps(score.to_dict(), allow_nan=False))
    assert document["excess_low"] < document["excess"] < document["excess_high"]
    assert Score.from_dict(document) == score
