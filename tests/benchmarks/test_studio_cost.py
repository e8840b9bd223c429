"""The cost of being watched, in its short form."""

import numpy as np
import pytest

from benchmarks import studio_cost
from benchmarks.studio_cost import Block, Cost, ProcessorTimes
from inkgan.config import Recipe
from inkgan.config.serialize import override


def test_pairs_compare_the_updates_of_two_blocks() -> None:
    """Updates of 0.1 s, of 0.11 s while watched: the cost is 10 %."""
    durations = [0.1] * 100 + [0.11] * 100 + [0.11] * 100 + [0.1] * 100
    times = np.cumsum([0.0, *durations])
    ends = [times[0], times[100], times[200], times[300], times[400]]
    blocks = [
        Block(watched, begin, end, ProcessorTimes(5.0, 0.5 * watched, 0.1))
        for watched, begin, end in zip((False, True, True, False), ends[:-1], ends[1:], strict=True)
    ]
    cost = Cost("made")
    studio_cost.compare(cost, times, blocks)
    assert cost.ratios == pytest.approx([0.1, 0.1])
    assert cost.step == pytest.approx(0.1)
    assert cost.watched == pytest.approx((5 / 11, 0.5 / 11, 0.1 / 11))
    assert cost.alone == pytest.approx((0.5, 0, 0.01))
    cost.pictures, cost.seconds, cost.renewed, cost.tiles = 50, 10.0, 200, 40
    assert "5.0 pictures/s, each tile drawn again after 2.0 s" in str(cost)
    assert "watched costs +10.0% [-inf%, +inf%], the median of 2 pairs" in str(cost)
    cost.ratios = [0.01] * 8 + [0.03] * 4 + [0.09] * 8
    assert "watched costs +3.0% [+1.0%, +9.0%], the median of 20 pairs" in str(cost)


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    """Of skewed values, too: their median is 0."""
    random = np.random.default_rng(0)
    values = np.exp(random.normal(size=(4000, 60))) - 1
    intervals = [studio_cost.median_interval(row.tolist()) for row in values]
    covered = np.mean([interval.low <= 0 <= interval.high for interval in intervals])
    assert 0.95 <= covered <= 0.98


def test_a_run_is_watched_in_turns(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_cost, "WARM_UP_SECONDS", 0.2)
    monkeypatch.setattr(studio_cost, "SETTLE_SECONDS", 0.1)
    recipe = override(tiny, {"schedule.batch_size": 16})
    # the kernel counts in hundredths of a second, of which a second leaves the server few
    cost = studio_cost.measure(recipe, pairs=2, seconds=2.0, trained_images=640)
    assert len(cost.ratios) == 2
    assert cost.pictures > 0
    assert cost.alone.trainer > 0.05
    assert cost.watched.server > 0
    assert cost.same_weights
