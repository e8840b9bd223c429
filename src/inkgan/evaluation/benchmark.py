"""The benchmark: recipes and seeds trained for the same time, and evaluated alike."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import parse_recipe
from inkgan.device import compute_settings, own_stream
from inkgan.errors import ConfigError
from inkgan.evaluation.benchmark_jobs import Run, entries_of_jobs, entry_to
from inkgan.evaluation.benchmark_plan import BenchmarkPlan, plan_benchmark
from inkgan.evaluation.benchmark_runs import Listener, evaluated, known_cost, trained_entry
from inkgan.evaluation.report.leaderboard import LeaderboardEntry
from inkgan.evaluation.report.leaderboard_page import Leaderboard
from inkgan.execution.executor import On, check_workers, choose_executor
from inkgan.generation.load import load
from inkgan.runs.training_job import check_travels, wait_for_lock
from inkgan.types import Progress, silent

REAL = "real training images"


def benchmark(
    recipes: Sequence[str] | None = None,
    *,
    seeds: Sequence[int] | None = None,
    minutes: float | None = None,
    whole: bool = False,
    quick: bool = False,
    also: Sequence[str | Path] = (),
    out: str | Path | None = None,
    reference: str = "mnist",
    data_dir: str | Path | None = None,
    on: On = "local",
    workers: int | None = None,
    address: str | None = None,
    progress: Progress = silent,
) -> Leaderboard:
    """Train and evaluate many recipes alike, and return their leaderboard.

    The same call again continues where it was stopped. A run that fails does not end the others.
    For one entry at a time, such as for one's own display, use `run_benchmark`.

    Args:
        recipes: names or .toml files; None takes all recipes for MNIST.
        seeds: of training; 0, 1 and 2 by default, with `quick` 0 alone.
        minutes: of training for each run; 4 by default, with `quick` 0.5.
        whole: train whole recipes, however long they take.
        quick: use the quick protocol and the shorter defaults.
        also: trained generators to evaluate beside them: run folders, bundles or names.
        out: folder of the run folders; "runs/benchmark" by default, with `quick`
            "runs/benchmark-quick".
        reference: the data set of real digits.
        data_dir: where to look for data first.
        on: processes of this machine (local), or a Ray cluster (ray).
        workers: the most runs at a time, a core each, or all on one GPU. By default one run after
            another, with all cores; on a cluster, as many as it has cores. With a core each,
            minutes are those of the core, so that a busy machine changes nothing but how long it
            takes.
        address: of the Ray cluster.
        progress: called with (what, done, total) during evaluations.

    Returns:
        The leaderboard: it shows itself in a notebook; `.save("benchmark.md")` writes a page.

    Raises:
        InkganError: a recipe, the data or a folder is impossible or missing.

    Examples:
        >>> board = inkgan.benchmark(["mlp", "dcgan"], quick=True)  # doctest: +SKIP
    """
    plan = plan_benchmark(
        recipes,
        seeds=seeds,
        minutes=minutes,
        whole=whole,
        quick=quick,
        also=also,
        out=out,
        reference=reference,
        data_dir=data_dir,
        on=on,
        workers=workers,
        address=address,
    )
    entries = tuple(run_benchmark(plan, progress))
    return Leaderboard(entries, plan.settings("inkgan.benchmark"))


def run_benchmark(
    plan: BenchmarkPlan, progress: Progress = silent, on_event: Listener | None = None
) -> Iterator[LeaderboardEntry]:
    """Evaluate real images and given generators, then train and evaluate every recipe.

    The first seed of all recipes comes first. Everything that may be missing is loaded before
    training begins.

    Args:
        plan: what to train and how to evaluate it.
        progress: called with (what, done, total) during evaluations.
        on_event: called with the events of the training runs.

    Yields:
        An entry after each evaluation.

    Raises:
        InkganError: a recipe, the data or a folder is impossible or missing.
    """
    recipes = _check_plan(plan)
    given = {source: load(source) for source in plan.also}
    document = evaluated(f"data:{plan.reference}", plan.out / "real", plan, progress)
    yield LeaderboardEntry(REAL, "real", document=document)
    for source, generator in given.items():
        folder = plan.out / ("given-" + re.sub(r"[^\w.-]+", "-", source).strip("-"))
        document = evaluated(source, folder, plan, progress)
        cost = known_cost(generator)
        yield LeaderboardEntry(f"{source}, as given", "given", document=document, cost=cost)
    if plan.side_by_side:
        rounds = [
            [
                Run(recipe, seed, plan.folder_of(recipe, seed))
                for seed in seeds
                for recipe in recipes
            ]
            for seeds in (plan.seeds[:1], plan.seeds[1:])
        ]
        executor = choose_executor(plan.on, plan.workers, plan.address)
        gpus = 1 / (plan.workers or 1) if executor.has_gpus() else 0.0
        yield from entries_of_jobs(rounds, _plain(plan), plan.minutes, executor, gpus, progress)
        return
    for seed in plan.seeds:
        for recipe in recipes:
            yield trained_entry(recipe, seed, plan, progress, on_event)


def run_in_job(recipe: dict[str, Any], seed: int, plan: dict[str, Any]) -> dict[str, Any]:
    """Train and evaluate one run, as a job does; return its entry as plain values."""
    paths = {
        "out": Path(plan["out"]),
        "data_dir": Path(plan["data_dir"]) if plan["data_dir"] else None,
    }
    lists = {key: tuple(plan[key]) for key in ("recipes", "seeds", "also")}
    whole = BenchmarkPlan(**{**plan, **lists, **paths})
    chosen = parse_recipe(recipe)
    wait_for_lock(whole.folder_of(chosen, seed))
    with compute_settings(tf32=True), own_stream():
        return entry_to(trained_entry(chosen, seed, whole, silent, None))


def _plain(plan: BenchmarkPlan) -> dict[str, Any]:
    """Return a plan as plain values, with paths that do not depend on the working folder."""
    folders = {"out": str(plan.out.resolve())}
    folders["data_dir"] = str(plan.data_dir.resolve()) if plan.data_dir else ""
    return {**asdict(plan), **folders}


def seconds_left(entries: Sequence[LeaderboardEntry], plan: BenchmarkPlan) -> float | None:
    """Estimate how long the missing runs take; None where whole recipes are trained."""
    if plan.minutes is None:
        return None
    evaluated = [entry.document["seconds"] for entry in entries if entry.document is not None]
    missing = plan.num_runs - sum(entry.role == "trained" for entry in entries)
    each = 60 * plan.minutes + (median(evaluated) if evaluated else 0.0)
    return float(missing * each / (plan.workers or 1))


def _check_plan(plan: BenchmarkPlan) -> list[Recipe]:
    if not plan.recipes or not plan.seeds:
        raise ConfigError("`recipes` and `seeds` must hold at least one recipe and one seed")
    recipes = [get_recipe(name) for name in plan.recipes]
    check_workers(plan.workers)
    for recipe in recipes if plan.side_by_side else ():
        check_travels(recipe)
    named = {
        "recipes": [recipe.name for recipe in recipes],
        "seeds": list(map(str, plan.seeds)),
        "also": list(plan.also),
    }
    for parameter, values in named.items():
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ConfigError(f"`{parameter}` holds {twice!r} twice; leave one out")
    return recipes
