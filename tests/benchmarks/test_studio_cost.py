"""The cost of being watched, in its short form."""

import numpy as np
import pytest

from benchmarks import studio_cost
from benchmarks.studio_cost import Block, Cost
from inkgan.config import Recipe
from inkgan.config.serialize import override


def test_pairs_compare_the_updates_of_two_blocks() -> None:
    """Updates of 0.1 s, of 0.11 s while watched: the cost is 10 %."""
    durations = [0.1] * 100 + [0.11] * 100 + [0.11] * 100 + [0.1] * 100
    times = np.cumsum([0.0, *durations])
    ends = [times[0], times[100], times[200], times[300], times[400]]
    blocks = [
        Block(watched, begin + 0.05, end + 0.05)
        for watched, begin, end in zip((False, True, True, False), ends[:-1], ends[1:], strict=True)
    ]
    cost = Cost("made")
    studio_cost.compare(cost, times, blocks)
    assert cost.ratios == pytest.approx([0.1, 0.1], abs=0.005)
    assert cost.step == pytest.approx(0.1)
    cost.pictures, cost.seconds, cost.renewed, cost.tiles = 50, 10.0, 200, 40
    assert "5.0 pictures/s, each tile drawn again after 2.0 s" in str(cost)
    assert "watched costs +1" in str(cost)


def test_a_run_is_watched_in_turns(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_cost, "WARM_UP_SECONDS", 0.2)
    monkeypatch.setattr(studio_cost, "SETTLE_SECONDS", 0.1)
    recipe = override(tiny, {"schedule.batch_size": 16})
    cost = studio_cost.measure(recipe, pairs=2, seconds=1.0, trained_images=640)
    assert len(cost.ratios) == 2
    assert cost.pictures > 0
    assert cost.same_weights
