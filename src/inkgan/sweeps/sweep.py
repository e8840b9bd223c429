"""inkgan.sweep: search a recipe's settings for the best checkpoint score."""

import platform
from collections.abc import Callable
from pathlib import Path

from inkgan.config.serialize import Overrides
from inkgan.config.training_overrides import load_recipe, override_for_training
from inkgan.errors import ArtifactError, ConfigError
from inkgan.execution.executor import Executor, On, choose_executor
from inkgan.folder_lock import locked
from inkgan.generation.load import RUNS
from inkgan.io.run_paths import RECIPE, require_utf8
from inkgan.optional_imports import import_extra
from inkgan.plural import counted
from inkgan.runs.api import RecipeSource
from inkgan.runs.training_job import JobOptions
from inkgan.sweeps.plan import SweepPlan, with_validation
from inkgan.sweeps.result import SweepResult
from inkgan.sweeps.search_space import Search, parse_search
from inkgan.sweeps.trial_record import TrialRecord
from inkgan.types import Progress, silent

TRIALS, MOST_TRIALS = 20, 100_000


def sweep(
    recipe: RecipeSource | None = None,
    search: Search = (),
    *,
    trials: int = TRIALS,
    out: str | Path | None = None,
    overrides: Overrides = (),
    data: str | None = None,
    data_dir: str | Path | None = None,
    epochs: int | None = None,
    images: int | None = None,
    minutes: float | None = None,
    device: str = "auto",
    threads: int = 1,
    gpus: float = 1.0,
    prune: bool = True,
    seed: int = 0,
    storage: str | None = None,
    study: str | None = None,
    on: On = "local",
    workers: int | None = None,
    address: str | None = None,
    progress: Progress = silent,
    on_trial: Callable[[TrialRecord], None] = lambda trial: None,
) -> SweepResult:
    """Search settings of a recipe for the best score; the same call again continues.

    Each trial trains the recipe with other values in a run folder of its own. Its score is the
    smallest distance of its checkpoints to validation images; test images are never read.

    Args:
        recipe: a name, a .toml file or a Recipe; dcgan by default.
        search: by dotted field, "log:1e-5..1e-2" (numbers evenly in their logarithm), "32..256"
            (numbers of the field's type), or a list such as "hinge,relativistic".
        trials: of the whole sweep, earlier calls and other machines included.
        out: gets the trials, the page and the best recipe; by default runs/NAME-sweep.
        overrides: values by dotted field, the same in all trials.
        data: name of a data set.
        data_dir: folder that holds a folder for each data set; it is searched first.
        epochs: how often each trial shows each training image.
        images: of each trial, if that is fewer.
        minutes: of training for each trial. None trains whole recipes.
        device: auto, cpu, cuda or mps.
        threads: of each trial, and so the cores that it has.
        gpus: the share of a GPU that each trial has, where there is one.
        prune: end trials that are worse than the median of the others.
        seed: of the search. The trials' own seed is that of the recipe.
        storage: postgresql://USER@HOST/DATABASE for many machines; None is a file in `out`.
        study: names the sweep in the database; by default the name of `out`.
        on: processes of this machine (local), or a Ray cluster (ray).
        workers: the most trials at a time; by default one for each core or GPU.
        address: of the Ray cluster.
        progress: called as `progress(what, done, total)`.
        on_trial: called with each trial of this process when it has ended.

    Returns:
        The trials and the best recipe; in a notebook it shows its page.

    Raises:
        InkganError: something is impossible; KeyboardInterrupt after Ctrl-C, when all is saved.

    Examples:
        >>> inkgan.sweep("dcgan", {"optim.lr": "log:1e-5..1e-2"}, trials=60, minutes=3)
    """
    _check(trials, storage)
    chosen = override_for_training(
        load_recipe(recipe), overrides, data=data, epochs=epochs, images=images
    )
    space = parse_search(search, chosen)
    place = None if data_dir is None else Path(data_dir)
    options = JobOptions(device, threads, gpus, place, minutes)
    executor = choose_executor(on, workers, address)
    folder = RUNS / f"{chosen.name}-sweep" if out is None else Path(out)
    chosen, count = with_validation(chosen, place, progress)
    plan = SweepPlan(chosen, space, options, seed, prune, count)
    place_of_trials = storage, study or folder.resolve().name
    return _run(plan, folder, trials, place_of_trials, executor, progress, on_trial)


def _check(trials: int, storage: str | None) -> None:
    import_extra("optuna", "sweep", "a sweep")
    from inkgan.sweeps.storage import check_storage

    check_storage(storage)
    if not 1 <= trials <= MOST_TRIALS:
        raise ConfigError(f"`trials` must be from 1 to {MOST_TRIALS:,}, not {trials}")


def _run(
    plan: SweepPlan,
    folder: Path,
    trials: int,
    place_of_trials: tuple[str | None, str],
    executor: Executor,
    progress: Progress,
    on_trial: Callable[[TrialRecord], None],
) -> SweepResult:
    """Work on a sweep until it is over; keep its page up to date."""
    from inkgan.sweeps.driver import SweepDriver
    from inkgan.sweeps.storage import JOURNAL, name_in, opened_storage, quiet_optuna
    from inkgan.sweeps.study import SweepStudy

    require_utf8(folder)
    if (folder / RECIPE).is_file():
        raise ArtifactError(f"`out` {folder} is the folder of one run; choose another folder")
    (storage, name), driver = place_of_trials, f"{platform.node()}:{folder.resolve()}"
    source = str(folder / JOURNAL) if storage is None else "the database of `storage`"
    what = f"{counted(trials, 'trial')} of {plan.recipe.name}"
    with (
        locked(folder, "sweeping in"),
        quiet_optuna(),
        opened_storage(storage, folder) as opened,
    ):
        study = SweepStudy(opened, name_in(opened, name), plan, driver, source)

        def result() -> SweepResult:
            found = SweepResult(plan, folder, tuple(study.records()), study.importances())
            found.save()
            return found

        def ended(number: int) -> None:
            on_trial(next(trial for trial in result().trials if trial.number == number))

        def look() -> None:
            progress(what, min(trials, study.num_ended()), trials)

        SweepDriver(plan, study, executor, folder, trials).run(ended, look)
        return result()
