"""Requests to an application in this process, without a network."""

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message

from inkgan.studio.app import Settings, create_app
from inkgan.studio.gate import Access

TOKEN = "a-token-of-the-tests"
HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"
BY_TOKEN = {"authorization": f"token {TOKEN}"}
BY_COOKIE = {"cookie": f"inkgan-studio-8000={TOKEN}"}


@dataclass(frozen=True)
class Answer:
    """What the application has answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def studio(runs: Path, **access: Any) -> ASGIApp:
    return create_app(Settings(runs, Access(TOKEN, port=8000, **access), {"device": "cpu"}))


def run_apart(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a thread, since an open browser keeps a loop running in the main one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


def call(
    app: ASGIApp,
    path: str,
    method: str = "GET",
    body: bytes | object = b"",
    headers: dict[str, str] | None = None,
    host: str = HOST,
) -> Answer:
    """Send one request; a body that is no bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"host": host, "content-length": str(len(data)), "content-type": "application/json"}
    sent |= BY_TOKEN if headers is None else headers
    pure, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": pure,
        "raw_path": pure.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(key.encode(), value.encode("latin-1")) for key, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    pieces = [data[start : start + 65536] for start in range(0, len(data), 65536)] or [b""]
    messages: list[Message] = []

    async def receive() -> Message:
        if pieces:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}
        await asyncio.sleep(60)  # the client waits for its answer
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    async def answer() -> None:
        await app(scope, receive, send)

    run_apart(answer())
    start = messages[0]
    found = {key.decode(): value.decode("latin-1") for key, value in start["headers"]}
    return Answer(start["status"], found, b"".join(m.get("body", b"") for m in messages[1:]))
