"""inkgan studio: training in the browser."""

import contextlib
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkgan.cli.options import DataDir, Device
from inkgan.errors import ArtifactError
from inkgan.optional_imports import import_extra
from inkgan.printable import path_line

if TYPE_CHECKING:
    from inkgan.studio.serve import Address


def studio(
    runs: Annotated[Path, typer.Option(help="The folder that holds the run folders.")] = Path(
        "runs"
    ),
    host: Annotated[str, typer.Option(help="Address to bind to.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 takes the port of last time, or a free one.")
    ] = 0,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name by which browsers may call the studio.")
    ] = None,
    data_dir: DataDir = None,
    device: Device = "auto",
    open_: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Train, watch and compare in the browser. Ctrl-C ends the studio; its runs go on.

    Example: inkgan studio --runs runs
    """
    for module in ("fastapi", "uvicorn", "psutil"):
        import_extra(module, "studio", "the studio")
    from inkgan.cli.console import say, show, warn
    from inkgan.cli.translate import running as running_command
    from inkgan.cli.translate import translate
    from inkgan.studio.serve import reserved, running_studio, serve

    def ready(address: "Address") -> None:
        if not address.is_local:
            warn(
                f"Other computers reach the studio at {host}: whoever has the token can train and "
                "read files here. Traffic is not encrypted."
            )
        show(address.url)
        say("Ctrl-C ends the studio; runs go on, and queued ones wait.")
        if open_:
            webbrowser.open(address.url)

    options = {"device": device} if device != "auto" else {}
    options |= {"data_dir": str(data_dir.resolve())} if data_dir else {}
    command = running_command.get()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(reserved(runs))
        except ArtifactError:
            address = running_studio(runs)
            if address is None:
                raise
            say(f"A studio serves {path_line(runs)} already:")
            show(address.url)
            return
        with contextlib.suppress(KeyboardInterrupt):
            serve(
                runs,
                host=host,
                port=port,
                allow_host=allow_host or (),
                options=options,
                spell=lambda text: translate(text, command),
                ready=ready,
            )
    say("The studio has ended; runs go on. The same command opens it again.")
