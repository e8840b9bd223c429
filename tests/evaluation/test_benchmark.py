"""The benchmark: rounds of seeds, tables and chart, and continuing after an interruption."""

import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import inkgan
import inkgan.evaluation.benchmark_runs
from inkgan import files, images
from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override, to_toml
from inkgan.errors import ArtifactError, ConfigError, DataError, TrainingStopped
from inkgan.evaluation.benchmark import run_benchmark, seconds_left
from inkgan.evaluation.benchmark_jobs import entry_from, entry_to
from inkgan.evaluation.benchmark_plan import BenchmarkPlan, mnist_recipes, plan_benchmark
from inkgan.evaluation.report.leaderboard import (
    LeaderboardEntry,
    TrainingCost,
    leaderboard_rows,
    metric_column,
    style_column,
    table_columns,
)
from inkgan.evaluation.report.leaderboard_chart import over_seeds, separate
from inkgan.evaluation.report.leaderboard_page import (
    TABLES,
    BenchmarkSettings,
    Leaderboard,
    check_page,
)
from inkgan.evaluation.report_document import Report
from inkgan.io.environment import describe_environment
from inkgan.io.run_dir import RunFolder
from inkgan.metrics.metric_registry import format_with_margin
from inkgan.runs.events import Event, Finished, Started
from tests.fixtures.references import as_npz, small_reference

BASELINES = {"fd_e1": (1.3, 0.07), "recall": (0.947, 0.002), "confident": (0.99, 0.001)}
SETTINGS = BenchmarkSettings("inkgan benchmark", 4.0, "quick", "mnist", num_runs=3)


def score(key: str, value: float, margin: float = 0.01) -> dict[str, Any]:
    mean, sd = BASELINES.get(key, (0.99, 0.002))
    ends = {"low": value - margin, "high": value + margin}
    baseline = {"mean": mean, "sd": sd, "draws": 20}
    return {"key": key, "value": value, **ends, "baseline": baseline, "interval_over": "images"}


def document(style: float | None = None, **values: float) -> dict[str, Any]:
    styles = {"slant": {"consistency": {"value": style, "low": 0.5, "high": 0.95}}}
    return {
        "scores": [score(key, value) for key, value in values.items()],
        "seconds": 10.0,
        "verdict": [f"At {values['fd_e1']:g}."],
        "style_consistency": None if style is None else {"styles": styles},
    }


def entry(name: str, seed: int, total: int = 5_000, **values: float) -> LeaderboardEntry:
    cost = TrainingCost((2_000, 1_000), 5_000 + seed, total, 240.0, 900.0)
    return LeaderboardEntry(name, "trained", seed, document(**values), cost=cost)


def markdown(entries: list[LeaderboardEntry]) -> str:
    return Leaderboard(tuple(entries), SETTINGS).to_markdown()


def cells(text: str, title: str) -> list[list[str]]:
    section = text.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# --- numbers ---


def test_three_seeds_have_a_t_interval_and_a_worst_one() -> None:
    values = [50.0, 60.0, 76.0]
    (row,) = leaderboard_rows([entry("a", seed, fd_e1=value) for seed, value in enumerate(values)])
    half = stats.t.ppf(0.975, 2) * np.std(values, ddof=1) / math.sqrt(3)
    assert row.cell(metric_column("fd_e1")) == f"62 ± {half:.0f} (76)"
    assert row.worst().seed == 2


def test_one_seed_has_the_interval_of_its_images_and_two_have_none() -> None:
    one = entry("a", 0, fd_e1=50, recall=0.9)
    assert leaderboard_rows([one])[0].cell(metric_column("recall")) == "90.0 ± 1.0"
    two = [one, entry("a", 1, fd_e1=60, recall=0.7)]
    assert leaderboard_rows(two)[0].cell(metric_column("recall")) == "80 (70)"


def test_the_worst_is_the_farthest_from_real_where_that_is_best() -> None:
    entries = [entry("a", seed, fd_e1=1, confident=value) for seed, value in enumerate((1.0, 0.9))]
    assert leaderboard_rows(entries)[0].cell(metric_column("confident")).endswith("(90)")
    styles = [entry("a", seed, fd_e1=1, style=value) for seed, value in enumerate((0.6, 0.9))]
    assert leaderboard_rows(styles)[0].cell(style_column("slant")) == "0.75 (0.6)"


