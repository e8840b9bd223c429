"""What a live view says of a run, from events that are made up."""

import math
from pathlib import Path

import pytest

from inkgan.config import Recipe
from inkgan.io.live_folder import LiveFolder
from inkgan.io.run_dir import RunFolder
from inkgan.runs import live_state
from inkgan.runs.events import Started, Troubled, Updated
from inkgan.runs.live_state import FINDING_ROWS, LiveState, PictureFeed, next_drawing
from inkgan.training.health import Finding
from inkgan.training.loop import Update


def row(real: float = 0.6, fake: float = 0.6, speed: float = 100.0) -> dict[str, float]:
    losses = {"d_loss": 1.0, "g_loss": 2.0, "images_per_second": speed}
    return {**losses, "d_real_accuracy": real, "d_fake_accuracy": fake}


def place(step: int) -> dict[str, float]:
    return {"step": step, "images": step * 64, "epoch": step / 23, "seconds": float(step)}


def updated(images: int, seconds: float, row: dict[str, float] | None = None) -> Updated:
    return Updated(Update(images // 64, images, images / 1500, None), row, seconds)


@pytest.fixture
def folder(tiny: Recipe, tmp_path: Path) -> RunFolder:
    return RunFolder.create_or_open(tmp_path, tiny)


def started(folder: RunFolder, images: int = 0) -> Started:
    return Started(folder, images, 6400, "data", (1, 1), "cpu", None)


def test_share_and_time_left(folder: RunFolder) -> None:
    state = LiveState()
    assert (state.share, state.speed, state.seconds_left) == (0.0, None, None)
    state.take(started(folder))
    state.take(updated(64, 1.0))
    assert state.seconds_left is None  # one update says nothing of the speed
    state.take(updated(704, 11.0))
    assert state.speed == pytest.approx(64)
    assert state.seconds_left == pytest.approx((6400 - 704) / 64)
    state.take(updated(1600, 20.0, row(speed=160.0)))
    assert state.share == pytest.approx(0.25)
    assert state.seconds_left == pytest.approx(4800 / 160)


def test_a_limit_of_time_ends_a_run_first(folder: RunFolder) -> None:
    state = LiveState(minutes=1.0)
    state.take(started(folder))
    state.take(updated(640, 45.0, row(speed=10.0)))
    assert state.share == pytest.approx(0.75)
    assert state.seconds_left == pytest.approx(15)
    state.take(updated(704, 61.0))
    assert (state.share, state.seconds_left) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("real", "fake", "said"),
    [
        (0.98, 0.99, "far ahead"),
        (0.8, 0.8, "ahead of the generator"),
        (0.6, 0.5, "about even"),
        (0.2, 0.3, "fooled most of the time"),
        (1.0, 0.1, "nearly everything for real"),
        (0.1, 1.0, "nearly everything for generated"),
    ],
)
def test_the_sentence_of_a_run_without_findings(
    folder: RunFolder, real: float, fake: float, said: str
) -> None:
    state = LiveState()
    assert "No losses yet" in state.sentence
    state.take(started(folder))
    state.take(updated(64, 1.0, row(real, fake)))
    assert said in state.sentence
    assert f"{real:.0%} of real and {fake:.0%} of generated" in state.sentence


def test_a_finding_stays_for_some_rows(folder: RunFolder) -> None:
    state = LiveState()
    state.take(started(folder))
    state.take(Troubled(Finding("d-wins", "The discriminator wins.", "less of it"), "continues"))
    for number in range(1, FINDING_ROWS):
        state.take(updated(64 * number, number, row()))
        assert state.is_troubled
        assert state.sentence == "The discriminator wins."
    state.take(updated(6400, 100, row()))
    assert not state.is_troubled


def test_curves_go_on_where_a_run_is_resumed_and_stay_short(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in range(3):
        folder.append(place(step) | row())
    folder.append(place(3) | {"e3_distance": 5.0})
    monkeypatch.setattr(live_state, "MOST_VALUES", 10)
    state = LiveState()
    state.take(started(folder, 192))
    assert len(state.curves["d_loss"]) == 3
    for number in range(100):
        state.take(updated(256 + 64 * number, number, row() | {"d_loss": float(number)}))
        assert len(state.curves["d_loss"]) <= 10
    assert state.curves["g_loss"] == [2.0] * len(state.curves["g_loss"])
    assert state.curves["d_loss"] == sorted(state.curves["d_loss"])
    state.take(updated(6400, 100, row() | {"d_loss": math.nan}))
    assert math.isnan(state.row["d_loss"])


def test_a_feed_asks_for_pictures_and_reads_each_once(tmp_path: Path) -> None:
    live, feed = LiveFolder(tmp_path), PictureFeed(tmp_path)
    assert feed.newest() is None
    feed.watch()
    assert live.is_watched()
    live.write_frame(b"picture", {"number": 1})
    assert feed.newest() == (b"picture", {"number": 1})
    assert feed.newest() is None
    for damaged in ('{"number": 2}', '{"picture": 3}', '{"picture": "%"}', "{"):
        live.frame_path.write_text(damaged)
        assert feed.newest() is None


def test_what_takes_long_is_drawn_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.perf_counter", lambda: 100.0)
    assert next_drawing(0.0001) == pytest.approx(100 + live_state.INTERVAL)
    assert next_drawing(0.01) == pytest.approx(100 + 0.01 / live_state.SHARE)
