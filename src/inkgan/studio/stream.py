"""The event stream: rows of metrics, pictures and states of runs, as server-sent events.

Each client has a position in each file that it follows and reads from there at its own pace, so
a client that is slow or gone holds up nobody, and nothing is queued for it.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from inkgan.io.live_folder import LiveFolder, read_document
from inkgan.io.run_paths import RunPaths
from inkgan.studio.row_tail import RowTail, mark_of, parse_row
from inkgan.studio.run_state import RunEntry

LOOK_SECONDS = 0.15  # between two looks at the files
STATES_SECONDS = 1.0  # between two looks at the states of all runs
HEARTBEAT_SECONDS = 10.0
SEND_SECONDS = 30.0  # after which a client that takes nothing is given up
PIECE_ROWS = 500  # in one event
KEPT_PIECES = 8  # of a run, as they are sent
MOST_RUNS = 8  # that one client follows
MOST_CLIENTS = 256
NOTHING = "0-0"  # the mark of a client that has no rows


@dataclass(frozen=True)
class Piece:
    """Rows as they are sent.

    Attributes:
        reached: the number of rows up to and with these.
        mark: of these many rows.
        rows: a list, as JSON.
    """

    reached: int
    mark: str
    rows: str


class FollowedRun:
    """What all clients share of one run: where its rows are, and its newest picture.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self.rows = RowTail(RunPaths(run).metrics_path)
        self.frame = "{}"
        self.frame_number: Any = None
        self._pieces: dict[tuple[int, int, int], Piece] = {}
        self._live = LiveFolder(run)
        self._frame_changed: int | None = None
        self._looked_at = self._watched_at = 0.0

    def refresh(self) -> None:
        """Look at the files, unless another client has just done so."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS / 2:
            return
        self._looked_at = now
        self.rows.refresh()
        try:
            changed = self._live.frame_path.stat().st_mtime_ns
        except OSError:
            changed = None
        if changed != self._frame_changed:
            self._frame_changed = changed
            document = read_document(self._live.frame_path)
            self.frame, self.frame_number = json.dumps(document), document.get("number")

    def piece(self, first: int) -> "Piece":
        """Return the rows from number `first` on, which most clients want at the same time."""
        key = (self.rows.generation, first, min(len(self.rows), first + PIECE_ROWS))
        if key not in self._pieces:
            lines = self.rows.lines(first, PIECE_ROWS)
            reached = first + len(lines)
            mark = mark_of(reached, lines[-1]) if lines else ""
            rows = json.dumps([parse_row(line) for line in lines])
            while len(self._pieces) >= KEPT_PIECES:
                del self._pieces[next(iter(self._pieces))]
            self._pieces[key] = Piece(reached, mark, rows)
        return self._pieces[key]

    def watch(self) -> None:
        """Ask the training process for pictures."""
        now = time.monotonic()
        if now - self._watched_at > 1.0:
            self._watched_at = now
            self._live.watch()


class Follower:
    """Follows the runs that somebody looks at.

    Args:
        entries: lists all runs.
        find: returns the folder of a run; raises KeyError.
    """

    def __init__(self, entries: Callable[[], list[RunEntry]], find: Callable[[str], Path]) -> None:
        self._entries, self._find = entries, find
        self._runs: dict[str, FollowedRun] = {}
        self._states = ""
        self._states_at = 0.0
        self.clients = 0

    def run(self, name: str) -> FollowedRun:
        """Return what is shared of a run.

        Raises:
            KeyError: there is no such run.
        """
        path = self._find(name)
        if name not in self._runs:
            self._runs[name] = FollowedRun(path)
        return self._runs[name]

    def states(self) -> str:
        """Return the list of all runs as JSON, at most a second old."""
        now = time.monotonic()
        if not self._states or now - self._states_at > STATES_SECONDS:
            self._states = json.dumps([entry.to_dict() for entry in self._entries()])
            self._states_at = time.monotonic()
        return self._states

    def release(self) -> None:
        """Forget the runs when nobody follows any."""
        if not self.clients:
            self._runs.clear()


class Client:
    """Where one client is: the rows that it has received, and the picture that it has seen.

    Args:
        follower: shared by all clients.
        names: of the runs whose rows the client wants, in a fixed order.
        last_id: the id of the last event that it has received, or empty.
        pictures: whether it looks at the pictures too.
    """

    def __init__(
        self, follower: Follower, names: Sequence[str], last_id: str, *, pictures: bool
    ) -> None:
        self._follower, self._names, self._pictures = follower, names, pictures
        given = last_id.split("~") if last_id else []
        self._marks = (given + [NOTHING] * len(names))[: len(names)]
        self._known: list[tuple[int, int] | None] = [None] * len(names)  # generation, rows
        self._frames: list[int | None] = [None] * len(names)
        self._states = ""

    def news(self) -> tuple[list[str], bool]:
        """Return the events that are due, and whether more rows are ready."""
        texts, more = [], False
        if (states := self._follower.states()) != self._states:
            self._states = states
            texts.append(_event("runs", states))
        for place, name in enumerate(self._names):
            try:
                run = self._follower.run(name)
            except KeyError:  # its folder is gone; the list of runs says so
                continue
            run.refresh()
            rows, ready = self._rows(run, place)
            texts += rows
            more = more or ready
            if self._pictures:
                run.watch()
                texts += self._frame(run, place)
        return texts, more

    def _rows(self, run: FollowedRun, place: int) -> tuple[list[str], bool]:
        """Return the next piece of a run's rows, and whether there are more."""
        texts, name = [], self._names[place]
        known, generation = self._known[place], run.rows.generation
        if known is not None and known[0] == generation:
            count = known[1]
        else:
            found = run.rows.position(self._marks[place])
            count = 0 if found is None else found
            if found is None:  # the rows are others: the client has to forget those it has
                self._marks[place] = NOTHING
                texts.append(_event("rewind", json.dumps({"run": name}), self._id()))
        before = count
        if count < len(run.rows):
            piece = run.piece(count)
            if piece.reached > count:
                self._marks[place] = piece.mark
                data = f'{{"run": {json.dumps(name)}, "first": {count}, "rows": {piece.rows}}}'
                texts.append(_event("rows", data, self._id()))
                count = piece.reached
        self._known[place] = generation, count
        return texts, before < count < len(run.rows)

    def _frame(self, run: FollowedRun, place: int) -> list[str]:
        number = run.frame_number
        if number == self._frames[place]:
            return []
        self._frames[place] = number
        return [
            _event("frame", f'{{"run": {json.dumps(self._names[place])}, "frame": {run.frame}}}')
        ]

    def _id(self) -> str:
        return "~".join(self._marks)


