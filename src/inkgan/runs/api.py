"""Train from Python: `train` returns the finished run, `train_iter` yields its events."""

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from inkgan.config import Recipe
from inkgan.config.serialize import Overrides, override
from inkgan.config.training_overrides import load_recipe, override_for_training
from inkgan.errors import DataNotFoundError
from inkgan.generation.load import RUNS
from inkgan.io.run_dir import RunFolder
from inkgan.models.custom import CustomNetworks, class_name
from inkgan.runs.events import Event, Finished, OnTrouble, Options, Started, Updated
from inkgan.runs.launcher import is_launch_needed, launched
from inkgan.runs.live_display import LiveDisplay, in_notebook
from inkgan.runs.loggers.open_loggers import choose_loggers
from inkgan.runs.run import Run
from inkgan.runs.trainer import Trainer
from inkgan.types import Clock, DiscriminatorFactory, GeneratorFactory, Progress, silent

RecipeSource = str | Path | Recipe
Listener = Callable[[Event], None]


def train(
    recipe: RecipeSource | None = None,
    *,
    out: str | Path | None = None,
    overrides: Overrides = (),
    data: str | None = None,
    data_dir: str | Path | None = None,
    fallback: str | None = None,
    epochs: int | None = None,
    images: int | None = None,
    minutes: float | None = None,
    clock: Clock = "wall",
    sample_interval: int | None = None,
    evaluation_interval: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    threads: int | None = None,
    capture: bool = True,
    processes: int | None = None,
    on_trouble: OnTrouble = "warn",
    logger: str | Sequence[str] | None = None,
    generator: GeneratorFactory | None = None,
    discriminator: DiscriminatorFactory | None = None,
    progress: bool | Progress | None = None,
    on_event: Listener | None = None,
) -> Run:
    """Train a recipe in a run folder; the same call again resumes where it was interrupted.

    Args:
        recipe: a name, a .toml file or a Recipe; by default that of the run in `out`, or dcgan.
        out: the run folder, made if it is missing; by default runs/NAME of the recipe.
        overrides: values by dotted field, such as {"optim.lr": 1e-4}, or texts "optim.lr=1e-4".
        data: name of a data set.
        data_dir: folder that holds a folder for each data set; it is searched first.
        fallback: name of a data set to use, with a warning, where the data cannot be found.
        epochs: how often each training image is shown.
        images: stop after so many images, if that is earlier.
        minutes: stop after so many minutes of training, over all interruptions.
        clock: what counts as training time: the time that passes (wall), or the time of this
            process's threads (processor), whatever else the machine does.
        sample_interval: images between two grids of samples; by default an epoch.
        evaluation_interval: images between two evaluations; by default each grid.
        seed: of weights, batches and latents; another seed is another run.
        device: auto, cpu, cuda, cuda:N or mps.
        threads: for each operation. By default torch's setting, or fewer where other processes use
            the cores; the run chooses again as these come and go. A run that was started with a
            number resumes with it.
        capture: on CUDA, replay each step as one graph.
        processes: that train the model together on this machine, each a part of every batch. By
            default 1, or all that torchrun has started with this one; see docs/many-processes.md.
        on_trouble: warn, stop or rollback, when the health monitor finds something.
        logger: tensorboard, wandb, mlflow or several of them, which record the run beside its
            folder; "none" for none, and by default TensorBoard where it is installed.
        generator: a `torch.nn.Module` class of one's own; see docs/extend.md.
        discriminator: the same.
        progress: by default a live display in a notebook and silence elsewhere. False is silent,
            a function is called as `progress(what, done, total)`.
        on_event: called with each event of the run, after it has happened.

    Returns:
        The run, with its generator, metrics and pictures.

    Raises:
        InkganError: the recipe, the data or the folder cannot be used, or the health monitor
            stopped the run (TrainingStopped).

    Examples:
        >>> run = inkgan.train("dcgan", out="runs/a", epochs=5, overrides={"optim.lr": 1e-4})
        >>> digits = run.generator().sample(seeds=range(10))
    """
    events = train_iter(
        recipe,
        out=out,
        overrides=overrides,
        data=data,
        data_dir=data_dir,
        fallback=fallback,
        epochs=epochs,
        images=images,
        minutes=minutes,
        clock=clock,
        sample_interval=sample_interval,
        evaluation_interval=evaluation_interval,
        seed=seed,
        device=device,
        threads=threads,
        capture=capture,
        processes=processes,
        on_trouble=on_trouble,
        logger=logger,
        generator=generator,
        discriminator=discriminator,
    )
    folder = _follow(events, _listener(progress, minutes), on_event)
    return Run(folder.path, folder.recipe, generator)


