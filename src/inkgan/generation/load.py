"""Finds a trained generator by run folder, bundle file, name, or name on the hub."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from inkgan.config.recipe import Precision
from inkgan.device import choose_device
from inkgan.errors import ArtifactError, ConfigError, did_you_mean
from inkgan.folder_lock import is_locked
from inkgan.generation.generator import Generator
from inkgan.generation.hub_download import FILE, fetch, is_hub_name
from inkgan.generation.light_on_dark import light_on_dark
from inkgan.generation.protocols import GeneratorLike
from inkgan.io.bundle import Bundle, load_bundle
from inkgan.io.run_dir import RunFolder
from inkgan.io.run_paths import RunPaths
from inkgan.types import GeneratorFactory

RUNS = Path("runs")  # where the command line puts runs, and where a bare name is looked for
SHIPPED = Path(__file__).parents[1] / "bundles"  # trained by this project's own commands
BUNDLE = "generator.safetensors"
Checkpoint = Literal["last", "best"]
GeneratorSource = str | Path | RunFolder | GeneratorLike  # where it is, or the generator itself


def load(
    source: str | Path | RunFolder,
    *,
    device: str = "auto",
    checkpoint: Checkpoint = "last",
    generator: GeneratorFactory | None = None,
    precision: Precision = "float32",
) -> Generator:
    """Load a trained generator from a run folder, a bundle file or a name.

    Args:
        source: a run, its folder, a .safetensors bundle, the name of a run in runs/ or of a bundle
            that came with inkgan, such as flagship, or else user/name on the Hugging Face hub.
        device: auto, cpu, cuda, cuda:N or mps.
        checkpoint: "last" or, of a run folder, "best": the one with the best score.
        generator: the class of a custom generator (docs/extend.md). A bundle only names its class;
            nothing that a file names is ever imported.
        precision: of products and convolutions, float32 or bfloat16. A processor with units for
            bfloat16 draws faster in it, twice as fast with AMX; gray values differ by 0.14 of 255
            in the mean.

    Raises:
        ArtifactError: there is nothing there, or it is damaged.
        ConfigError: the device or the precision is unknown, the bundle needs a class that is not
            given, or only the hub could have it and the extra `hub` is not installed.

    Examples:
        >>> inkgan.load("flagship", device="cpu").sample("7").shape
        (1, 28, 28)
    """
    if precision not in get_args(Precision):
        raise ConfigError(f"`precision` must be 'float32' or 'bfloat16', not {precision!r}")
    return Generator(load_source(source, checkpoint, generator), choose_device(device), precision)


def load_source(
    source: str | Path | RunFolder,
    checkpoint: Checkpoint = "last",
    generator: GeneratorFactory | None = None,
) -> Bundle:
    """Load the bundle that `load` draws from.

    Raises:
        ArtifactError: there is nothing there, or it is damaged.
    """
    if checkpoint not in get_args(Checkpoint):
        raise ConfigError(f"`checkpoint` must be 'last' or 'best', not {checkpoint!r}")
    path = find(source)
    bundle = load_bundle(path / BUNDLE if path.is_dir() else path, generator)
    return _best_of(path, bundle) if checkpoint == "best" else bundle


def find(source: str | Path | RunFolder) -> Path:
    """Return the run folder or bundle file that `source` names.

    A path comes first, then a run of that name in runs/, a bundle that came with inkgan, the hub.

    Raises:
        ArtifactError: there is nothing of that name, or no trained generator in it.
        ConfigError: only the hub could have it, and the extra `hub` is not installed.
    """
    if isinstance(source, RunFolder):
        source = source.path
    if not isinstance(source, str | Path):
        raise ConfigError(f"`source` must be a path, a name or a run, not {source!r}")
    path = Path(source)
    if (path / FILE).is_file():  # what `inkgan export hub` has written
        return path / FILE
    if path.is_dir() or path.is_file():
        if path.is_dir() and not (path / BUNDLE).is_file():
            raise ArtifactError(f"{path} {_why_untrained(RunPaths(path))}")
        return path
    if (RUNS / path / BUNDLE).is_file():
        return RUNS / path
    if (SHIPPED / f"{source}.safetensors").is_file():
        return SHIPPED / f"{source}.safetensors"
    if is_hub_name(str(source)) and not path.parent.is_dir():
        return fetch(str(source))
    known = [p.parent.name for p in RUNS.glob(f"*/{BUNDLE}")]
    known += [p.stem for p in SHIPPED.glob("*.safetensors")]
    raise ArtifactError(
        f"there is no run or bundle {str(source)!r}{did_you_mean(path.name, known)}"
    )


def _why_untrained(run: RunPaths) -> str:
    if not run.recipe_path.exists():
        return "is no run; train one into it first"
    with contextlib.suppress(OSError):  # a folder that cannot be written does not say
        if is_locked(run.path):
            return "is training; its generator is there when training ends, or is interrupted"
        if run.checkpoint_path("last").is_file():
            return "was killed in training; train into it as before, which goes on from there"
    return "has no trained generator yet; train one into it first"


def _best_of(path: Path, bundle: Bundle) -> Bundle:
    saved = RunFolder.open(path).load_checkpoint("best") if path.is_dir() else None
    if saved is None:
        why = "no evaluation since training began" if path.is_dir() else "only run folders do"
        raise ArtifactError(f"{path} has no best checkpoint ({why}); use `checkpoint='last'`")
    tensors, counters = saved
    weights = {k.removeprefix("ema."): t for k, t in tensors.items() if k.startswith("ema.")}
    seen = int(counters["step"]) * bundle.recipe.schedule.images_per_step
    return replace(bundle, weights=weights, images_seen=seen, scores={}, license="")


def open_generator(source: GeneratorSource, device: str = "auto") -> GeneratorLike:
    """Return the generator that `source` is or names, for drawing with ink: light on dark.

    Raises:
        ArtifactError: there is nothing of that name, or it is damaged.
        ConfigError: it draws in color.
    """
    if isinstance(source, str | Path | RunFolder):
        return open_generator(load(source, device=device))
    if source.bundle.shape.channels != 1:
        raise ConfigError(
            f"{source.bundle.recipe.name} draws in color; ink takes a generator of gray images"
        )
    return light_on_dark(source)
