"""inkgan train: a recipe, a run folder, and what happens in it."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from inkgan.cli.command import INTERRUPTED, all_cores
from inkgan.cli.options import DataDir, Device, Json
from inkgan.errors import DataNotFoundError

if TYPE_CHECKING:
    from inkgan.config import Recipe
    from inkgan.runs.events import Options


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="A name (see inkgan recipes) or a .toml file. [default: dcgan]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder. [default: runs/RECIPE]")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Replace a value: optim.lr=1e-4.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="A data set (see inkgan data).")] = None,
    data_dir: DataDir = None,
    fallback: Annotated[
        str | None, typer.Option(help="Data set to use, with a warning, if the data is missing.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="How often each image is shown.")] = None,
    images: Annotated[int | None, typer.Option(help="Stop after this many images.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes.")] = None,
    sample_interval: Annotated[
        int | None, typer.Option(help="Images between two grids. [default: an epoch]")
    ] = None,
    evaluation_interval: Annotated[
        int | None, typer.Option(help="Images between two evaluations. [default: each grid]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed is another run.")] = None,
    device: Device = "auto",
    threads: Annotated[
        int | None, typer.Option(help="Threads for each operation. [default: all cores]")
    ] = None,
    capture: Annotated[bool, typer.Option(help="On CUDA, replay each step as one graph.")] = True,
    on_trouble: Annotated[
        Literal["warn", "stop", "rollback"],
        typer.Option(help="What to do when training goes wrong."),
    ] = "warn",
    json: Json = False,
) -> None:
    """Train a recipe. The same command again continues where it was stopped.

    Example: inkgan train dcgan --epochs 5 --out runs/a
    """
    values = {
        "data.name": data,
        "schedule.epochs": epochs,
        "schedule.images": images,
        "seed": seed,
        "schedule.sample_interval": sample_interval,
        "schedule.evaluation_interval": evaluation_interval,
    }
    flags = {key: value for key, value in values.items() if value is not None}
    chosen = _choose_recipe(recipe, out, set_ or [], flags)
    folder = out or Path("runs") / chosen.name
    from inkgan.cli.progress import download_report
    from inkgan.runs.events import Options

    with all_cores(), _stop_on_signal() as should_stop, download_report() as report:
        options = Options(
            device=device,
            threads=threads,
            data_dir=data_dir,
            minutes=minutes,
            on_trouble=on_trouble,
            report=report,
            should_stop=should_stop,
            capture=capture,
        )
        _run(chosen, folder, options, fallback, json)


def _run(
    recipe: "Recipe", folder: Path, options: "Options", fallback: str | None, json: bool
) -> None:
    from inkgan.cli.console import show_json, warn
    from inkgan.cli.training_view import TrainingView, summary
    from inkgan.config.serialize import override
    from inkgan.runs.trainer import Trainer

    view = TrainingView(options.minutes)
    try:
        finished = view.follow(Trainer(recipe, folder, options).events())
    except DataNotFoundError as error:
        if fallback is None:
            raise
        warn(
            f"{error}\n\nCONTINUING WITH {fallback.upper()} INSTEAD OF "
            f"{recipe.data.name.upper()}.\n"
        )
        recipe = override(recipe, {"data.name": fallback}, f"--fallback {fallback}")
        finished = view.follow(Trainer(recipe, folder, options).events())
    if json:
        show_json(summary(finished))
    else:
        view.show_end(finished)
    if finished.reason == "interrupted":
        raise typer.Exit(INTERRUPTED)


def _choose_recipe(
    name: str | None, out: Path | None, overrides: list[str], flags: dict[str, Any]
) -> "Recipe":
    """Take the named recipe, or that of the run to continue, and replace what flags say."""
    from inkgan.config.recipes import DEFAULT_RECIPE, get_recipe
    from inkgan.config.serialize import override

    saved = out / "recipe.toml" if out is not None and name is None else None
    if saved is not None and saved.is_file():
        name = str(saved)
    recipe = override(
        get_recipe(name or DEFAULT_RECIPE),
        overrides,
        " ".join(f"--set {text}" for text in overrides),
    )
    for key, value in flags.items():
        recipe = override(recipe, {key: value}, f"`{key}={value!r}`")
    return recipe


@contextlib.contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a request to stop; the second stops at once."""
    requests: list[int] = []
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def remember(number: int, frame: object) -> None:
        if requests:
            raise KeyboardInterrupt
        requests.append(number)
        sys.stderr.write("\nstopping after this step; once more to stop at once\n")

    def should_stop() -> bool:
        # installed with the first step, so that Ctrl-C during a download ends it at once
        if signal.getsignal(signal.SIGINT) is not remember:
            for number in old:
                signal.signal(number, remember)
        return bool(requests)

    try:
        yield should_stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