def test_a_failed_seed_is_the_worst_and_hides_nowhere() -> None:
    failed = LeaderboardEntry("a", "trained", 1, failure="The losses are not finite.")
    (row,) = leaderboard_rows([entry("a", 0, fd_e1=50), failed])
    assert row.cell(metric_column("fd_e1")) == "50 (failed)"
    text = markdown([entry("a", 0, fd_e1=50), failed])
    assert cells(text, "Closeness to real digits")[2][2] == "1 of 2"
    assert "- **a, seed 1**: The losses are not finite." in text


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_a_number_is_no_finer_than_its_margin(value: float, margin: float) -> None:
    number, half = (
        float(part.replace(",", "")) for part in format_with_margin(value, margin).split(" ± ")
    )
    step = max(10.0 ** math.floor(math.log10(margin)), 1e-4)
    assert abs(half - margin) <= min(step, 1) / 2 + 1e-9
    assert abs(number - value) <= min(step, 1) / 2 + 1e-6


def test_margins_have_two_digits_below_three_and_a_half() -> None:
    """The examples of the Particle Data Group: 0.827 ± 0.119 and ± 0.367."""
    assert format_with_margin(0.827, 0.119) == "0.83 ± 0.12"
    assert format_with_margin(0.827, 0.367) == "0.8 ± 0.4"


def test_a_number_without_margin_stands_alone() -> None:
    assert format_with_margin(12345.6, 0.0) == "12,346"
    assert format_with_margin(0.12345, math.nan) == "0.1235"


# --- the page ---


def test_rows_are_sorted_above_real_images_and_the_baseline() -> None:
    entries = [
        LeaderboardEntry("real", "real", document=document(fd_e1=1.4, label_accuracy=0.999)),
        entry("far", 0, fd_e1=90),
        entry("near", 0, fd_e1=20, label_accuracy=0.97, style=0.9),
        LeaderboardEntry("bundle, as given", "given", document=document(fd_e1=30)),
    ]
    text = markdown(entries)
    table = cells(text, "Closeness to real digits")
    assert [row[:2] for row in table[2:]] == [
        ["1", "near"],
        ["2", "bundle, as given"],
        ["3", "far"],
        ["", "real"],
        ["", "real baseline"],
    ]
    assert table[-1][3:] == ["0.00 ± 0.07", "1.30 ± 0.07"]
    assert {len(row) for row in table} == {5}
    labelled = cells(text, "Labels and style consistency")
    assert [row[1] for row in labelled[2:-1]] == ["near", "real"]
    assert [row[-1] for row in labelled[2:]] == ["0.9 ± 0.4", "-", "-"]
    assert "1 of 3 runs is missing" in text
    assert "does not cover another" in text
    assert "t-interval" not in text
    assert cells(text, "Training cost")[2] == [
        "near",
        "2,000 / 1,000",
        "900",
        "4.0",
        "5,000",
        "100 %",
    ]


def test_a_recipe_that_was_stopped_has_no_place() -> None:
    """The best of all may be overtaken by one that still trains."""
    entries = [
        entry("b-short", 0, total=50_000, fd_e1=2),
        entry("whole", 0, fd_e1=20),
        entry("a-short", 0, total=50_000, fd_e1=90),
        LeaderboardEntry("real", "real", document=document(fd_e1=1.4)),
    ]
    text = markdown(entries)
    places = [row[:2] for row in cells(text, "Closeness to real digits")[2:5]]
    assert places == [["1", "whole"], ["", "a-short"], ["", "b-short"]]
    assert "more training may change their order" in " ".join(text.split())
    complete = markdown([e for e in entries if not e.name.endswith("short")])
    assert "without a place" not in complete


