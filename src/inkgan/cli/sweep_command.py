"""inkgan sweep: search a recipe's settings for the best checkpoint score."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkgan.cli.command import program, typed_command
from inkgan.cli.options import Address, DataDir, Device, Json, On, Workers
from inkgan.printable import path_line, shell_words

if TYPE_CHECKING:
    from inkgan.sweeps.result import SweepResult
    from inkgan.sweeps.trial_record import TrialRecord

Recipe = Annotated[
    str | None,
    typer.Argument(help="A name (see inkgan recipes) or a .toml file. [default: dcgan]"),
]
Search = Annotated[
    list[str],
    typer.Option(
        metavar="FIELD=VALUES",
        help="What to try: optim.lr=log:1e-5..1e-2, schedule.batch_size=32..256, or a list, "
        "objective.loss=hinge,relativistic. May be repeated.",
    ),
]
Trials = Annotated[
    int, typer.Option(help="Trials of the whole sweep, earlier calls and other machines included.")
]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the trials. [default: runs/RECIPE-sweep]")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A value for all trials: optim.beta1=0."),
]
Minutes = Annotated[
    float | None, typer.Option(help="Minutes of training for each trial. [default: whole recipes]")
]
Threads = Annotated[int, typer.Option(help="Threads of each trial, and so its cores.")]
Gpus = Annotated[float, typer.Option(help="Share of a GPU for each trial: 0.25 runs four on one.")]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="A database that several machines share, postgresql://USER@HOST/DATABASE. "
        "[default: a file in OUT]",
    ),
]
Data = Annotated[str | None, typer.Option(help="A data set (see inkgan data).")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of each trial.")]
Images = Annotated[int | None, typer.Option(help="Images of each trial, if that is fewer.")]
Prune = Annotated[
    bool, typer.Option(help="End trials that are worse than the median of the others.")
]
Seed = Annotated[int, typer.Option(help="Seed of the search; trials have the recipe's.")]
Study = Annotated[
    str | None, typer.Option(help="Name of the sweep in the database. [default: that of OUT]")
]


def sweep(
    recipe: Recipe = None,
    search: Search = [],  # noqa: B006
    trials: Trials = 20,
    out: Out = None,
    set_: Set = None,
    data: Data = None,
    data_dir: DataDir = None,
    epochs: Epochs = None,
    images: Images = None,
    minutes: Minutes = None,
    device: Device = "auto",
    threads: Threads = 1,
    gpus: Gpus = 1.0,
    prune: Prune = True,
    seed: Seed = 0,
    storage: Storage = None,
    study: Study = None,
    on: On = "local",
    workers: Workers = None,
    address: Address = None,
    json: Json = False,
) -> None:
    """Search a recipe's settings for the best score. The same command again continues.

    Trials are compared by their checkpoints' distance to validation images, never by test images.

    Example: inkgan sweep dcgan --search optim.lr=log:1e-5..1e-2 --trials 40 --minutes 3
    """
    from inkgan.cli.console import say, show_json
    from inkgan.cli.interrupts import announced_interrupts
    from inkgan.cli.progress import stages
    from inkgan.sweeps.sweep import sweep as search_settings

    with announced_interrupts(), stages() as progress:
        try:
            found = search_settings(
                recipe,
                search,
                trials=trials,
                out=out,
                overrides=set_ or (),
                data=data,
                data_dir=data_dir,
                epochs=epochs,
                images=images,
                minutes=minutes,
                device=device,
                threads=threads,
                gpus=gpus,
                prune=prune,
                seed=seed,
                storage=storage,
                study=study,
                on=on,
                workers=workers,
                address=address,
                progress=progress,
                on_trial=_say,
            )
        except KeyboardInterrupt:
            say(f"everything is saved. Continue with:\n  {typed_command(program())}")
            raise
    if json:
        show_json({"out": found.out, **found.to_dict()})
    else:
        _show(found)


def _say(trial: "TrialRecord") -> None:
    from inkgan.cli.console import say

    values = ", ".join(
        f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in trial.values.items()
    )
    state = {"pruned": "ended early", "failed": "lost"}.get(trial.state, trial.state)
    distance = "" if trial.distance is None else f", distance {trial.distance:.2f}"
    reason = f" ({trial.reason})" if trial.reason else ""
    say(f"trial {trial.number} {state}{distance}: {values}{reason}")


def _show(found: "SweepResult") -> None:
    """Print what was found, where it is, and what can be done next."""
    from inkgan.cli.console import show
    from inkgan.sweeps.result import BEST, PAGE

    show(found.summary())
    show("Written:")
    show(f"  {'page':12} {path_line(found.out / PAGE)}")
    if found.best is None:
        return
    show(f"  {'best recipe':12} {path_line(found.out / BEST)}")
    minutes = found.plan.options.minutes
    limit = "" if minutes is None else f" --minutes {minutes:g}"
    command = f"{program()} train {shell_words(found.out / BEST)}{limit}"
    show("Next:")
    show(f"  {command}")
    show(f"  {command} --seeds 0-4")
