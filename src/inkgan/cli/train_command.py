"""inkgan train: a recipe, a run folder, and what is going on."""

import contextlib
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inkgan.errors import DataNotFoundError

if TYPE_CHECKING:
    from inkgan.config import Recipe

INTERRUPTED = 130


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="A name (see inkgan recipes) or a .toml file; dcgan if left out."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder; runs/RECIPE if left out.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Replace a value: optim.lr=1e-4.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="A data set (see inkgan data).")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where to look for data first.")] = None,
    fallback: Annotated[
        str | None, typer.Option(help="Data set to use, with a warning, if the data cannot be had.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="How often each image is shown.")] = None,
    images: Annotated[int | None, typer.Option(help="Stop after so many images.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after so many minutes.")] = None,
    sample_every: Annotated[
        int | None, typer.Option(help="Images between two grids; an epoch if left out.")
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(help="Images between two evaluations; each grid if left out.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed, another run.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    threads: Annotated[
        int | None, typer.Option(help="For each operation; all cores if left out.")
    ] = None,
    capture: Annotated[bool, typer.Option(help="On CUDA, replay each step as one graph.")] = True,
    on_trouble: Annotated[
        Literal["warn", "stop", "rollback"],
        typer.Option(help="What to do when training goes wrong."),
    ] = "warn",
) -> None:
    """Train a recipe. The same command again goes on where it was stopped."""
    flags = {
        "data.name": ("data", data),
        "schedule.epochs": ("epochs", epochs),
        "schedule.images": ("images", images),
        "seed": ("seed", seed),
        "schedule.sample_interval": ("sample-every", sample_every),
        "schedule.evaluation_interval": ("evaluate-every", evaluate_every),
    }
    chosen = _choose_recipe(recipe, out, set_ or [], flags)
    folder = out or Path("runs") / chosen.name
    from inkgan.cli.view import View, download_report
    from inkgan.runs.events import Options

    with _stop_on_signal() as stops, download_report() as report:
        options = Options(
            device=device,
            threads=threads,
            data_dir=data_dir,
            minutes=minutes,
            on_trouble=on_trouble,
            report=report,
            should_stop=stops,
            capture=capture,
        )
        view = View(minutes, shlex.join(["inkgan", *sys.argv[1:]]))
        try:
            reason = view.follow(chosen, folder, options)
        except DataNotFoundError as error:
            if fallback is None:
                raise
            chosen = _fall_back(chosen, fallback, error)
            reason = view.follow(chosen, folder, options)
    if reason == "interrupted":
        raise typer.Exit(INTERRUPTED)


def _choose_recipe(
    name: str | None,
    out: Path | None,
    overrides: list[str],
    flags: Mapping[str, tuple[str, object]],
) -> "Recipe":
    """Take the named recipe, or that of the run to go on with, and replace what flags say."""
    from inkgan.config.recipes import DEFAULT_RECIPE, get_recipe
    from inkgan.config.serialize import override

    held = out / "recipe.toml" if out is not None and name is None else None
    if held is not None and held.is_file():
        name = str(held)
    recipe = override(
        get_recipe(name or DEFAULT_RECIPE),
        overrides,
        " ".join(f"--set {text}" for text in overrides),
    )
    for key, (flag, value) in flags.items():
        if value is not None:
            recipe = override(recipe, {key: value}, f"--{flag} {value}")
    return recipe


def _fall_back(recipe: "Recipe", data: str, error: DataNotFoundError) -> "Recipe":
    from inkgan.cli.view import warn
    from inkgan.config.serialize import override

    warn(f"{error}\n\nGOING ON WITH {data.upper()} INSTEAD OF {recipe.data.name.upper()}.\n")
    return override(recipe, {"data.name": data}, f"--fallback {data}")


@contextlib.contextmanager
def _stop_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop; the second is not held back."""
    wishes: list[int] = []
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def remember(number: int, frame: object) -> None:
        if wishes:
            raise KeyboardInterrupt
        wishes.append(number)
        sys.stderr.write("\nstopping after this step; once more to stop at once\n")

    def asked() -> bool:
        # installed with the first step, so that Ctrl-C during a download ends it at once
        if signal.getsignal(signal.SIGINT) is not remember:
            for number in old:
                signal.signal(number, remember)
        return bool(wishes)

    try:
        yield asked
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