def test_times_of_two_machines_are_not_in_one_chart() -> None:
    curve = ((10.0, 50.0), (20.0, 40.0))
    entries = [
        replace(entry("a", 0, fd_e1=9), machine="cpu of abacus", curve=curve),
        replace(entry("a", 1, fd_e1=9), machine="cpu of abacus", curve=curve),
        replace(entry("b", 0, fd_e1=8), machine="cuda:0 of loom", curve=curve),
    ]
    board = Leaderboard(tuple(entries), SETTINGS)
    assert "so not in the chart: b." in board.to_markdown("chart.png")
    costs = board.cost_table()
    assert {line[0]: line[-1] for line in costs.lines} == {
        "a": "cpu of abacus",
        "b": "cuda:0 of loom",
    }
    assert "do not compare" in costs.intro
    alone = Leaderboard(tuple(entries[:2]), SETTINGS)
    assert alone.cost_table().heading[-1] == "of its own length"


@pytest.mark.parametrize(
    ("seeds", "words"), [(3, "t-interval"), (2, "without an interval"), (1, "single")]
)
def test_the_page_says_what_its_intervals_cover(seeds: int, words: str) -> None:
    text = " ".join(markdown([entry("a", seed, fd_e1=50) for seed in range(seeds)]).split())
    assert sum(said in text for said in ("t-interval", "without an interval", "single run")) == 1
    assert words in text


def test_columns_come_from_the_records_of_the_metrics() -> None:
    headings = [column.heading for table, _, _ in TABLES for column in table_columns(table)]
    assert len(set(headings)) == len(headings)
    assert "Recall, % ↑" in headings


HOSTILE = '<script>alert("1")</script>|`[a](b)&\x1b\n# Title'


def test_hostile_names_are_escaped_on_the_page_and_in_a_notebook() -> None:
    failed = LeaderboardEntry(HOSTILE, "trained", 1, failure=HOSTILE, machine=HOSTILE)
    settings = replace(SETTINGS, command=f"inkgan {HOSTILE}", reference=HOSTILE)
    board = Leaderboard((entry(HOSTILE, 0, fd_e1=50), failed), settings)
    text = re.sub(r"``.*?``", "", board.to_markdown(), count=1)  # Markdown escapes code itself
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "[a](b)" not in text
    assert "\n# Title" not in text
    assert {len(row) for row in cells(text.replace("\\|", "/"), "Closeness to real digits")} == {5}
    shown = board._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_leaderboard_is_shown_in_a_notebook_and_as_plain_values() -> None:
    board = Leaderboard((entry("a", 0, fd_e1=50),), SETTINGS)
    shown = board._repr_html_()
    assert "Closeness to real digits" in shown
    assert "At 50." in shown
    values = json.loads(json.dumps(board.to_dict()))
    assert values["settings"]["minutes"] == 4.0
    assert values["entries"][0]["cost"]["seconds"] == 240.0


def test_page_and_plot_are_written_over_their_own_kind_only(tmp_path: Path) -> None:
    path, picture = tmp_path / "bench.md", tmp_path / "bench.png"
    ran = replace(entry("a", 0, fd_e1=50), curve=[(5.0, 90.0), (10.0, 40.0)])
    check_page(path)
    Leaderboard((ran,), SETTINGS).save(path)
    assert "](bench.png)" in path.read_text(encoding="utf-8")
    assert images.read_picture(picture).std() > 1
    check_page(path)
    Leaderboard((replace(ran, curve=[]),), SETTINGS).save(path)
    assert "bench.png" not in path.read_text(encoding="utf-8")
    assert "Not in the chart: a. A line takes two" in path.read_text(encoding="utf-8")
    Leaderboard((ran, replace(entry("b", 0, fd_e1=60), curve=[(5.0, 9.0)])), SETTINGS).save(path)
    assert "Not in the chart: b. A line takes two" in path.read_text(encoding="utf-8")
    path.write_text("# Mine\n")
    with pytest.raises(ArtifactError, match=r"bench\.md is not from a benchmark; name"):
        check_page(path)
    with pytest.raises(ConfigError, match=r"the ending \.md"):
        check_page(picture)


# --- the plot ---


