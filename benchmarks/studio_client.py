"""A studio in a process of its own, and a page of it without a browser."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from inkgan.studio.serve import Address, running_studio


@contextmanager
def studio(runs: Path) -> Iterator[tuple[Address, int]]:
    """Serve a folder of runs; yield where the studio answers, and its process."""
    words = [sys.executable, "-m", "inkgan", "studio", "--runs", str(runs), "--no-open"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert server.stdout is not None
    try:
        server.stdout.readline()  # it answers
        address = running_studio(runs)
        assert address is not None
        yield address, server.pid
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@asynccontextmanager
async def event_stream(
    address: Address, run: str, last: str = ""
) -> AsyncIterator[asyncio.StreamReader]:
    """Connect to the stream, and vanish without a word afterwards.

    Args:
        address: of the studio.
        run: the name of the run.
        last: the id of the last event that was received, if there is one.
    """
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=2**24)
    headers = _head(address, f"/api/events?run={run}")
    headers += [f"Last-Event-ID: {last}"] if last else []
    try:
        writer.write(("\r\n".join(headers) + "\r\n\r\n").encode())
        yield reader
    finally:
        writer.transport.abort()


def _head(address: Address, path: str) -> list[str]:
    return [
        f"GET {path} HTTP/1.1",
        f"Host: {address.host}:{address.port}",
        f"Authorization: token {address.token}",
    ]
