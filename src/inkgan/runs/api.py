"""The Python interface: train a recipe."""

from collections.abc import Callable, Sequence
from pathlib import Path

from inkgan.config import Recipe
from inkgan.config.recipes import get_recipe
from inkgan.config.serialize import override
from inkgan.io.run_dir import RunFolder
from inkgan.runs.events import Event, OnTrouble, Options
from inkgan.runs.trainer import Trainer


def train(
    recipe: str | Path | Recipe = "dcgan",
    *,
    out: str | Path,
    overrides: Sequence[str] = (),
    epochs: int | None = None,
    images: int | None = None,
    minutes: float | None = None,
    data_dir: str | Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    on_trouble: OnTrouble = "warn",
    on_event: Callable[[Event], None] | None = None,
) -> RunFolder:
    """Train a recipe in a run folder; the same call again goes on where it was stopped.

    Args:
        recipe: a name, a path to a .toml file, or a Recipe.
        out: the run folder; it is made if it is missing.
        overrides: replacements such as "optim.lr=1e-4".
        epochs: how often each training image is shown.
        images: stop after so many images, if that is earlier.
        minutes: stop after so many minutes of training, over all interruptions.
        data_dir: folder that holds a folder for each data set; looked into first.
        device: auto, cpu, cuda, cuda:N or mps.
        threads: for each operation; None takes the run's own, or torch's setting for a new run.
        on_trouble: warn, stop or rollback, when the health monitor finds something.
        on_event: called with each event of the run, after it has happened.

    Returns:
        The run folder, with its bundle, grids, curves and metrics.

    Raises:
        ConfigError: the recipe or an override is impossible.
        DataError: the data cannot be had or read.
        ArtifactError: the folder holds something else.
        TrainingStopped: the health monitor ended the run.
    """
    chosen = recipe if isinstance(recipe, Recipe) else get_recipe(recipe)
    chosen = override(chosen, overrides) if overrides else chosen
    chosen = with_length(chosen, epochs, images)
    options = Options(
        device, threads, None if data_dir is None else Path(data_dir), minutes, on_trouble
    )
    for event in Trainer(chosen, Path(out), options).events():
        if on_event is not None:
            on_event(event)
    return RunFolder(Path(out), chosen)


def with_length(recipe: Recipe, epochs: int | None, images: int | None) -> Recipe:
    """Return the recipe with another number of epochs or images, where one is given."""
    for flag, value in (("epochs", epochs), ("images", images)):
        if value is not None:
            recipe = override(recipe, {f"schedule.{flag}": value}, f"--{flag} {value}")
    return recipe
