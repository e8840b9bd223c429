"""A run that is watched and steered: the same weights to the bit, and little of its time."""

import base64
import io
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import inkgan
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.data.dataset import load_dataset
from inkgan.io.live_folder import Control, LiveFolder
from inkgan.runs import preview
from inkgan.runs.frame_writer import FrameWriter
from inkgan.runs.preview import PreviewWriter
from inkgan.runs.run import Run
from inkgan.training.state import new_state

Same = Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], bool]


def checkpoint(run: Run) -> dict[str, torch.Tensor]:
    saved = run.load_checkpoint("last")
    assert saved is not None
    return saved[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "model.discriminator.spectral_norm": True,
            "model.discriminator.norm": None,
            "model.classes": 10,
            "model.discriminator.conditioning": "projection",
        },
    ],
    ids=["batch norm and dropout", "spectral norm and classes"],
)
def test_watching_never_changes_the_result(
    tiny: Recipe,
    changes: dict[str, Any],
    tmp_path: Path,
    same_weights: Same,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preview, "INTERVAL", 0.0)
    monkeypatch.setattr(preview, "CREDIT", 100.0)
    recipe = override(tiny, {"schedule.epochs": 1, **changes})
    alone = inkgan.train(recipe, out=tmp_path / "alone", threads=2)
    live = LiveFolder(tmp_path / "watched")
    watched = inkgan.train(
        recipe, out=tmp_path / "watched", threads=2, on_event=lambda event: live.watch()
    )
    frame = json.loads(live.frame_path.read_text())
    assert frame["number"] > 5  # it was watched
    assert not LiveFolder(tmp_path / "alone").frame_path.exists()
    assert same_weights(checkpoint(alone), checkpoint(watched))
    assert alone.bundle_path.read_bytes() == watched.bundle_path.read_bytes()
    losses = [[row.get("d_loss") for row in run.metrics] for run in (alone, watched)]
    assert losses[0] == losses[1]


def test_a_frame_has_every_tile_and_what_the_discriminator_believes(
    tiny: Recipe, tmp_path: Path
) -> None:
    live = LiveFolder(tmp_path / "a")
    recipe = override(tiny, {"model.classes": 10, "schedule.epochs": 1})
    inkgan.train(recipe, out=tmp_path / "a", on_event=lambda event: live.watch())
    frame = json.loads(live.frame_path.read_text())
    assert (frame["columns"], frame["tile"]) == (10, [12, 12])
    assert frame["labels"] == [*range(10)] * 4
    assert len(frame["logits"]) == len(frame["realism"]) == 40
    assert all(0 <= share <= 1 for share in frame["realism"])
    with Image.open(io.BytesIO(base64.b64decode(frame["picture"]))) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (4 * 12, 10 * 12)
    assert pixels.reshape(4, 12, 10, 12).std(axis=(1, 3)).min() > 0  # no tile is left out


def test_every_tile_is_rated_in_turn(tiny: Recipe, tmp_path: Path) -> None:
    dataset = load_dataset(tiny.data)
    state = new_state(tiny, dataset.shape, torch.device("cpu"))
    writer = PreviewWriter(LiveFolder(tmp_path), tiny, dataset, state, tiny.schedule.batch_size)
    for _ in range(40 * preview.RATING_INTERVAL):
        writer._draw(1)
    writer.close()
    assert np.isfinite(writer._logits).all()


def test_ranks_are_shares_of_real_images() -> None:
    random = np.random.default_rng(0)
    real, logits = random.integers(0, 9, 40).astype(float), random.integers(-2, 11, 30) / 1.0
    logits[3] = np.nan
    expected = [((real < each) + 0.5 * (real == each)).mean() for each in logits]
    found = preview._ranks(logits, np.sort(real))
    assert found.pop(3) is None
    assert found == pytest.approx([*expected[:3], *expected[4:]], abs=0.0006)  # three decimals
    assert preview._ranks(logits, np.array([])) == [None] * 30