def test_seeds_are_joined_where_all_of_them_reach() -> None:
    """Powers of time are straight on logarithmic axes, so that reading between points is exact."""
    runs = [
        [(t, c / t) for t in times]
        for c, times in ((100, (1.0, 4, 16, 64)), (300, (2.0, 32)), (200, (1.0, 100)))
    ]
    joined = over_seeds(runs)
    assert joined is not None
    times, low, middle, high = joined
    assert times == pytest.approx([2, 4, 16, 32])
    assert low == pytest.approx(100 / times)
    assert middle == pytest.approx(200 / times)
    assert high == pytest.approx(300 / times)


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert over_seeds([[(1.0, 5.0)], []]) is None
    assert over_seeds([[(1.0, 5.0), (2.0, math.nan)]]) is None
    assert over_seeds([[(1.0, 5.0), (2.0, 4.0)], [(3.0, 5.0), (4.0, 4.0)]]) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_names_stand_apart_in_their_order(places: list[float]) -> None:
    gap = min(0.05, 1 / max(len(places) - 1, 1))
    moved = separate(places, 0.05)
    order = np.argsort(places, kind="stable")
    assert (np.diff(moved[order]) >= gap - 1e-9).all()
    assert moved.min() >= -1e-9
    assert moved.max() <= 1 + 1e-9


def test_names_that_stand_apart_stay() -> None:
    assert separate([0.9, 0.1, 0.5], 0.1) == pytest.approx([0.9, 0.1, 0.5])
    assert separate([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])


# --- the runs ---


@pytest.fixture
def small(tmp_path: Path) -> Path:
    recipe = override(
        get_recipe("mlp"),
        ["data.name=uci-digits", "schedule.images=640", "schedule.batch_size=32", "name=small"],
    )
    path = tmp_path / "small.toml"
    path.write_text(to_toml(recipe))
    return path


