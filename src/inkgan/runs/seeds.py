"""One recipe trained with several seeds side by side, and how much its score varies."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from inkgan.config import Recipe
from inkgan.config.serialize import Overrides, override
from inkgan.config.training_overrides import load_recipe, override_for_training
from inkgan.data.dataset import load_dataset
from inkgan.errors import ArtifactError, ConfigError, DataNotFoundError
from inkgan.execution.executor import Executor, On, choose_executor
from inkgan.execution.job import Outcome
from inkgan.files import write_json
from inkgan.folder_lock import locked
from inkgan.generation.load import RUNS
from inkgan.io.run_paths import RECIPE, require_utf8
from inkgan.plural import counted
from inkgan.runs.api import RecipeSource
from inkgan.runs.events import OnTrouble
from inkgan.runs.run_watch import RunWatch
from inkgan.runs.seed_runs import SUMMARY, SeedRun, SeedRuns
from inkgan.runs.training_job import JobOptions, training_job
from inkgan.types import Progress, silent

SHARES = 1000  # of the whole work, in which its progress is counted


def train_seeds(
    recipe: RecipeSource | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    *,
    out: str | Path | None = None,
    overrides: Overrides = (),
    data: str | None = None,
    data_dir: str | Path | None = None,
    fallback: str | None = None,
    epochs: int | None = None,
    images: int | None = None,
    minutes: float | None = None,
    sample_interval: int | None = None,
    evaluation_interval: int | None = None,
    device: str = "auto",
    threads: int = 1,
    gpus: float = 0.125,
    capture: bool = True,
    on_trouble: OnTrouble = "warn",
    logger: str | None = None,
    on: On = "local",
    workers: int | None = None,
    address: str | None = None,
    progress: Progress = silent,
    on_run: Callable[[SeedRun], None] = lambda run: None,
) -> SeedRuns:
    """Train a recipe with several seeds side by side; the same call again continues.

    The run of seed N is in the folder seed-N, with the weights that `train(seed=N, threads=1)`
    gives, wherever and beside whatever it is trained. One that fails does not end the others.

    Args:
        recipe: a name, a .toml file or a Recipe; dcgan by default.
        seeds: of weights, batches and latents.
        out: gets a run folder for each seed; by default runs/NAME-seeds.
        overrides: values by dotted field.
        data: name of a data set.
        data_dir: folder that holds a folder for each data set; it is searched first.
        fallback: name of a data set to use, with a warning, where the data cannot be found.
        epochs: how often each training image is shown.
        images: stop after so many images, if that is earlier.
        minutes: of training for each run, over all interruptions.
        sample_interval: images between two grids of samples, as `evaluation_interval`.
        device: auto, cpu, cuda or mps, with `capture`, `on_trouble` and `logger` as in `train`.
        threads: of each run, and so the cores that it has.
        gpus: the share of a GPU that each run has, where there is one; by default eight are
            trained at the same time on each.
        on: processes of this machine (local), or a Ray cluster (ray).
        workers: the most runs at a time; by default one for each core or GPU.
        address: of the Ray cluster.
        progress: called as `progress(what, done, total)`.
        on_run: called with each run when it has ended.

    Returns:
        The runs in the order of the seeds, and mean and spread of their best scores.

    Raises:
        InkganError: something is impossible, or every run failed; KeyboardInterrupt after Ctrl-C,
            when all runs have saved everything.

    Examples:
        >>> inkgan.train_seeds("dcgan", range(8), epochs=20).mean
    """
    chosen = override_for_training(
        load_recipe(recipe),
        overrides,
        data=data,
        epochs=epochs,
        images=images,
        sample_interval=sample_interval,
        evaluation_interval=evaluation_interval,
    )
    place = None if data_dir is None else Path(data_dir)
    options = JobOptions(device, threads, gpus, place, minutes, on_trouble, capture, logger)
    _check_seeds(seeds)
    executor = choose_executor(on, workers, address)
    folder = RUNS / f"{chosen.name}-seeds" if out is None else Path(out)
    require_utf8(folder)
    _check_folder(folder)
    chosen = _with_data(chosen, place, fallback, progress)
    with locked(folder, "training seeds in"):
        return _train(chosen, seeds, folder, options, executor, progress, on_run)


def _train(
    recipe: Recipe,
    seeds: Sequence[int],
    folder: Path,
    options: JobOptions,
    executor: Executor,
    progress: Progress,
    on_run: Callable[[SeedRun], None],
) -> SeedRuns:
    """Train every seed; write the summary, also where Ctrl-C ends the work."""
    gpus, watches, jobs = options.gpus_on(executor), {}, []
    for seed in seeds:
        path = folder / f"seed-{seed}"
        own = override(recipe, {"seed": seed}, f"`seeds` {seed}")
        jobs.append(training_job(path.name, own, path, options, gpus))
        watches[path.name] = RunWatch(path, options.minutes)
    found: dict[str, SeedRun] = {}
    what = f"training {counted(len(seeds), 'seed')}"

    def report() -> None:
        shares = [1.0 if name in found else watch.share() for name, watch in watches.items()]
        progress(what, round(SHARES * sum(shares) / len(shares)), SHARES)

    def ask_to_stop() -> None:
        for watch in watches.values():
            watch.ask_to_stop()

    try:
        for outcome in executor.run(jobs, folder, on_wait=report, on_stop=ask_to_stop):
            run = _seed_run(outcome, watches[outcome.job.id])
            found[outcome.job.id] = run
            on_run(run)
    finally:
        runs = tuple(found[name] for name in watches if name in found)
        result = SeedRuns(recipe, folder, runs)
        if runs:
            write_json(folder / SUMMARY, result.to_dict())
    if all(run.reason == "failed" for run in runs):
        raise runs[0].error or ArtifactError(f"no run of {folder} was trained")
    return result


def _with_data(
    recipe: Recipe, data_dir: Path | None, fallback: str | None, progress: Progress
) -> Recipe:
    """Download the data once, before many processes need it; return the recipe that finds it."""
    try:
        load_dataset(recipe.data, "train", data_dir, progress)
    except DataNotFoundError as error:
        if fallback is None:
            raise
        warnings.warn(f"{error}; training on {fallback} instead", stacklevel=3)
        other = override(recipe, {"data.name": fallback}, f"`fallback={fallback!r}`")
        return _with_data(other, data_dir, None, progress)
    return recipe


def _seed_run(outcome: Outcome, watch: RunWatch) -> SeedRun:
    scores, rows = watch.scores(), watch.rows()
    best = min(scores, key=lambda scored: scored.distance, default=None)
    seed = int(watch.path.name.removeprefix("seed-"))
    value = outcome.value or {
        "reason": "failed",
        "images": rows[-1]["images"] if rows else 0,
        "seconds": rows[-1]["seconds"] if rows else 0.0,
    }
    return SeedRun(seed, watch.path, **value, best=best, error=outcome.error)


def _check_seeds(seeds: Sequence[int]) -> None:
    if not seeds:
        raise ConfigError("`seeds` must hold at least one seed")
    twice = next((seed for seed in seeds if list(seeds).count(seed) > 1), None)
    if twice is not None:
        raise ConfigError(f"`seeds` holds {twice} twice; leave one out")


def _check_folder(folder: Path) -> None:
    if (folder / RECIPE).is_file():
        raise ArtifactError(f"`out` {folder} is the folder of one run; choose another folder")