def train_iter(
    recipe: RecipeSource | None = None,
    *,
    out: str | Path | None = None,
    overrides: Overrides = (),
    data: str | None = None,
    data_dir: str | Path | None = None,
    fallback: str | None = None,
    epochs: int | None = None,
    images: int | None = None,
    minutes: float | None = None,
    clock: Clock = "wall",
    sample_interval: int | None = None,
    evaluation_interval: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    threads: int | None = None,
    capture: bool = True,
    processes: int | None = None,
    on_trouble: OnTrouble = "warn",
    logger: str | Sequence[str] | None = None,
    generator: GeneratorFactory | None = None,
    discriminator: DiscriminatorFactory | None = None,
    download: Progress = silent,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train as `train` does, and yield each event after it has happened.

    The arguments are those of `train`. The recipe is checked at once; data are read, and files
    written, when the first event is asked for. To stop early, stop iterating: the same call
    resumes from the newest checkpoint. `download` is called while data is downloaded, and
    `should_stop` after each update: true saves everything and ends the run for now.

    Yields:
        `Preparing` where shape codes are fitted first; `Started`, then `Updated`, `Sampled` and
        `Troubled` events, then `Finished` (`inkgan.runs.events`).

    Raises:
        ConfigError: the recipe or an override is impossible.

    Examples:
        >>> for event in inkgan.train_iter("dcgan", out="runs/a", epochs=1):
        ...     if isinstance(event, Sampled):
        ...         print(event.images, event.score)
    """
    launch = is_launch_needed(processes)
    options = Options(
        device=device,
        threads=threads,
        data_dir=None if data_dir is None else Path(data_dir),
        minutes=minutes,
        clock=clock,
        on_trouble=on_trouble,
        capture=capture,
        loggers=choose_loggers(logger),
        processes=1 if processes == 1 else None,
        report=download,
        should_stop=should_stop,
    )
    networks = CustomNetworks(generator, discriminator)
    chosen = override_for_training(
        _name_networks(load_recipe(recipe, out), networks),
        overrides,
        data=data,
        epochs=epochs,
        images=images,
        sample_interval=sample_interval,
        evaluation_interval=evaluation_interval,
        seed=seed,
    )
    folder = RUNS / chosen.name if out is None else Path(out)
    trainer = Trainer(chosen, folder, options, networks)
    if launch and processes is not None:
        return _events(trainer, fallback, functools.partial(launched, processes=processes))
    return _events(trainer, fallback, Trainer.events)


def _follow(events: Iterator[Event], *listeners: Listener | None) -> RunFolder:
    """Hand every event to the listeners; return the folder of the finished run."""
    for event in events:
        for listener in listeners:
            if listener is not None:
                listener(event)
    assert isinstance(event, Finished)
    return event.run


def _events(
    trainer: Trainer, fallback: str | None, events_of: Callable[[Trainer], Iterator[Event]]
) -> Iterator[Event]:
    """Train; where the data cannot be found, with those of `fallback`."""
    try:
        yield from events_of(trainer)
    except DataNotFoundError as error:
        if fallback is None:
            hint = "or train on the built-in digits with `data.name=uci-digits`"
            raise DataNotFoundError(f"{error}; {hint}") from error
        warnings.warn(f"{error}; training on {fallback} instead", stacklevel=3)
        other = override(trainer.recipe, {"data.name": fallback}, f"`fallback={fallback!r}`")
        yield from events_of(replace(trainer, recipe=other))


def _name_networks(recipe: Recipe, networks: CustomNetworks) -> Recipe:
    """Return the recipe with the names of classes of one's own in place of its networks."""
    given = {
        "model.generator": networks.generator,
        "model.discriminator": networks.discriminator,
    }
    changes = {
        field: {"family": "custom", "class_name": class_name(factory)}
        for field, factory in given.items()
        if factory is not None
    }
    return override(recipe, changes) if changes else recipe


def _listener(progress: bool | Progress | None, minutes: float | None) -> Listener | None:
    """Return what shows the run, if anything does."""
    if callable(progress):
        return _ProgressListener(progress)
    return LiveDisplay(minutes=minutes) if progress is not False and in_notebook() else None


class _ProgressListener:
    """Calls a progress function with the images seen."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._total = progress, 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self._total = event.total_images
            self._progress("training", event.images, self._total)
        elif isinstance(event, Updated):
            self._progress("training", event.update.images, self._total)
