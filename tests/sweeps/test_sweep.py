"""A sweep: its trials, pruning, what is killed, what is continued, and its page."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from inkgan.config.serialize import override, read_recipe, to_toml
from inkgan.errors import ArtifactError, ConfigError, TrainingStopped
from inkgan.sweeps.charts import Scale, history_chart, parallel_chart
from inkgan.sweeps.plan import interval_for
from inkgan.sweeps.search_space import Dimension
from inkgan.sweeps.storage import check_storage
from inkgan.sweeps.sweep import sweep
from inkgan.sweeps.trial_record import TrialRecord
from tests.fixtures.command_line import inkgan
from tests.fixtures.run_folders import RECIPE
from tests.fixtures.sweeps import ManyTrials

SEARCH = {"optim.lr": "log:1e-4..1e-2", "objective.loss": ["hinge", "non-saturating"]}
SMALL = override(RECIPE, ["schedule.images=1280", "schedule.sample_interval=1280"])


def test_trials_are_trained_and_the_best_recipe_trains(tmp_path: Path) -> None:
    out = tmp_path / "sweep"
    found = sweep(SMALL, SEARCH, trials=2, out=out, workers=1)
    assert [trial.state for trial in found.trials] == ["complete"] * 2
    assert len({trial.values["optim.lr"] for trial in found.trials}) == 2
    distances = [trial.distance for trial in found.trials]
    assert found.best is not None
    assert found.best.distance == min(d for d in distances if d is not None)
    for trial in found.trials:
        assert trial.path is not None
        recipe = read_recipe(trial.path / "recipe.toml")
        assert recipe.optim.lr == pytest.approx(trial.values["optim.lr"], rel=1e-3)
        assert recipe.data.holdout == 5000
    best = read_recipe(out / "best.toml")
    assert best == found.best_recipe
    page = (out / "sweep.html").read_text(encoding="utf-8")
    command = re.search(r"<pre>inkgan (train .*best\.toml)\n", page)
    assert command is not None
    done = inkgan(*command[1].split(), "--out", tmp_path / "again", "--threads", "1")
    assert done.code == 0, done.stderr
    row = (found.best.path or out) / "generator.safetensors"
    trained = tmp_path / "again" / "generator.safetensors"
    assert trained.stat().st_size == pytest.approx(row.stat().st_size, rel=0.1)


def test_the_same_call_again_does_nothing_and_more_trials_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ManyTrials(monkeypatch)
    first = sweep(SMALL, SEARCH, trials=1, out=tmp_path)
    again = sweep(SMALL, SEARCH, trials=1, out=tmp_path)
    assert again.trials == first.trials
    more = sweep(SMALL, SEARCH, trials=2, out=tmp_path)
    assert more.trials[0] == first.trials[0]
    assert len(more.trials) == 2
    with pytest.raises(ArtifactError, match="exists with another search; repeat its command"):
        sweep(SMALL, {"optim.lr": "log:1e-4..1e-3"}, trials=2, out=tmp_path)


def test_a_budget_of_minutes_measures_the_speed_first(tmp_path: Path) -> None:
    """Two evaluations of a trial are then three seconds apart or more."""
    found = sweep(RECIPE, SEARCH, trials=1, out=tmp_path, minutes=0.1, workers=1)
    (trial,) = found.trials
    assert trial.path is not None
    interval = read_recipe(trial.path / "recipe.toml").schedule.evaluation_interval
    assert interval is not None
    assert interval > 1000
    assert not (tmp_path / "speed").exists()
    assert trial.scores.keys() == set(range(1, 11))


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_sweep_that_is_stopped_and_killed_loses_and_doubles_no_trial(tmp_path: Path) -> None:
    path, out = tmp_path / "r.toml", tmp_path / "out"
    changes = ["schedule.images=96000", "schedule.sample_interval=9600"]
    path.write_text(to_toml(override(RECIPE, changes)))
    arguments = ["sweep", str(path), "--search", "optim.lr=log:1e-4..1e-2", "--trials", "3"]
    arguments += ["--json", "--out", str(out)]
    rows = [out / f"trial-000{n}" / "metrics.jsonl" for n in (0, 1)]
    stopped = start_until(arguments, rows)
    stopped.send_signal(signal.SIGINT)
    _, errors = stopped.communicate(timeout=60)
    assert stopped.returncode == 130
    assert "everything is saved. Continue with:" in errors
    killed = start_until(arguments, rows)
    workers = psutil.Process(killed.pid).children()
    killed.kill()
    killed.communicate()
    psutil.wait_procs(workers, timeout=30)
    folders = [row.parent / "checkpoints" for row in rows]
    before = [folder.stat().st_ino for folder in folders]
    document = json.loads(inkgan(*arguments, "--workers", "1").stdout)
    assert [trial["state"] for trial in document["trials"]] == ["complete"] * 3
    assert [trial["number"] for trial in document["trials"]] == [0, 1, 2]
    assert [folder.stat().st_ino for folder in folders] == before  # continued, not redone


def start_until(arguments: list[str], rows: list[Path]) -> "subprocess.Popen[str]":
    """Start a sweep of two trials at a time; wait until each has written more rows."""
    sizes = [row.stat().st_size if row.exists() else 0 for row in rows]
    process = subprocess.Popen(
        [sys.executable, "-m", "inkgan", *arguments, "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not all(
        row.exists() and row.stat().st_size > size for row, size in zip(rows, sizes, strict=True)
    ):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
    return process


# --- many trials, without training ---


def test_hopeless_trials_end_early_and_the_sampler_learns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = ManyTrials(monkeypatch)
    found = sweep(SMALL, {"optim.lr": "log:1e-5..1"}, trials=40, out=tmp_path)
    states = [trial.state for trial in found.trials]
    assert len(states) == 40
    assert set(states) == {"complete", "pruned"}
    early = [trial for trial in found.trials if trial.state == "pruned"]
    assert all("worse than the median after" in trial.reason for trial in early)
    assert all(0 < len(trial.scores) < 10 for trial in early)
    assert found.best is not None
    assert found.best.values["optim.lr"] == pytest.approx(many.optimum, rel=1)
    assert found.importances == {"optim.lr": pytest.approx(1.0)}
    without = sweep(SMALL, {"optim.lr": "log:1e-5..1"}, trials=9, out=tmp_path / "b", prune=False)
    assert [trial.state for trial in without.trials] == ["complete"] * 9
    # the first trials are random: the same in each sweep with this seed
    assert [t.values for t in without.trials] == [t.values for t in found.trials[:9]]


def test_a_search_in_parts_is_the_same_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ManyTrials(monkeypatch)
    search = {"optim.lr": "log:1e-5..1", "optim.beta1": "0..0.9"}
    whole = sweep(SMALL, search, trials=16, out=tmp_path / "whole")
    for trials in (5, 12, 16):
        parts = sweep(SMALL, search, trials=trials, out=tmp_path / "parts")
    assert [t.values for t in parts.trials] == [t.values for t in whole.trials]


def test_broken_impossible_and_lost_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = ManyTrials(monkeypatch)
    many.errors = {0: TrainingStopped("collapsed"), 2: ConfigError("layers do not fit")}
    many.errors[3] = ArtifactError("the process ended 3 times")
    found = sweep(SMALL, {"optim.lr": "log:1e-5..1"}, trials=4, out=tmp_path)
    states = {trial.number: (trial.state, trial.reason) for trial in found.trials}
    assert states[0] == ("pruned", "collapsed")
    assert states[2] == ("pruned", "layers do not fit")
    assert states[3] == ("failed", "the process ended 3 times")
    assert [trial.state for trial in found.trials].count("complete") == 3
    many.errors = dict.fromkeys(range(100), ArtifactError("lost"))
    with pytest.raises(ArtifactError, match="lost"):
        sweep(SMALL, {"optim.lr": "log:1e-5..1"}, trials=40, out=tmp_path)


def test_what_cannot_be_is_refused_before_work_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SQLite locks the whole file"):
        sweep(SMALL, SEARCH, out=tmp_path / "a", storage="sqlite:///x.db")
    with pytest.raises(ConfigError, match="`storage` mysql: is unknown"):
        sweep(SMALL, SEARCH, out=tmp_path / "a", storage="mysql://secret@host/x")
    with pytest.raises(ConfigError, match="`trials` must be from 1"):
        sweep(SMALL, SEARCH, out=tmp_path / "a", trials=0)
    with pytest.raises(ConfigError, match="`minutes` must be more than 0"):
        sweep(SMALL, SEARCH, out=tmp_path / "a", minutes=0)
    with pytest.raises(ConfigError, match="did you mean 'beta"):
        sweep(SMALL, ["optim.beta=0..0.9"], out=tmp_path / "a")
    assert not (tmp_path / "a").exists()
    check_storage("postgresql://user@host/sweeps")
    check_storage(None)


# --- the page ---


def records(count: int) -> list[TrialRecord]:
    return [
        TrialRecord(
            number,
            "complete" if number % 3 else "pruned",
            {"optim.lr": 10 ** (-5 + 3 * number / count), "objective.loss": "hinge"},
            5.0 + (number - 4) ** 2,
        )
        for number in range(count)
    ]


DIMENSIONS = (
    Dimension("optim.lr", "float", 1e-5, 1e-2, log=True),
    Dimension("objective.loss", "list", choices=("hinge", "relativistic")),
)


def test_lines_go_through_the_values_of_their_trials() -> None:
    ranked = sorted(records(9), key=lambda trial: trial.sort_key)
    chart = parallel_chart(DIMENSIONS, ranked)
    assert chart is not None
    assert [axis.name for axis in chart.axes] == ["lr", "loss", "distance"]
    assert chart.lines[-1].kind == "best"
    heights = [float(point.split(",")[1]) for point in chart.lines[-1].points.split()]
    span = chart.bottom - chart.top
    share = 3 * ranked[0].number / 9 / 3  # the share of the logarithmic axis
    assert heights[0] == pytest.approx(chart.bottom - share * span, abs=0.1)
    assert heights[1] == pytest.approx(chart.bottom - 0.25 * span, abs=0.1)
    assert heights[2] == pytest.approx(chart.bottom, abs=0.1)  # the least distance
    assert parallel_chart(DIMENSIONS, []) is None
    assert history_chart([]) is None


def test_the_best_line_of_the_history_never_rises() -> None:
    history = history_chart(records(12))
    assert history is not None
    heights = [float(point.split(",")[1]) for point in history.best.split()]
    assert heights == sorted(heights)  # y grows downwards
    assert len(history.points) == 12


@pytest.mark.parametrize("log", [True, False])
def test_scales_have_few_ticks_inside(log: bool) -> None:
    scale = Scale(1e-7, 1.0, log)
    ticks = scale.ticks()
    assert len(ticks) <= 9
    assert [scale(ticks[0]), scale(ticks[-1])] == [0, 1]
    assert Scale(3.0, 3.0, log)(3.0) == 0.5


def test_intervals_have_one_digit() -> None:
    assert [interval_for(images) for images in (3, 128_000, 60_000, 1234)] == [1, 10000, 6000, 100]


def test_hostile_names_are_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ManyTrials(monkeypatch)
    recipe = override(SMALL, {"name": "<script>alert(1)", "notes": "<img src=x>"})
    found = sweep(recipe, {"optim.lr": "log:1e-5..1"}, trials=1, out=tmp_path)
    page = found.to_html()
    assert "<script" not in page
    assert "<img" not in page
    assert "<script" not in found._repr_html_()
