"""Whole runs: folders, interruptions, budgets, trouble."""

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import inkgan
from inkgan import device as devices
from inkgan import files, images, rng
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.errors import ArtifactError, ConfigError, DataError, TrainingStopped
from inkgan.folder_lock import locked
from inkgan.io.bundle import Bundle
from inkgan.io.environment import read_environment
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.checkpoint_scorer import CheckpointScorer
from inkgan.runs import active_run
from inkgan.runs.events import (
    MAX_ROLLBACKS,
    Event,
    Finished,
    Options,
    Sampled,
    Started,
    ThreadsChanged,
    Troubled,
    Updated,
)
from inkgan.runs.thread_choice import ThreadChoice
from inkgan.runs.trainer import Trainer
from inkgan.training import health
from inkgan.training.loop import train
from inkgan.training.state import TrainState

Same = Callable[[dict[str, torch.Tensor], dict[str, torch.Tensor]], bool]


def events_of(recipe: Recipe, out: Path, **options: Any) -> list[Event]:
    return list(Trainer(recipe, out, Options(**options)).events())


def stop_after(updates: int) -> Callable[[], bool]:
    asked = iter(range(10**9))
    return lambda: next(asked) + 1 >= updates


def checkpoint(out: Path, name: str = "last") -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    saved = RunFolder.open(out).load_checkpoint(name)
    assert saved is not None
    saved[1].pop("seconds")
    return saved


def test_a_run_leaves_everything_it_promises(tiny: Recipe, tmp_path: Path) -> None:
    events = events_of(tiny, tmp_path / "a")
    assert isinstance(events[0], Started)
    assert any("No images are reserved for validation" in note for note in events[0].notes)
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "complete"
    assert sum(isinstance(event, Updated) for event in events) == 69
    assert [event.images for event in events if isinstance(event, Sampled)] == [0, 1472, 2944, 4416]

    run = RunFolder.open(tmp_path / "a")
    assert run.recipe == tiny
    assert [run.step_of(path) for path in run.frames()] == [0, 23, 46, 69]
    for path in (run.grid_path, run.curves_path, run.timeline_path):
        with Image.open(path) as picture:
            picture.verify()
    with Image.open(run.timeline_path) as timeline:
        assert timeline.n_frames == 4  # type: ignore[attr-defined]
    environment = files.read_json(run.environment_path)
    assert environment["torch"] == torch.__version__
    assert len(environment["data_sha256"]) == 64
    rows = run.rows()
    assert [row["images"] for row in rows if "d_loss" in row] == [3200, 4416]
    assert all(row["images_per_second"] > 0 for row in rows if "d_loss" in row)
    assert len([row for row in rows if "e3_distance" in row]) == 4
    assert (run.path / "tensorboard").is_dir()
    assert not list(run.path.rglob(".*.*"))  # no half-written file is left


def test_the_last_grid_is_what_sample_draws(tiny: Recipe, tmp_path: Path) -> None:
    run = inkgan.train(tiny, out=tmp_path / "a", images=640)
    drawn = inkgan.load(tmp_path / "a").sample(seeds=range(64))
    assert (images.grid(drawn) == images.read_picture(run.grid_path)).all()


def test_a_run_of_older_random_numbers_resumes_with_a_note(tiny: Recipe, tmp_path: Path) -> None:
    events_of(tiny, tmp_path / "a", should_stop=stop_after(5))
    path = RunFolder.open(tmp_path / "a").environment_path
    environment = files.read_json(path)
    assert environment.pop("random_numbers") == rng.VERSION
    files.write_json(path, environment)
    first, *_, last = events_of(tiny, tmp_path / "a", should_stop=stop_after(5))
    assert isinstance(first, Started)
    assert first.note is not None
    assert "it draws new random numbers" in first.note
    assert isinstance(last, Finished)