class Pictures:
    """A writer whose clock stands still except in `_draw` and between updates, for exact bounds.

    Attributes:
        drawn: the tiles of each picture.
        watched: whether somebody watches.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.watched = 0.0, True
        self.drawn: list[int] = []
        writer = object.__new__(preview.PreviewWriter)
        writer._labels, writer._due, writer._left = torch.zeros(40), 0.0, None
        writer._began, writer._spent, writer._drawn_at, writer._costs = None, 0.0, 0.0, {}
        writer._frames = FrameWriter(lambda picture, document: None)
        writer._clock = lambda: self.clock
        self.writer = writer
        monkeypatch.setattr(writer, "_live", self, raising=False)
        monkeypatch.setattr(writer, "_draw", self._draw)
        monkeypatch.setattr(time, "perf_counter", lambda: self.clock)

    def is_watched(self) -> bool:
        return self.watched

    def _draw(self, count: int) -> None:
        cost = 0.002 + 0.001 * count
        self.clock += cost
        writer = self.writer
        writer._spent += cost
        writer._costs[count] = cost
        writer._drawn_at = self.clock
        writer._due = max(writer._due + preview.INTERVAL, self.clock)
        self.drawn.append(count)

    def train(self, seconds: float, *, watched: bool) -> None:
        """Train in steps of 0.02 s."""
        self.watched = watched
        for _ in range(round(seconds / 0.02)):
            self.clock += 0.02
            self.writer.after_update()


def test_drawing_takes_its_share_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = Pictures(monkeypatch)
    pictures.train(60, watched=True)
    assert pictures.writer._spent <= preview.CREDIT + preview.SHARE * pictures.clock
    assert len(pictures.drawn) / pictures.clock >= 4
    assert pictures.drawn[0] == 40


def test_who_looks_away_and_back_costs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = Pictures(monkeypatch)
    for _ in range(20):
        pictures.train(2, watched=True)
        pictures.train(2, watched=False)
    assert pictures.writer._spent <= preview.CREDIT + preview.SHARE * pictures.clock / 2
    assert pictures.drawn.count(40) == 1
    pictures.train(2 * preview.REMEMBERED, watched=False)
    pictures.train(1, watched=True)
    assert pictures.drawn.count(40) == 2  # what is old is drawn again at once


class Training:
    """A run in a thread of its own, and the files by which it is steered."""

    def __init__(self, recipe: Recipe, out: Path) -> None:
        self.live = LiveFolder(out)
        self.finished: list[Any] = []
        self.thread = threading.Thread(target=self._train, args=(recipe, out), daemon=True)
        self.thread.start()
        self.until(lambda: self.live.process().get("state") == "training")

    def _train(self, recipe: Recipe, out: Path) -> None:
        for event in inkgan.train_iter(recipe, out=out):
            self.finished = [event]

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, self.live.process()
            time.sleep(0.01)

    def wish(self, wish: Any, steps: int = 0) -> None:
        self.live.write_control(Control(wish, steps))


def test_pause_single_step_resume_and_stop(
    tiny: Recipe, tmp_path: Path, same_weights: Same
) -> None:
    recipe = override(tiny, {"schedule.epochs": 20})
    training = Training(recipe, tmp_path / "a")
    training.wish("pause")
    training.until(lambda: training.live.process()["state"] == "paused")
    images = training.live.process()["images"]
    assert (tmp_path / "a" / "checkpoints" / "last.safetensors").exists()  # nothing can be lost
    training.wish("pause", steps=3)
    training.until(lambda: training.live.process()["images"] == images + 3 * 64)
    time.sleep(0.2)
    assert training.live.process()["images"] == images + 3 * 64  # not one more
    training.live.watch()
    training.until(training.live.frame_path.exists)  # a paused run is drawn too
    training.wish("run")
    training.until(lambda: training.live.process()["state"] == "training")
    training.wish("stop")
    training.thread.join(60)
    ended = training.live.process()
    assert (ended["state"], ended["reason"]) == ("ended", "interrupted")
    assert training.finished[0].reason == "interrupted"
    # interrupted, stepped and resumed: as if nothing had been
    resumed = inkgan.train(recipe, out=tmp_path / "a")
    assert LiveFolder(tmp_path / "a").process()["reason"] == "complete"
    whole = inkgan.train(recipe, out=tmp_path / "b")
    assert same_weights(checkpoint(resumed), checkpoint(whole))


def test_a_new_process_forgets_the_wishes_of_the_last(tiny: Recipe, tmp_path: Path) -> None:
    live = LiveFolder(tmp_path)
    live.watch()
    live.write_control(Control("pause"))
    inkgan.train(override(tiny, {"schedule.epochs": 1}), out=tmp_path)
    assert live.process()["reason"] == "complete"


def test_a_failure_is_recorded(tiny: Recipe, tmp_path: Path) -> None:
    recipe = override(tiny, {"optim.lr": 1.0, "schedule.epochs": 1, "data.augment": {}})

    def fail(event: object) -> None:
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="own"):
        inkgan.train(recipe, out=tmp_path / "a", on_event=fail)
    assert LiveFolder(tmp_path / "a").process()["reason"] == "interrupted"


def test_a_disk_without_room_loses_pictures_only(tmp_path: Path) -> None:
    (tmp_path / ".live").write_text("in the way")
    live = LiveFolder(tmp_path)
    live.watch()
    live.clear()
    live.write_frame(b"png", {})
    live.write_process({"pid": 1})
    live.write_control(Control("stop"))
    assert live.process() == {}
    assert live.control() == Control()
    assert not live.is_watched()