async def events(client: Client) -> AsyncIterator[str]:
    """Yield the texts of one client's stream, for ever.

    Yields:
        Events `runs`, `rows`, `rewind` and `frame`, and a comment now and then. The id of an event
        is a mark of each run: the number of its rows that have been sent, and a checksum.
    """
    spoke_at = time.monotonic()
    yield "retry: 1000\n\n"
    while True:
        texts, more = client.news()
        for text in texts:
            yield text
        if texts:
            spoke_at = time.monotonic()
        elif time.monotonic() - spoke_at > HEARTBEAT_SECONDS:
            spoke_at = time.monotonic()
            yield ": still here\n\n"
        await asyncio.sleep(0 if more else LOOK_SECONDS)


def _event(kind: str, data: str, identity: str = "") -> str:
    head = f"id: {identity}\n" if identity else ""
    return f"{head}event: {kind}\ndata: {data}\n\n"


class EventStream(Response):
    """An answer that goes on until its client leaves, or takes nothing for half a minute.

    Args:
        texts: of the events.
        follower: counts its clients.
    """

    def __init__(self, texts: AsyncIterator[str], follower: Follower) -> None:
        super().__init__()
        self._texts, self._follower = texts, follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events."""
        self._follower.clients += 1
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self._follower.clients -= 1
            self._follower.release()

    async def _send(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for text in self._texts:
            message = {"type": "http.response.body", "body": text.encode(), "more_body": True}
            # not wait_for: until Python 3.12 it loses a cancellation where `send` has just ended
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