@pytest.mark.parametrize("stops", [[1], [23], [24, 10], [5, 1, 50]])
def test_interruptions_change_nothing(
    tiny: Recipe, tmp_path: Path, stops: list[int], same_weights: Same
) -> None:
    events_of(tiny, tmp_path / "whole")
    for stop in stops:
        events = events_of(tiny, tmp_path / "cut", should_stop=stop_after(stop))
        assert isinstance(events[-1], Finished)
        assert events[-1].reason == "interrupted"
    events_of(tiny, tmp_path / "cut")
    for name in ("last", "best"):
        (tensors, counters), (others, other_counters) = (
            checkpoint(tmp_path / out, name) for out in ("whole", "cut")
        )
        assert same_weights(tensors, others)
        assert counters == other_counters

    def deterministic(out: str) -> list[dict[str, Any]]:
        rows = RunFolder.open(tmp_path / out).rows()
        kept = [row for row in rows if "d_loss" in row or row["step"] % 23 == 0]
        return [{k: v for k, v in row.items() if "second" not in k} for row in kept]

    assert deterministic("whole") == deterministic("cut")


def test_a_finished_run_says_so_and_more_epochs_extend_it(tiny: Recipe, tmp_path: Path) -> None:
    events_of(tiny, tmp_path / "a")
    again = events_of(tiny, tmp_path / "a")
    assert not any(isinstance(event, Updated) for event in again)
    longer = override(tiny, ["schedule.epochs=4"])
    events = events_of(longer, tmp_path / "a")
    assert sum(isinstance(event, Updated) for event in events) == 23
    assert RunFolder.open(tmp_path / "a").recipe == longer


def test_another_recipe_does_not_touch_a_run(tiny: Recipe, tmp_path: Path) -> None:
    events_of(override(tiny, ["schedule.epochs=1"]), tmp_path / "a")
    before = {p: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file()}
    with pytest.raises(ArtifactError, match=r"another recipe: `optim\.lr` = 0\.0002 \(now 0\.1\)"):
        events_of(override(tiny, ["optim.lr=0.1"]), tmp_path / "a")
    assert {p: p.read_bytes() for p in before} == before


