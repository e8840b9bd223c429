"""inkgan train: a recipe, a run folder, and what happens in it."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from inkgan.cli.command import INTERRUPTED, all_cores
from inkgan.cli.console import say, show_json, warn
from inkgan.cli.options import Address, DataDir, Device, Json, On, Workers
from inkgan.cli.parse import parse_seeds
from inkgan.errors import ConfigError, TrainingStopped

if TYPE_CHECKING:
    from inkgan.cli.training_view import TrainingView
    from inkgan.runs.events import Event

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Replace a value: optim.lr=1e-4."),
]
Data = Annotated[str | None, typer.Option(help="A data set (see inkgan data).")]
Fallback = Annotated[
    str | None, typer.Option(help="Data set to use, with a warning, if the data is missing.")
]
Epochs = Annotated[int | None, typer.Option(help="How often each image is shown.")]
Images = Annotated[int | None, typer.Option(help="Stop after this many images.")]
Minutes = Annotated[float | None, typer.Option(help="Stop after this many minutes.")]
SampleInterval = Annotated[
    int | None, typer.Option(help="Images between two grids. [default: an epoch]")
]
EvaluationInterval = Annotated[
    int | None, typer.Option(help="Images between two evaluations. [default: each grid]")
]
Seed = Annotated[int | None, typer.Option(help="Another seed is another run.")]
Seeds = Annotated[
    str | None,
    typer.Option(
        help="Several runs side by side, in OUT/seed-N: 0-7 or 0,5. A core each, or 8 to a GPU."
    ),
]
Threads = Annotated[
    int | None, typer.Option(help="Threads for each operation. [default: all idle cores]")
]
Capture = Annotated[bool, typer.Option(help="On CUDA, replay each step as one graph.")]
Processes = Annotated[
    int | None, typer.Option(help="Processes that share each batch. [default: 1, or torchrun's]")
]
OnTrouble = Annotated[
    Literal["warn", "stop", "rollback"], typer.Option(help="What to do when training goes wrong.")
]
Live = Annotated[
    bool, typer.Option(help="On a terminal, show digits and curves while they improve.")
]
Logger = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="tensorboard, wandb and mlflow, with commas; or none. "
        "[default: tensorboard, if installed]",
    ),
]
STOPPING = "stopping after this step; once more to stop at once"


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help="A name (see inkgan recipes) or a .toml file. [default: dcgan]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder. [default: runs/RECIPE]")] = None,
    set_: Set = None,
    data: Data = None,
    data_dir: DataDir = None,
    fallback: Fallback = None,
    epochs: Epochs = None,
    images: Images = None,
    minutes: Minutes = None,
    sample_interval: SampleInterval = None,
    evaluation_interval: EvaluationInterval = None,
    seed: Seed = None,
    seeds: Seeds = None,
    on: On = "local",
    workers: Workers = None,
    address: Address = None,
    device: Device = "auto",
    threads: Threads = None,
    capture: Capture = True,
    processes: Processes = None,
    on_trouble: OnTrouble = "warn",
    logger: Logger = None,
    live: Live = True,
    json: Json = False,
) -> None:
    """Train a recipe. The same command again continues where it was stopped.

    Example: inkgan train dcgan --epochs 5 --out runs/a
    """
    from inkgan.config.training_overrides import load_recipe, override_for_training

    chosen = override_for_training(
        load_recipe(recipe, out),
        set_ or (),
        data=data,
        epochs=epochs,
        images=images,
        sample_interval=sample_interval,
        evaluation_interval=evaluation_interval,
        seed=seed,
    )
    if seeds is not None:
        if seed is not None:
            raise ConfigError(f"`seed={seed}` is for one run, `seeds={seeds}` for several: use one")
        if processes is not None:
            raise ConfigError("`seeds` trains a run on each core; `processes` shares one run")
        from inkgan.cli.train_seeds import train_seeds

        options = {"device": device, "threads": threads or 1, "capture": capture, "on": on}
        options |= {"data_dir": data_dir, "fallback": fallback, "on_trouble": on_trouble}
        options |= {"workers": workers, "address": address, "logger": logger}
        train_seeds(chosen, parse_seeds(seeds), json, out=out, minutes=minutes, **options)
        return
    _refuse_without_seeds(on=on != "local", workers=workers, address=address)
    from inkgan.cli.progress import download_report
    from inkgan.cli.training_view import SilentView, TrainingView
    from inkgan.device import compute_settings
    from inkgan.runs.api import train_iter
    from inkgan.runs.process_group import is_leader

    reports = processes == 1 or is_leader()
    view = TrainingView(minutes, live) if reports else SilentView()
    with (
        all_cores(),
        compute_settings(tf32=True),
        _stop_on_signal(view) as should_stop,
        download_report() as download,
    ):
        events = train_iter(
            chosen,
            out=out,
            data_dir=data_dir,
            fallback=fallback,
            minutes=minutes,
            device=device,
            threads=threads,
            capture=capture,
            processes=processes,
            on_trouble=on_trouble,
            logger=logger,
            download=download,
            should_stop=should_stop,
        )
        _follow(view, events, json)


def _follow(view: "TrainingView", events: Iterator["Event"], json: bool) -> None:
    """Show a run and how it has ended.

    torchrun starts processes that fail again, so a run that it trains ends in success on purpose.
    """
    from inkgan.cli.training_view import summary
    from inkgan.runs.process_group import is_one_of_several, is_restarted_after_failure

    try:
        finished = view.follow(events)
    except TrainingStopped as error:
        if not is_restarted_after_failure():
            raise
        warn(str(error))
        return
    if not view.is_silent:
        show_json(summary(finished)) if json else view.show_end(finished)
    if finished.reason == "interrupted" and not is_one_of_several():
        raise typer.Exit(INTERRUPTED)


def _refuse_without_seeds(**given: object) -> None:
    """Refuse options that one run does not have."""
    for name in (name for name, value in given.items() if value):
        raise ConfigError(f"`{name}` is for several runs: add `seeds=0-7`")


@contextlib.contextmanager
def _stop_on_signal(view: "TrainingView") -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a request to stop; the second stops at once."""
    requests: list[int] = []
    said: list[str] = []
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if view.is_live and hasattr(signal, "SIGCONT"):  # after Ctrl-Z the shell has the last lines
        old[signal.SIGCONT] = signal.signal(signal.SIGCONT, lambda *_: view.leave())

    def remember(number: int, frame: object) -> None:
        if requests:
            raise KeyboardInterrupt
        requests.append(number)
        if view.is_silent:
            return
        # not by sys.stderr, which a live view may be writing to at this moment
        start, end = ("\r\x1b[K", "") if view.is_live else ("\n", "\n")
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), f"{start}{STOPPING}{end}".encode())

    def should_stop() -> bool:
        # installed with the first step, so that Ctrl-C during a download ends it at once
        if signal.getsignal(signal.SIGINT) is not remember:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, remember)
        if requests and view.is_live and not said:
            said.append(STOPPING)
            say(STOPPING)  # the view has been drawn over the note
        return bool(requests)

    try:
        yield should_stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
