"""Asks the process that has torch, and starts it when it is needed."""

import asyncio
import contextlib
import json
import sys
from typing import Any

from inkgan.errors import InkganError

SECONDS = 180.0  # for one answer
LINE_LIMIT = 1 << 24  # bytes of one answer


class ModelClient:
    """Asks one question at a time; the process is started with the first and kept."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the answer.

        Raises:
            InkganError: the question has none, or it takes too long.
        """
        async with self._turn:
            process = await self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write((json.dumps(question) + "\n").encode())
                await process.stdin.drain()
                line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
            except (TimeoutError, OSError, asyncio.CancelledError):
                await self.close()  # its answer would be taken for that of the next question
                raise
            if not line:
                await self.close()
                raise InkganError("The process that draws has ended: the memory may be full.")
            answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            raise InkganError(answer["refused"])
        return answer

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "inkgan.studio.model_worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
            )
        return self._process