class Stub:
    """Replaces training, at 320 images a second, and evaluation; notes how they are called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trained: list[tuple[str, float | None, int | None]] = []
        self.evaluated: list[str] = []
        self.seconds, self.stopped, self.not_evaluated = 10.0, "", ""
        monkeypatch.setattr(inkgan.evaluation.benchmark_runs, "train", self.train)
        monkeypatch.setattr(inkgan.evaluation.benchmark_runs, "evaluate", self.evaluate)

    def train(
        self,
        recipe: Recipe,
        *,
        out: Path,
        minutes: float | None,
        on_event: Callable[[Event], None],
        **_: Any,
    ) -> None:
        self.trained.append((out.name, minutes, recipe.schedule.evaluation_interval))
        out.mkdir(parents=True, exist_ok=True)
        run = RunFolder.create_or_open(out, recipe)
        environment = describe_environment(torch.device("cpu"), "0" * 64)
        environment |= {"device": "cpu", "processor": "abacus", "torch": "2"}
        files.write_json(run.environment_path, environment)
        counters: dict[str, Any] = {"step": 100, "lr_scale": 1.0, "rollbacks": 0, "seconds": 10.0}
        counters |= {"streaks": {}, "best_score": None, "metrics": 0}
        run.save_checkpoint("last", {"none": torch.zeros(1)}, counters)
        run.append({"step": 100, "images": 3200, "seconds": self.seconds, "e3_distance": 7.0})
        on_event(Started(run, 0, 6400, "digits", (20, 10), "cpu", None))
        if out.name == self.stopped:
            raise TrainingStopped("The losses are not finite.")
        on_event(Finished(run, "time is up", 3200, self.seconds))

    def evaluate(self, source: str | Path, *, out: Path, **_: Any) -> Report:
        self.evaluated.append(Path(source).name)
        if self.evaluated[-1] == self.not_evaluated:
            raise DataError("every pixel of all 10,000 images is 0")
        return Report(document(fd_e1=50), out / "report.html", out / "report.json")


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    return Stub(monkeypatch)


def test_a_real_benchmark_and_the_same_again(
    tmp_path: Path, small: Path, keeps_baselines: None
) -> None:
    reference = f"npz:{as_npz(tmp_path / 'reference.npz', small_reference())}"
    plan = BenchmarkPlan((str(small),), (1,), None, "quick", tmp_path / "runs", reference)
    real, ran = run_benchmark(plan)
    assert (real.role, ran.role, ran.seed) == ("real", "trained", 1)
    text = Leaderboard((real, ran), plan.settings("inkgan benchmark")).to_markdown()
    assert cells(text, "Training cost")[2][4:] == ["640", "100 %"]
    again = replace(plan, also=(str(tmp_path / "runs" / "small-1"),))
    real_again, given_run, ran_again = run_benchmark(again)
    assert (real_again, ran_again) == (real, ran)
    assert given_run.document is not None
    assert ran.document is not None
    assert given_run.document["scores"] == ran.document["scores"]
    assert given_run.cost is not None
    assert ran.cost is not None
    assert given_run.cost.parameters == ran.cost.parameters
    assert given_run.cost.images == ran.cost.images
    beside = list(run_benchmark(replace(plan, out=tmp_path / "beside", workers=2)))
    assert [entry.role for entry in beside] == ["real", "trained"]
    assert beside[1].document is not None
    assert beside[1].document["scores"] == ran.document["scores"]
    assert beside[1].cost is not None
    assert beside[1].cost.images == ran.cost.images
    bundles = [tmp_path / out / "small-1" / "generator.safetensors" for out in ("runs", "beside")]
    assert bundles[0].read_bytes() == bundles[1].read_bytes()


@given(st.floats(0, 1e6), st.integers(0, 10**6), st.sampled_from(["", "It collapsed."]))
def test_an_entry_comes_back_from_another_process_as_it_was(
    value: float, seed: int, failure: str
) -> None:
    curve = [(1.0, value), (2.0, value)]
    one = replace(entry("a", seed, fd_e1=value), curve=curve, failure=failure)
    assert entry_from(json.loads(json.dumps(entry_to(one)))) == one


def test_the_first_seed_of_all_recipes_comes_first(tmp_path: Path, stub: Stub) -> None:
    list(run_benchmark(BenchmarkPlan(("mlp", "cgan"), (3, 5), None, "quick", tmp_path / "runs")))
    assert stub.evaluated == ["data:mnist", "mlp-3", "cgan-3", "mlp-5", "cgan-5"]
    assert [minutes for _, minutes, _ in stub.trained] == [None] * 4


def test_a_budget_spreads_evaluations_alike_over_all_seeds(
    tmp_path: Path, small: Path, stub: Stub
) -> None:
    """The speed of a first leg: 320 images/s, so that a twelfth of four minutes is 6,400 images."""
    plan = BenchmarkPlan((str(small),), (0, 1), 4.0, "quick", tmp_path / "runs")
    _, ran, _ = run_benchmark(plan)
    assert stub.trained == [
        ("small-0", pytest.approx(0.2), None),
        ("small-0", 4.0, 6400),
        ("small-1", 4.0, 6400),
    ]
    assert ran.cost == TrainingCost((20, 10), 3200, 6400, 10.0, None)
    assert ran.curve[-1] == (10.0, 7.0)
    assert seconds_left([ran], plan) == pytest.approx(240 + 10)
    stub.trained.clear()
    list(run_benchmark(plan))
    assert stub.trained == [("small-0", 4.0, 6400), ("small-1", 4.0, 6400)]
    stub.trained.clear()
    list(run_benchmark(replace(plan, minutes=0.5)))
    assert [every for _, _, every in stub.trained] == [1900, 1900]  # 6 s at least between two


def test_a_complete_run_of_another_machine_is_evaluated_as_it_is(
    tmp_path: Path, small: Path, stub: Stub
) -> None:
    elsewhere = inkgan.train(small, out=tmp_path / "runs" / "small-0", seed=0)
    shutil.rmtree(elsewhere.path / "checkpoints")
    plan = BenchmarkPlan((str(small),), (0,), 4.0, "quick", tmp_path / "runs")
    _, ran = run_benchmark(plan)
    assert stub.trained == []
    assert ran.cost is not None
    assert ran.cost.images == ran.cost.total_images == 640
    assert ran.cost.seconds == elsewhere.metrics[-1]["seconds"]
    longer = small.with_name("longer.toml")
    longer.write_text(small.read_text().replace("images = 640", "images = 6400"))
    list(run_benchmark(replace(plan, recipes=(str(longer),))))
    assert [name for name, _, _ in stub.trained] == ["small-0"]
    another = small.with_name("another.toml")
    another.write_text(small.read_text().replace("batch_size = 32", "batch_size = 64"))
    with pytest.raises(ArtifactError, match=r"another recipe: `schedule\.batch_size` = 32"):
        list(run_benchmark(replace(plan, recipes=(str(another),))))


def test_a_benchmark_of_seconds_does_not_take_0_minutes() -> None:
    short = replace(entry("mlp", 0, fd_e1=9), cost=TrainingCost((2, 1), 64, 400_000, 2.5, 90.0))
    text = " ".join(markdown([short]).split())
    assert "1 run of at most 4 minutes of training, 2.5 seconds in all" in text
    assert "| below 0.1 % |" in text
    assert "240" not in text


def test_beside_each_other_runs_get_minutes_of_a_core(tmp_path: Path) -> None:
    plan = BenchmarkPlan(("mlp",), (0,), 4.0, "quick", tmp_path)
    assert plan.clock == "wall"
    assert replace(plan, workers=2).clock == "processor"
    settings = replace(plan, workers=2).settings("inkgan benchmark")
    text = Leaderboard((entry("mlp", 0, fd_e1=9),), settings).to_markdown()
    assert "at most 4 minutes of one core" in " ".join(text.split())


def test_a_run_that_breaks_down_does_not_end_the_others(tmp_path: Path, stub: Stub) -> None:
    stub.stopped, stub.not_evaluated = "mlp-0", "mlp-1"
    _, *trained = run_benchmark(
        BenchmarkPlan(("mlp",), (0, 1, 2), None, "quick", tmp_path / "runs")
    )
    assert [ran.failure for ran in trained] == [
        "The losses are not finite.",
        "The images cannot be evaluated: every pixel of all 10,000 images is 0",
        "",
    ]
    assert [ran.cost is None for ran in trained] == [True, False, False]


def test_impossible_plans_are_refused_before_anything_is_evaluated(tmp_path: Path) -> None:
    plan = BenchmarkPlan(("mlp",), (0,), None, "quick", tmp_path / "runs")
    for changes, words in (
        ({"recipes": ()}, "one recipe and one seed"),
        ({"seeds": (1, 1)}, "`seeds` holds '1' twice"),
        ({"recipes": ("mlp", "mlp")}, "`recipes` holds 'mlp' twice"),
        ({"recipes": ("mpl",)}, "did you mean 'mlp'"),
        ({"also": ("nowhere",)}, "no run or bundle"),
    ):
        with pytest.raises((ConfigError, ArtifactError), match=words):
            list(run_benchmark(replace(plan, **changes)))
    assert not plan.out.exists()


def test_the_plan_has_the_defaults_of_the_command() -> None:
    plan = plan_benchmark()
    assert plan.recipes == mnist_recipes()
    assert (plan.seeds, plan.minutes, plan.protocol) == ((0, 1, 2), 4.0, "full")
    assert plan.out == Path("runs/benchmark")
    quick = plan_benchmark(["mlp"], quick=True)
    assert (quick.seeds, quick.minutes, quick.protocol) == ((0,), 0.5, "quick")
    assert quick.out == Path("runs/benchmark-quick")
    assert plan_benchmark(whole=True).minutes is None
    for arguments, words in (
        ({"whole": True, "minutes": 2.0}, "`whole` trains without a limit, `minutes=2`"),
        ({"minutes": 0.0}, "`minutes` must be more than 0, not 0"),
    ):
        with pytest.raises(ConfigError, match=words):
            plan_benchmark(**arguments)  # type: ignore[arg-type]


def test_the_function_returns_the_leaderboard(tmp_path: Path, stub: Stub) -> None:
    board = inkgan.benchmark(["mlp"], seeds=[0], whole=True, quick=True, out=tmp_path / "runs")
    assert [entry.role for entry in board.entries] == ["real", "trained"]
    assert board.settings.num_runs == 1
    assert board.save(tmp_path / "page.md").read_text(encoding="utf-8").startswith("# Benchmark")


def test_all_recipes_for_mnist_and_no_other() -> None:
    names = mnist_recipes()
    assert {"mlp", "wgan-gp", "flagship"} <= set(names)
    assert not {"cifar10", "kmnist", "fashion-mnist", "stacked-mnist"} & set(names)
