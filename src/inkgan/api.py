"""The Python interface: train a recipe, load what was trained."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from inkgan.artifacts.bundle import Bundle, load_bundle
from inkgan.artifacts.run import Run
from inkgan.config import Recipe
from inkgan.device import choose_device
from inkgan.errors import ArtifactError, did_you_mean
from inkgan.events import Event, OnTrouble, Options
from inkgan.experiment import run_experiment
from inkgan.recipes import get_recipe
from inkgan.sampling.sampler import Sampler
from inkgan.toml import override, replace

RUNS = Path("runs")  # where the command line puts runs, and where a bare name is looked for


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
) -> Run:
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
        threads: for each operation; by default all cores.
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
    for event in run_experiment(chosen, Path(out), options):
        if on_event is not None:
            on_event(event)
    return Run(Path(out), chosen)


def with_length(recipe: Recipe, epochs: int | None, images: int | None) -> Recipe:
    """Return the recipe with another number of epochs or images, where one is given."""
    for flag, value in (("epochs", epochs), ("images", images)):
        if value is not None:
            recipe = replace(recipe, {f"schedule.{flag}": value}, f"--{flag} {value}")
    return recipe


def load(
    source: str | Path, *, device: str = "auto", checkpoint: Literal["last", "best"] = "last"
) -> Sampler:
    """Load a trained generator from a run folder, a bundle file or the name of a run in runs/.

    Args:
        source: the run folder, the .safetensors bundle, or the run's name.
        device: auto, cpu, cuda, cuda:N or mps.
        checkpoint: of a run folder, its last generator or the best-scored one.

    Raises:
        ArtifactError: there is nothing there, or it is damaged.
    """
    path = _find(source)
    bundle = load_bundle(path / "generator.safetensors" if path.is_dir() else path)
    if checkpoint == "best":
        bundle = _best_of(path, bundle)
    return Sampler(bundle, choose_device(device))


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.is_dir() or path.is_file():
        if path.is_dir() and not (path / "generator.safetensors").is_file():
            why = "has no trained generator yet" if (path / "recipe.toml").exists() else "is no run"
            raise ArtifactError(f"{path} {why}; train one with: inkgan train dcgan --out {path}")
        return path
    if (RUNS / path / "generator.safetensors").is_file():
        return RUNS / path
    known = [p.parent.name for p in RUNS.glob("*/generator.safetensors")]
    raise ArtifactError(
        f"there is no run or bundle {str(source)!r}{did_you_mean(str(source), known)}"
    )


def _best_of(path: Path, bundle: Bundle) -> Bundle:
    saved = Run.open(path).load_checkpoint("best") if path.is_dir() else None
    if saved is None:
        raise ArtifactError(f"{path} holds no best checkpoint; only a run folder can")
    tensors, counters = saved
    weights = {k.removeprefix("ema."): t for k, t in tensors.items() if k.startswith("ema.")}
    seen = int(counters["step"]) * bundle.recipe.schedule.batch_size
    return Bundle(bundle.recipe, bundle.shape, bundle.classes, weights, seen, bundle.data_sha256)
