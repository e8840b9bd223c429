"""Several seeds side by side: each as if it were trained alone, and what they say together."""

import json
import math
import os
import signal
import statistics
import threading
import time
from pathlib import Path

import pytest

from inkgan.config import Recipe
from inkgan.config.serialize import override, parse_recipe, to_toml
from inkgan.errors import ArtifactError, ConfigError, DataError
from inkgan.execution import local_processes
from inkgan.io.run_dir import RunFolder
from inkgan.runs.api import train
from inkgan.runs.run_watch import RunWatch
from inkgan.runs.seed_runs import SeedRuns
from inkgan.runs.seeds import train_seeds
from inkgan.runs.training_job import check_travels
from tests.fixtures.command_line import inkgan
from tests.fixtures.run_folders import RECIPE

TIMES = ("seconds", "images_per_second")


def rows(path: Path) -> list[dict[str, object]]:
    """Return the metrics of a run without what depends on the speed of the machine."""
    found = RunFolder.open(path).rows()
    return [{key: row[key] for key in row if key not in TIMES} for row in found]


@pytest.mark.parametrize("together", [False, True])
def test_each_seed_is_trained_as_if_alone(
    tiny: Recipe, tmp_path: Path, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In processes, and in threads of one process, as where they share a GPU."""
    if together:
        place = local_processes.Place({"OMP_NUM_THREADS": "1"}, at_once=3)
        monkeypatch.setattr(local_processes, "places_for", lambda job, workers: [place])
    tiny = override(tiny, ["schedule.epochs=1"])
    shown: list[tuple[str, int, int]] = []
    ended: list[int] = []
    runs = train_seeds(
        tiny,
        (3, 5, 9),
        out=tmp_path / "seeds",
        workers=2,
        progress=lambda *call: shown.append(call),
        on_run=lambda run: ended.append(run.seed),
    )
    assert sorted(ended) == [3, 5, 9]
    assert [run.seed for run in runs.runs] == [3, 5, 9]
    assert shown[-1][2] == 1000
    for seed in (3, 9):  # one of either process
        alone = train(tiny, out=tmp_path / f"{seed}", seed=seed, threads=1)
        beside = tmp_path / "seeds" / f"seed-{seed}"
        for name in ("generator.safetensors", "recipe.toml"):
            assert (beside / name).read_bytes() == (alone.path / name).read_bytes(), name
        assert rows(beside) == rows(alone.path)
    best = [
        min(row["e3_distance"] for row in run.run().rows() if "e3_distance" in row and row["step"])
        for run in runs.runs
    ]
    assert runs.scores == best
    assert runs.mean == pytest.approx(statistics.fmean(best))
    assert runs.sd == pytest.approx(statistics.stdev(best))
    document = json.loads((tmp_path / "seeds" / "summary.json").read_text())
    assert document["mean"] == runs.mean
    assert [run["best"]["distance"] for run in document["runs"]] == best
    assert "3 seeds" in runs._repr_html_()


@pytest.mark.skipif(os.name != "posix", reason="SIGINT is POSIX's")
def test_ctrl_c_saves_all_and_the_same_call_continues(tmp_path: Path) -> None:
    recipe = override(RECIPE, ["schedule.images=64000", "schedule.sample_interval=32000"])
    watches = [RunWatch(tmp_path / f"seed-{seed}") for seed in (0, 1)]

    def interrupt() -> None:
        while not all(watch.share() > 0.1 for watch in watches):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    ended: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        train_seeds(
            recipe, (0, 1, 2), out=tmp_path, workers=2, on_run=lambda run: ended.append(run.reason)
        )
    assert ended == ["interrupted", "interrupted"]
    for watch in watches:
        saved = RunFolder.open(watch.path).load_checkpoint("last")
        assert saved is not None
        assert saved[1]["step"] > 0
        assert watch.share() < 1
    assert not (tmp_path / "seed-2").exists()
    runs = train_seeds(recipe, (0, 1, 2), out=tmp_path, workers=1)
    assert [run.reason for run in runs.runs] == ["complete"] * 3
    alone = train(recipe, out=tmp_path / "alone", seed=1, threads=1)
    continued = tmp_path / "seed-1" / "generator.safetensors"
    assert continued.read_bytes() == alone.bundle_path.read_bytes()


def test_a_failed_seed_is_named_and_ends_no_other(tiny: Recipe, tmp_path: Path) -> None:
    small = override(tiny, ["schedule.epochs=1"])
    (tmp_path / "seed-1").mkdir()
    (tmp_path / "seed-1" / "notes.txt").write_text("mine")
    runs = train_seeds(small, (0, 1), out=tmp_path, workers=1)
    assert [run.reason for run in runs.runs] == ["complete", "failed"]
    assert "no run folder" in str(runs.runs[1].error)
    assert "of 1 seed of 2" in runs.summary()
    assert math.isnan(runs.sd)
    with pytest.raises(ArtifactError, match="no run folder"):
        train_seeds(small, (1,), out=tmp_path)


def test_what_cannot_be_is_refused_before_work_starts(tiny: Recipe, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`seeds` holds 1 twice"):
        train_seeds(tiny, (1, 1), out=tmp_path / "a")
    with pytest.raises(ConfigError, match="at least one seed"):
        train_seeds(tiny, (), out=tmp_path / "a")
    with pytest.raises(ConfigError, match="`seeds` -1"):
        train_seeds(tiny, (-1,), out=tmp_path / "a")
    with pytest.raises(ConfigError, match="several runs share the GPUs"):
        train_seeds(tiny, (1,), out=tmp_path / "a", device="cuda:1")
    with pytest.raises(ConfigError, match="`gpus` must be more than 0"):
        train_seeds(tiny, (1,), out=tmp_path / "a", gpus=0)
    with pytest.raises(DataError):
        train_seeds(tiny, (1,), out=tmp_path / "a", data="folder:nowhere")
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.toml").write_text(to_toml(tiny))
    with pytest.raises(ArtifactError, match="is the folder of one run"):
        train_seeds(tiny, (1,), out=run)
    assert not (tmp_path / "a" / "seed-1").exists()


def test_no_seed_with_a_score_has_no_mean(tiny: Recipe, tmp_path: Path) -> None:
    none = SeedRuns(tiny, tmp_path, ())
    assert math.isnan(none.mean)
    assert none.best is None
    assert none.summary() == "no seed has a score yet"


def test_the_command_shows_a_line_for_each_seed_and_a_table(tiny: Recipe, tmp_path: Path) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(to_toml(override(tiny, ["schedule.epochs=1"])))
    arguments = ("--seeds", "0,4", "--workers", "1", "--out", str(tmp_path / "out"))
    done = inkgan("train", str(path), *arguments)
    assert done.code == 0, done.stderr
    assert "seed 4: complete after" in done.stderr
    assert "best distance of 2 seeds" in done.stdout
    assert f"evaluate {tmp_path / 'out'}" in done.stdout
    refused = inkgan("train", str(path), "--seeds", "0", "--seed", "1")
    assert refused.code == 2
    assert "--seed 1 is for one run" in refused.stderr
    alone = inkgan("train", str(path), "--workers", "2")
    assert "--workers is for several runs: add --seeds 0-7" in alone.stderr


@pytest.mark.parametrize(
    ("field", "value", "name"),
    [
        ("loss", "own", "own"),
        ("augment", ["mirror"], "mirror"),
        ("penalties", {"custom": {"drift": 1.0}}, "drift"),
    ],
)
def test_what_is_registered_here_alone_cannot_travel(field: str, value: object, name: str) -> None:
    recipe = parse_recipe({"objective": {field: value}}, unregistered=True)
    with pytest.raises(ConfigError, match=f"{name} is registered in this process only"):
        check_travels(recipe)