@pytest.mark.parametrize(
    "assignment",
    ["schedule.batch_size=5000", "model.generator.output.kernel=7", "data.name=npz:x.npz"],
)
def test_an_impossible_recipe_leaves_no_folder(
    tiny: Recipe, tmp_path: Path, assignment: str
) -> None:
    with pytest.raises((ConfigError, DataError)):
        events_of(override(tiny, [assignment]), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_foreign_folders_are_refused(tiny: Recipe, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="not empty and no run folder"):
        events_of(tiny, tmp_path)
    with pytest.raises(ArtifactError, match=r"cannot write .*File exists"):
        events_of(tiny, tmp_path / "thesis.txt")


def test_two_processes_cannot_train_in_one_folder(tiny: Recipe, tmp_path: Path) -> None:
    with locked(tmp_path / "a"), pytest.raises(ArtifactError, match="another process"):
        events_of(tiny, tmp_path / "a")


def test_time_is_a_budget_over_all_interruptions(tiny: Recipe, tmp_path: Path) -> None:
    events = events_of(tiny, tmp_path / "a", minutes=1e-6)
    assert not any(isinstance(event, Updated) for event in events)  # the first grid took longer
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "time is up"
    assert not any(
        isinstance(event, Updated) for event in events_of(tiny, tmp_path / "a", minutes=1e-6)
    )
    with pytest.raises(ConfigError, match="`minutes` must be more than 0"):
        events_of(tiny, tmp_path / "a", minutes=0)


def test_the_clock_of_the_processor_stands_while_the_process_waits(
    tiny: Recipe, tmp_path: Path
) -> None:
    waits = iter([1.0])  # once, as where other work keeps the machine busy

    def wait() -> bool:
        time.sleep(next(waits, 0.0))
        return False

    begin = time.perf_counter()
    *_, end = events_of(tiny, tmp_path / "a", clock="processor", threads=1, should_stop=wait)
    assert isinstance(end, Finished)
    assert 0 < end.seconds < time.perf_counter() - begin - 0.9
    with pytest.raises(ConfigError, match="`clock` must be wall or processor, not 'sun'"):
        events_of(tiny, tmp_path / "a", clock="sun")


def test_changed_data_are_noticed(tiny: Recipe, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def write(seed: int) -> None:
        pictures = rng.integers(0, 256, (200, 28, 28), dtype=np.uint8)
        np.savez(tmp_path / "a.npz", images=pictures)

    write(0)
    recipe = override(tiny, [f'data.name="npz:{tmp_path / "a.npz"}"', "schedule.epochs=1"])
    events_of(recipe, tmp_path / "run")
    write(1)
    with pytest.raises(ArtifactError, match="other images"):
        events_of(recipe, tmp_path / "run")


def test_a_run_keeps_its_threads_and_the_caller_his(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[int] = []

    def recording(*arguments: Any) -> Any:
        for update in train(*arguments):
            inside.append(torch.get_num_threads())
            yield update

    monkeypatch.setattr(active_run, "train", recording)
    threads = torch.get_num_threads()
    try:
        events_of(tiny, tmp_path / "a", threads=1, should_stop=stop_after(1))
        torch.set_num_threads(2)
        events = events_of(tiny, tmp_path / "a", threads=2, should_stop=stop_after(1))
        assert isinstance(events[0], Started)
        assert "has trained with 1 thread;" in str(events[0].note)
        assert inside == [1, 2]
        for event in Trainer(tiny, tmp_path / "a", Options(should_stop=stop_after(1))).events():
            assert torch.get_num_threads() == 2
            assert not isinstance(event, Started) or event.note is None
        assert inside == [1, 2, 1]
    finally:
        torch.set_num_threads(threads)


def test_a_new_run_takes_fewer_threads_beside_busy_processes(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "free_cores", lambda: 1.1)
    with devices.compute_settings(2):
        first = events_of(tiny, tmp_path / "busy", should_stop=stop_after(1))[0]
        assert isinstance(first, Started)
        assert "2 threads are slower than 1 thread, which the run takes" in str(first.note)
        assert read_environment(tmp_path / "busy" / "environment.json").threads == 1
        monkeypatch.setattr(devices, "free_cores", lambda: 2.0)
        resumed = events_of(tiny, tmp_path / "busy", should_stop=stop_after(1))[0]
        assert isinstance(resumed, Started)
        assert resumed.note is None
        assert read_environment(tmp_path / "busy" / "environment.json").threads == 1
        monkeypatch.setattr(devices, "free_cores", lambda: pytest.fail("not asked"))
        chosen = events_of(tiny, tmp_path / "chosen", threads=2, should_stop=stop_after(1))[0]
        assert isinstance(chosen, Started)
        assert chosen.note is None
        assert read_environment(tmp_path / "chosen" / "environment.json").threads == 2


def test_threads_change_with_the_load_and_an_interruption_changes_nothing(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same_weights: Same
) -> None:
    inside: dict[int, int] = {}

    def recording(*arguments: Any) -> Any:
        for update in train(*arguments):
            inside[update.step] = torch.get_num_threads()
            yield update

    def look(choice: ThreadChoice, step: int) -> bool:
        before = choice.count
        if choice.most is not None:
            choice.count = 1 if 10 <= step < 20 else 2  # others are busy for ten steps
        return choice.count != before

    monkeypatch.setattr(active_run, "train", recording)
    monkeypatch.setattr(ThreadChoice, "look", look)
    monkeypatch.setattr(devices, "free_cores", lambda: 2.0)
    whole, cut, chosen = (tmp_path / name for name in ("whole", "cut", "chosen"))
    with devices.compute_settings(2):
        events = events_of(tiny, whole)
        changes = [event for event in events if isinstance(event, ThreadsChanged)]
        assert [(change.before, change.threads) for change in changes] == [(2, 1), (1, 2)]
        assert "`threads=2` keeps them" in str(changes[0])
        assert str(changes[1]) == "cores are idle again: 2 threads from here on"
        assert [inside[step] for step in (10, 11, 20, 21)] == [2, 1, 1, 2]
        rows = [row for row in RunFolder.open(whole).rows() if "threads" in row]
        assert [(row["step"], row["threads"]) for row in rows] == [(10, 1), (20, 2)]

        events_of(tiny, cut, should_stop=stop_after(13))
        recorded = read_environment(cut / "environment.json")
        assert (recorded.threads, recorded.device) == (1, "cpu (1 thread)")
        inside.clear()
        events_of(tiny, cut)
        assert inside[14] == 1
        for name in ("last", "best"):
            assert same_weights(checkpoint(whole, name)[0], checkpoint(cut, name)[0])

        inside.clear()
        events_of(tiny, chosen, threads=2, should_stop=stop_after(13))
        events_of(tiny, chosen)  # it was started with a number, and so resumes with it
        assert set(inside.values()) == {2}


# --- trouble ---


def spoil(monkeypatch: pytest.MonkeyPatch, at_step: int) -> None:
    """Let the generator's weights become NaN once, at a step, at the full learning rate."""

    def spoiled(recipe: Any, batches: Any, state: TrainState, capture: bool) -> Any:
        for update in train(recipe, batches, state, capture):
            if state.step == at_step and state.lr_scale == 1.0:
                with torch.no_grad():
                    next(state.generator.parameters()).fill_(float("nan"))
            yield update

    monkeypatch.setattr(active_run, "train", spoiled)


def test_nan_stops_and_keeps_the_last_healthy_state(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, at_step=30)
    with pytest.raises(TrainingStopped, match=r"no longer a number.*Try: "):
        events_of(tiny, tmp_path / "a")
    tensors, counters = checkpoint(tmp_path / "a")
    assert counters["step"] == 23
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    row = RunFolder.open(tmp_path / "a").rows()[-1]
    assert row["health"] == "nan"


def test_rollback_goes_on_with_half_the_rate(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, at_step=30)
    events = events_of(tiny, tmp_path / "a", on_trouble="rollback")
    troubles = [event for event in events if isinstance(event, Troubled)]
    assert [trouble.finding.kind for trouble in troubles] == ["nan"]
    assert "learning rate now 0.0001" in troubles[0].action
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "complete"
    tensors, counters = checkpoint(tmp_path / "a")
    assert (counters["step"], counters["rollbacks"], counters["lr_scale"]) == (69, 1, 0.5)
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    steps = [row["step"] for row in RunFolder.open(tmp_path / "a").rows()]
    assert steps == sorted(steps)


def test_rollbacks_come_to_an_end(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = health.Finding("collapse", "It has collapsed.", "less.")
    monkeypatch.setattr(health, "examine", lambda metrics, state, recipe: [finding])
    with pytest.raises(TrainingStopped, match="collapsed"):
        events_of(tiny, tmp_path / "a", on_trouble="rollback")
    assert checkpoint(tmp_path / "a")[1]["rollbacks"] == MAX_ROLLBACKS


@pytest.mark.parametrize("on_trouble", ["warn", "stop"])
def test_warn_goes_on_and_stop_stops(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_trouble: str
) -> None:
    finding = health.Finding("collapse", "It has collapsed.", "less.")
    monkeypatch.setattr(health, "examine", lambda metrics, state, recipe: [finding])
    if on_trouble == "stop":
        with pytest.raises(TrainingStopped, match=r"It has collapsed\. Try: less\."):
            events_of(tiny, tmp_path / "a", on_trouble="stop")
    else:
        events = events_of(tiny, tmp_path / "a")
        assert [e.action for e in events if isinstance(e, Troubled)] == ["training continues"] * 2
    assert RunFolder.open(tmp_path / "a").bundle_path.is_file()


def test_findings_of_the_last_evaluation_are_reported(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of 10 steps is evaluated at its start and at its end alone."""
    finding = health.Finding("class-collapse", "One class has collapsed.", "less.")
    monkeypatch.setattr(
        health,
        "examine_scores",
        lambda scores, state, *_: [finding] if state.step == 10 else [],
    )
    events = events_of(override(tiny, ["schedule.images=640"]), tmp_path / "a")
    assert [event.finding for event in events if isinstance(event, Troubled)] == [finding]
    assert RunFolder.open(tmp_path / "a").rows()[-1]["health"] == "class-collapse"
    with pytest.raises(TrainingStopped, match="One class has collapsed"):
        events_of(override(tiny, ["schedule.images=640"]), tmp_path / "b", on_trouble="stop")


def test_a_rollback_at_the_end_trains_on(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = health.Finding("class-collapse", "One class has collapsed.", "less.")
    monkeypatch.setattr(
        health,
        "examine_scores",
        lambda scores, state, *_: [finding] if state.step == 10 and not state.rollbacks else [],
    )
    recipe = override(tiny, ["schedule.images=640"])
    events = events_of(recipe, tmp_path / "a", on_trouble="rollback")
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "complete"
    counters = checkpoint(tmp_path / "a")[1]
    assert (counters["step"], counters["rollbacks"]) == (10, 1)


def test_constructing_a_trainer_reads_and_writes_nothing(tiny: Recipe, tmp_path: Path) -> None:
    lost = override(tiny, ["data.name=npz:missing.npz"])
    assert Trainer(lost, tmp_path / "a").recipe == lost
    assert not (tmp_path / "a").exists()


def test_a_full_disk_is_a_clear_error(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events_of(tiny, tmp_path / "a", should_stop=stop_after(2))
    before = (tmp_path / "a/checkpoints/last.safetensors").read_bytes()

    def no_space(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_sync", no_space)
    with pytest.raises(ArtifactError, match=r"cannot write .*No space left on device"):
        events_of(tiny, tmp_path / "a")
    assert (tmp_path / "a/checkpoints/last.safetensors").read_bytes() == before


def test_metrics_survive_a_line_cut_short(tiny: Recipe, tmp_path: Path) -> None:
    events_of(tiny, tmp_path / "a", should_stop=stop_after(23))
    run = RunFolder.open(tmp_path / "a")
    held = run.rows()
    with run.metrics_path.open("a") as stream:
        stream.write('{"step": 24, "ima')
    assert run.rows() == held
    events_of(tiny, tmp_path / "a")
    assert all(json.loads(line) for line in run.metrics_path.read_text().splitlines())


def test_damaged_checkpoint_names_the_file(tiny: Recipe, tmp_path: Path) -> None:
    events_of(tiny, tmp_path / "a", should_stop=stop_after(2))
    (tmp_path / "a/checkpoints/last.safetensors").write_bytes(b"rubbish")
    with pytest.raises(ArtifactError, match=r"last\.safetensors is no readable"):
        events_of(tiny, tmp_path / "a")


def test_evaluations_may_come_more_often_than_grids(tiny: Recipe, tmp_path: Path) -> None:
    recipe = override(tiny, ["schedule.evaluation_interval=640", "schedule.sample_interval=1280"])
    run = inkgan.train(recipe, out=tmp_path / "a", images=1920)
    rows = [row for row in run.rows() if "e3_distance" in row]
    assert [row["images"] for row in rows] == [0, 640, 1280, 1920]
    assert all(0 <= row["e3_recall"] <= 1 and 0 <= row["e3_precision"] <= 1 for row in rows)
    assert [run.step_of(frame) * 64 for frame in run.frames()] == [0, 1280, 1920]
    best = min(row["e3_distance"] for row in rows if row["images"])  # the start is never best
    assert checkpoint(tmp_path / "a")[1]["best_score"] == best
    saved = run.load_checkpoint("best")
    assert saved is not None
    steps = [row["step"] for row in rows if row["e3_distance"] == best]
    assert saved[1]["step"] == steps[0]


def test_a_time_limit_is_an_end_that_is_evaluated(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    monkeypatch.setitem(active_run.CLOCKS, "wall", lambda: float(next(ticks)))  # a second a look
    endless = override(tiny, ["schedule.epochs=100000", "schedule.evaluation_interval=10000000"])
    events = events_of(endless, tmp_path / "a", minutes=1)
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "time is up"
    last = [event for event in events if isinstance(event, Sampled)][-1]
    assert (last.images, last.is_best) == (events[-1].images, True)
    run = RunFolder.open(tmp_path / "a")
    scored = [row["images"] for row in run.rows() if "e3_distance" in row]
    assert scored == [0, last.images]
    events_of(endless, tmp_path / "a", minutes=1)  # nothing is left to do, nor to evaluate
    assert [row["images"] for row in run.rows() if "e3_distance" in row] == scored


def test_the_untrained_generator_is_never_the_best(tiny: Recipe, tmp_path: Path) -> None:
    events = events_of(tiny, tmp_path / "a", should_stop=stop_after(3))
    sampled = [event for event in events if isinstance(event, Sampled)]
    assert [event.is_best for event in sampled] == [False, False]
    with pytest.raises(ArtifactError, match="no evaluation since training began"):
        inkgan.load(tmp_path / "a", checkpoint="best")
    sampled = [e for e in events_of(tiny, tmp_path / "a") if isinstance(e, Sampled)]
    assert sampled[0].is_best
    assert inkgan.load(tmp_path / "a", checkpoint="best").bundle.images_seen > 0


def test_a_last_evaluation_is_told_though_it_came_before_its_grid(
    tiny: Recipe, tmp_path: Path
) -> None:
    events = events_of(override(tiny, ["schedule.images=640"]), tmp_path / "a")
    last = [event for event in events if isinstance(event, Sampled)][-1]
    assert last.images == 640
    assert last.score is not None
    rows = [r for r in RunFolder.open(tmp_path / "a").rows() if "e3_distance" in r]
    assert [row["images"] for row in rows] == [0, 640]


def test_checkpoints_are_picked_on_validation_images_alone(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []

    class Watched(CheckpointScorer):
        def __init__(self, real: torch.Tensor, labels: torch.Tensor | None) -> None:
            seen.append(real)
            super().__init__(real, labels)

    monkeypatch.setattr(active_run, "CheckpointScorer", Watched)
    inkgan.train(override(tiny, ["data.holdout=300"]), out=tmp_path / "a", images=64)
    held_out = inkgan.load_dataset(override(tiny, ["data.holdout=300"]).data, "validation")
    assert torch.equal(seen[0], held_out.images)


def test_a_run_that_dies_while_its_curves_are_drawn_is_not_over(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = override(tiny, {"schedule.epochs": 1})

    def die(path: Path, rows: object, title: str) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("inkgan.runs.curves.draw_curves", die)
        with pytest.raises(MemoryError):
            inkgan.train(recipe, out=tmp_path / "a")
    assert not RunFolder.open(tmp_path / "a").is_complete(recipe)
    inkgan.train(recipe, out=tmp_path / "a")
    run = RunFolder.open(tmp_path / "a")
    assert run.is_complete(recipe)
    assert run.curves_path.is_file()


def test_a_longer_run_that_dies_before_its_new_generator_is_not_over(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = (override(tiny, {"schedule.images": count}) for count in (64, 128))
    inkgan.train(short, out=tmp_path / "a")

    def die(self: Bundle, path: Path, *, half: bool = False) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(Bundle, "save", die)
        with pytest.raises(MemoryError):
            inkgan.train(long, out=tmp_path / "a")
    run = RunFolder.open(tmp_path / "a")
    assert run.rows()[-1]["images"] == 128
    assert not run.is_complete(long)
    inkgan.train(long, out=tmp_path / "a")
    assert run.is_complete(long)
