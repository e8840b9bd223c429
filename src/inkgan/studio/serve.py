"""Start the studio: one server for a folder of runs, on this computer only unless asked."""

import errno
import json
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from inkgan import files
from inkgan.errors import ArtifactError, ConfigError
from inkgan.folder_lock import locked
from inkgan.io.live_folder import read_document
from inkgan.studio.app import Settings, create_app
from inkgan.studio.gate import LOCAL_NAMES, Access
from inkgan.studio.jobs import NO_OPTIONS

HIDDEN = ".studio"  # folder of the server in the folder of runs
BACKLOG = 256


@dataclass(frozen=True)
class Address:
    """Where a studio answers.

    Attributes:
        host: that it is bound to.
        port: the same.
        token: the secret that opens it.
    """

    host: str
    port: int
    token: str

    @property
    def url(self) -> str:
        """The first address, with the token."""
        name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)
        name = f"[{name}]" if ":" in name and not name.startswith("[") else name
        return f"http://{name}:{self.port}/?token={self.token}"

    @property
    def is_local(self) -> bool:
        """Whether only this computer reaches it."""
        return self.host in LOCAL_NAMES


@contextmanager
def reserved(runs: Path) -> Iterator[None]:
    """Be the only studio of a folder of runs while the block runs.

    Raises:
        ArtifactError: the folder cannot be written, or another studio serves it.
    """
    files.require_writable(runs)
    with locked(runs / HIDDEN, "serving"):
        yield


def running_studio(runs: Path) -> Address | None:
    """Return where the studio of a folder of runs answers, or answered last."""
    document = read_document(runs / HIDDEN / "server.json")
    host, port, token = (document.get(key) for key in ("host", "port", "token"))
    if isinstance(host, str) and isinstance(port, int) and isinstance(token, str) and token:
        return Address(host, port, token)
    return None


def serve(
    runs: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_host: Sequence[str] = (),
    options: Mapping[str, Any] = NO_OPTIONS,
    spell: Callable[[str], str] = str,
    ready: Callable[[Address], None] = lambda address: None,
) -> None:
    """Serve a folder of runs until the process is interrupted; running jobs go on.

    Token and port are kept in the folder, readable by its owner alone, so that pages that are
    open find a restarted studio again.

    Args:
        runs: the folder; it is made if it is missing.
        host: address to bind to.
        port: 0 takes that of the last time if it is free, or any other.
        allow_host: further names by which browsers may call the server.
        options: of every command, such as {"device": "cpu"}.
        spell: turns parameters in backticks into the flags of the command.
        ready: called with the address as soon as the server answers.

    Raises:
        ConfigError: host or port cannot be bound.
        ArtifactError: the folder cannot be written.
    """
    last = running_studio(runs)
    wanted = port or (last.port if last and last.host == host else 0)
    bound = _bind(host, wanted, fall_back=not port)
    actual = bound.getsockname()[1]
    address = Address(host, actual, last.token if last else secrets.token_urlsafe(32))
    _remember(runs, address)
    access = Access(address.token, host, actual, tuple(allow_host), spell)
    settings = Settings(runs, access, options, ready=lambda: ready(address))
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning",
        access_log=False,  # addresses hold the token
        server_header=False,
        timeout_graceful_shutdown=1,
        lifespan="on",
    )
    with bound:
        uvicorn.Server(config).run(sockets=[bound])


def _bind(host: str, port: int, *, fall_back: bool) -> socket.socket:
    """Bind a socket; where a port that was only preferred is taken, any other."""
    try:
        found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, _, _, place = found[0]
        bound = socket.socket(family, kind)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"`host` {host!r} cannot be bound: {error}") from error
    try:
        bound.bind(place)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        if fall_back and port and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return _bind(host, 0, fall_back=False)
        what = f"`port={port}`" if error.errno != errno.EADDRNOTAVAIL else f"`host` {host!r}"
        raise ConfigError(f"{what} cannot be bound: {error.strerror}") from error
    return bound


def _remember(runs: Path, address: Address) -> None:
    """Keep token and port where only the owner reads them."""
    path = runs / HIDDEN / "server.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(json.dumps(vars(address)), encoding="utf-8")
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {error.strerror or error}") from error
