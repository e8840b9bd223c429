"""The stream: no row lost or doubled, bounded pieces, and clients that are slow or gone."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from inkgan.config.recipes import RECIPES
from inkgan.config.serialize import to_toml
from inkgan.files import write_text
from inkgan.io.live_folder import LiveFolder
from inkgan.studio import stream
from inkgan.studio.jobs import Jobs
from inkgan.studio.run_folders import RunFolders
from inkgan.studio.stream import PIECE_ROWS, Client, EventStream, Follower, events
from tests.studio.asgi import run_apart


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.toml").write_text(to_toml(RECIPES["dcgan"]), encoding="utf-8")
    return tmp_path


@pytest.fixture
def follower(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Follower:
    monkeypatch.setattr(stream, "LOOK_SECONDS", 0.0)
    folders = RunFolders(runs)
    return Follower(Jobs(folders).entries, folders.find)


def append(run: Path, *steps: int) -> None:
    with (run / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"step": step}) + "\n" for step in steps)


class Page:
    """What a page makes of its events; it may connect again at any time."""

    def __init__(self, follower: Follower, *names: str) -> None:
        self.follower, self.names, self.last = follower, names, ""
        self.rows: dict[str, list[int]] = {name: [] for name in names}
        self.frames: list[int] = []
        self.pieces: list[int] = []
        self.connect()

    def connect(self) -> None:
        self.client = Client(self.follower, self.names, self.last, pictures=True)

    def read(self, rounds: int = 1) -> bool:
        more = False
        for _ in range(rounds):
            texts, more = self.client.news()
            for text in texts:
                self.take(text)
        return more

    def take(self, text: str) -> None:
        fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
        self.last = fields.get("id", self.last)
        data: Any = json.loads(fields["data"])
        if fields["event"] == "rewind":
            self.rows[data["run"]] = []
        elif fields["event"] == "rows":
            assert data["first"] == len(self.rows[data["run"]])
            self.rows[data["run"]] += [row["step"] for row in data["rows"]]
            self.pieces.append(len(data["rows"]))
        elif fields["event"] == "frame":
            self.frames.append(data["frame"].get("number"))


def test_rows_arrive_once_across_reconnections(follower: Follower, runs: Path) -> None:
    page = Page(follower, "a", "b")
    for step in range(40):
        append(runs / "a", step)
        if step % 3 == 0:
            append(runs / "b", step)
        if step % 2:
            page.read()
        if step % 5 == 0:
            page.connect()
    page.read()
    assert page.rows == {"a": [*range(40)], "b": [*range(0, 40, 3)]}


def test_a_long_history_comes_in_bounded_pieces(follower: Follower, runs: Path) -> None:
    count = 3 * PIECE_ROWS + 7
    append(runs / "a", *range(count))
    page = Page(follower, "a")
    assert page.read()  # more is ready
    page.connect()  # in the middle of it
    while page.read():
        pass
    assert page.rows["a"] == [*range(count)]
    assert max(page.pieces) == PIECE_ROWS


def test_a_run_that_goes_back_is_told_again(follower: Follower, runs: Path) -> None:
    append(runs / "a", 1, 2, 3)
    page = Page(follower, "a")
    page.read()
    write_text(runs / "a" / "metrics.jsonl", '{"step": 1}\n')
    page.read(2)
    assert page.rows["a"] == [1]
    append(runs / "a", 20, 30)
    page.read()
    page.last = "3-0"  # a page that slept through all of this
    page.connect()
    page.read(2)
    assert page.rows["a"] == [1, 20, 30]


@pytest.mark.parametrize("last", ["", "x", "99-1", "~~~", "1-0~1-0~1-0", "é"])
def test_any_last_id_gives_all_rows(follower: Follower, runs: Path, last: str) -> None:
    append(runs / "a", 1, 2)
    page = Page(follower, "a")
    page.last = last
    page.connect()
    page.read(2)
    assert page.rows["a"] == [1, 2]


def test_pictures_are_asked_for_and_told_once(follower: Follower, runs: Path) -> None:
    live = LiveFolder(runs / "a")
    page = Page(follower, "a")
    page.read()
    assert live.is_watched()
    assert not LiveFolder(runs / "b").is_watched()
    live.write_frame(b"png", {"number": 1, "logits": [float("nan")]})
    page.read(3)
    live.write_frame(b"png", {"number": 2})
    page.read(3)
    assert page.frames == [None, 1, 2] or page.frames == [1, 2]


def test_clients_that_leave_or_take_nothing_are_let_go(
    follower: Follower, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SEND_SECONDS", 0.05)
    sent: list[str] = []

    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def gone() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def stuck(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    async def taking(message: Any) -> None:
        sent.append(message["type"])

    async def both() -> None:
        for receive, send in ((never, stuck), (gone, taking)):
            client = Client(follower, ["a"], "", pictures=True)
            answer = EventStream(events(client), follower)
            await asyncio.wait_for(answer({"type": "http"}, receive, send), 10)
            assert follower.clients == 0

    run_apart(both())
    assert "http.response.body" in sent
