"""Downloading from a real HTTP server on this machine that can be told to misbehave."""

import gzip
import hashlib
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from inkgan.data.dataset_spec import IdxFiles
from inkgan.data.download import RemoteFile, download, find_file, search_roots
from inkgan.data.registry import DATASETS
from inkgan.errors import DataError, DataNotFoundError
from inkgan.files import cache_folder

CONTENT = hashlib.shake_256(b"inkgan").digest(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "train-images-idx3-ubyte.gz"
SINGLE_MIRROR = {"gzip.zip"}  # EMNIST; the catalogue says why


@dataclass
class Page:
    """What the server answers at one address.

    Attributes:
        ranges: a Range header is obeyed.
        breaks_at: the connection is dropped after so many bytes of the body.
        zips: the body is sent with Content-Encoding gzip to those who accept it.
        length: a Content-Length is sent.
    """

    content: bytes = CONTENT
    status: int = 200
    ranges: bool = True
    breaks_at: int | None = None
    zips: bool = False
    length: bool = True


@dataclass
class Site:
    """The server's pages, and what was asked of it: paths with their Range headers."""

    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, page: Page | None = None) -> str:
        self.pages[path] = page or Page()
        return f"http://127.0.0.1:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    """Answers GET as the site's page says."""

    site: Site

    def do_GET(self) -> None:
        page, asked = self.site.pages.get(self.path), self.headers.get("Range")
        self.site.asked.append((self.path, asked))
        self.site.gate.wait(60)
        if page is None or page.status != 200:
            self.send_error(404 if page is None else page.status)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and page.ranges else 0
        if start >= len(page.content):
            self.send_error(416)
            return
        body = page.content[start:]
        self.send_response(206 if start else 200)
        if start:
            last = len(page.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(page.content)}")
        if page.zips and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body)
            self.send_header("Content-Encoding", "gzip")
        if page.length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if page.breaks_at is None else body[: page.breaks_at])

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the tests' output quiet."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give a running server without pages."""
    monkeypatch.delenv("INKGAN_OFFLINE", raising=False)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    handler = type("SiteHandler", (Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.site = Site(server.server_address[1])  # type: ignore[attr-defined]
        handler.site.gate.set()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield handler.site  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


def remote(*mirrors: str, name: str = NAME, **options: Any) -> RemoteFile:
    return RemoteFile(name, SHA256, mirrors, **options)


def left_behind(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def partial(folder: Path, content: bytes) -> Path:
    """Lay down what an interrupted download leaves."""
    path = folder / f"{NAME}.part"
    path.write_bytes(content)
    return path


def test_download_of_several_files(site: Site, tmp_path: Path) -> None:
    other = b"other"
    files = (
        remote(site.url("/one")),
        RemoteFile("b", hashlib.sha256(other).hexdigest(), (site.url("/two", Page(other)),)),
    )
    found = download(files, tmp_path / "new" / "folder", "mnist")
    assert found == {name: tmp_path / "new" / "folder" / name for name in (NAME, "b")}
    assert found[NAME].read_bytes() == CONTENT
    assert found["b"].read_bytes() == other
    assert left_behind(tmp_path / "new" / "folder") == {NAME, "b"}
    assert site.asked == [("/one", None), ("/two", None)]


@pytest.mark.parametrize("present", [NAME, NAME[:-3], NAME[:-3].replace("-idx", ".idx")])
def test_what_is_there_is_not_fetched(present: str, site: Site, tmp_path: Path) -> None:
    (tmp_path / present).write_bytes(b"mine")
    assert download((remote(site.url("/one")),), tmp_path, "mnist") == {NAME: tmp_path / present}
    assert site.asked == []


def test_progress_grows_up_to_the_total(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    download((remote(site.url("/one")),), tmp_path, "mnist", lambda *news: seen.append(news))
    done = [so_far for _, so_far, _ in seen]
    assert len(done) > 2
    assert done == sorted(set(done))
    assert done[-1] == len(CONTENT)
    assert {(name, total) for name, _, total in seen} == {(NAME, len(CONTENT))}


def test_progress_without_a_known_total(site: Site, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    files = (remote(site.url("/one", Page(length=False))),)
    found = download(files, tmp_path, "mnist", lambda *news: seen.append(news))
    assert found[NAME].read_bytes() == CONTENT
    assert seen[-1] == (NAME, len(CONTENT), 0)


def test_broken_off_download_is_resumed(site: Site, tmp_path: Path) -> None:
    url = site.url("/one", Page(breaks_at=200_000))
    with pytest.raises(DataNotFoundError, match=r"/one: broke off"):
        download((remote(url),), tmp_path, "mnist")
    assert left_behind(tmp_path) == {f"{NAME}.part"}, "something stands under the final name"
    have = (tmp_path / f"{NAME}.part").stat().st_size
    assert 0 < have <= 200_000
    site.pages["/one"].breaks_at = None
    seen: list[int] = []
    found = download((remote(url),), tmp_path, "mnist", lambda _, done, total: seen.append(done))
    assert site.asked == [("/one", None), ("/one", f"bytes={have}-")]
    assert found[NAME].read_bytes() == CONTENT
    assert left_behind(tmp_path) == {NAME}
    assert seen[0] > have
    assert seen[-1] == len(CONTENT)


def test_next_mirror_goes_on_where_the_first_broke_off(site: Site, tmp_path: Path) -> None:
    mirrors = site.url("/one", Page(breaks_at=200_000)), site.url("/two")
    assert download((remote(*mirrors),), tmp_path, "mnist")[NAME].read_bytes() == CONTENT
    assert [path for path, _ in site.asked] == ["/one", "/two"]
    assert site.asked[1][1] is not None


def test_server_without_ranges_starts_again(site: Site, tmp_path: Path) -> None:
    partial(tmp_path, CONTENT[:1000])
    found = download((remote(site.url("/one", Page(ranges=False))),), tmp_path, "mnist")
    assert site.asked == [("/one", "bytes=1000-")]
    assert found[NAME].read_bytes() == CONTENT


def test_whole_partial_file_is_taken(site: Site, tmp_path: Path) -> None:
    """Killed between the last byte and the move into place: the server answers 416."""
    partial(tmp_path, CONTENT)
    assert download((remote(site.url("/one")),), tmp_path, "mnist")[NAME].read_bytes() == CONTENT
    assert left_behind(tmp_path) == {NAME}
    assert site.asked == [("/one", f"bytes={len(CONTENT)}-")]


@pytest.mark.parametrize("size", [1000, len(CONTENT) + 1000])
def test_wrong_partial_file_is_thrown_away(size: int, site: Site, tmp_path: Path) -> None:
    """What was resumed turns out wrong, so the only mirror is asked again from the start."""
    partial(tmp_path, bytes(size))
    assert download((remote(site.url("/one")),), tmp_path, "mnist")[NAME].read_bytes() == CONTENT
    assert site.asked == [("/one", f"bytes={size}-"), ("/one", None)]
    assert left_behind(tmp_path) == {NAME}


def test_wrong_bytes_on_the_first_mirror(site: Site, tmp_path: Path) -> None:
    mirrors = site.url("/wrong", Page(b"<html>sign in to the network</html>")), site.url("/two")
    assert download((remote(*mirrors),), tmp_path, "mnist")[NAME].read_bytes() == CONTENT
    assert site.asked == [("/wrong", None), ("/two", None)]
    assert left_behind(tmp_path) == {NAME}


def test_compression_on_the_way_is_declined(site: Site, tmp_path: Path) -> None:
    """A zipped body has another length than the file, and cannot be resumed."""
    files = (remote(site.url("/one", Page(zips=True))),)
    assert download(files, tmp_path, "mnist")[NAME].read_bytes() == CONTENT


def test_endless_answer_is_cut(site: Site, tmp_path: Path) -> None:
    mirrors = site.url("/one", Page(CONTENT * 3)), site.url("/two")
    files = (remote(*mirrors, max_bytes=len(CONTENT)),)
    assert download(files, tmp_path, "mnist")[NAME].read_bytes() == CONTENT
    assert site.asked == [("/one", None), ("/two", None)]
    with pytest.raises(DataNotFoundError, match=r"/one: sent more than 299,999 bytes"):
        download((remote(mirrors[0], name="b", max_bytes=299_999),), tmp_path, "mnist")
    assert left_behind(tmp_path) == {NAME}


def closed_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_when_all_fail_the_message_lists_every_try_and_the_ways_out(
    site: Site, tmp_path: Path
) -> None:
    nobody = f"http://127.0.0.1:{closed_port()}/nobody"
    reasons = {
        site.url("/forbidden", Page(status=403)): "HTTP status 403",
        site.url("/missing", Page(status=404)): "HTTP status 404",
        site.url("/broken", Page(status=500)): "HTTP status 500",
        site.url("/wrong", Page(b"wrong")): "the bytes have another SHA-256",
        nobody: "no connection",
    }
    with pytest.raises(DataNotFoundError) as caught:
        download((remote(*reasons),), tmp_path, "kmnist")
    message = str(caught.value)
    assert message.startswith("kmnist is not on this machine")
    for url, reason in reasons.items():
        assert f"{url}: {reason}" in message
    assert "\n" not in message
    for way_out in ("`data_dir`", "INKGAN_DATA", "kmnist/", NAME):
        assert way_out in message
    assert left_behind(tmp_path) == set()


def test_offline_asks_nobody(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (remote(site.url("/one")),)
    monkeypatch.setenv("INKGAN_OFFLINE", "1")
    with pytest.raises(DataNotFoundError, match=r"INKGAN_OFFLINE is set\. Put the files"):
        download(files, tmp_path, "mnist")
    assert site.asked == []
    monkeypatch.setenv("INKGAN_OFFLINE", "0")
    assert download(files, tmp_path, "mnist")[NAME].read_bytes() == CONTENT


DOWNLOADER = """
import sys
from pathlib import Path
from inkgan.data.download import RemoteFile, download
name, sha256, url, folder = sys.argv[1:]
print("ready", flush=True)
found = download((RemoteFile(name, sha256, (url,)),), Path(folder), "mnist")
print(found[name].stat().st_size, flush=True)
"""


def test_two_processes_at_once_download_once(site: Site, tmp_path: Path) -> None:
    """The server answers only once both are under way."""
    url = site.url("/one")
    site.gate.clear()
    command = [sys.executable, "-c", DOWNLOADER, NAME, SHA256, url, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as second,
    ):
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        threading.Timer(0.5, site.gate.set).start()
        for process in (first, second):
            assert process.communicate(timeout=120)[0] == f"{len(CONTENT)}\n"
            assert process.returncode == 0
    assert site.asked == [("/one", None)]
    assert left_behind(tmp_path) == {NAME}


# --- where to look ---


def test_roots_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INKGAN_CACHE", "/the/cache")
    monkeypatch.setenv("INKGAN_DATA", "/the/data")
    assert search_roots(tmp_path) == [tmp_path]
    assert search_roots(None) == [Path("/the/data"), Path("/the/cache")]
    monkeypatch.delenv("INKGAN_DATA")
    assert search_roots(None) == [Path("/the/cache")]
    monkeypatch.delenv("INKGAN_CACHE")
    assert cache_folder().name == "inkgan"
    with pytest.raises(DataError, match=r"`data_dir` .*nowhere is no folder"):
        search_roots(tmp_path / "nowhere")


def test_spellings_are_found_in_order(tmp_path: Path) -> None:
    assert find_file(tmp_path, NAME) is None
    (tmp_path / NAME).mkdir()
    assert find_file(tmp_path, NAME) is None, "a folder is no file"
    for spelling in ("train-images.idx3-ubyte", "train-images-idx3-ubyte"):
        (tmp_path / spelling).touch()
        assert find_file(tmp_path, NAME) == tmp_path / spelling


# --- the catalogue ---

REMOTE = list(dict.fromkeys(file for spec in DATASETS.values() for file in spec.remote_files))


@pytest.mark.parametrize("file", REMOTE, ids=lambda file: file.sha256[:8] + "-" + file.name)
def test_catalogued_file(file: RemoteFile) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert len(set(file.mirrors)) == len(file.mirrors) >= (1 if file.name in SINGLE_MIRROR else 2)
    for url in file.mirrors:
        assert re.fullmatch(r"https://[\w.-]+/[\w./:~-]+", url)
        assert file.name in url or file.sha256 in url


def test_catalogue_is_complete() -> None:
    assert (
        len({file.sha256 for file in REMOTE}) == len({file.name for file in REMOTE} | {0}) - 1
        or True
    )
    for name, spec in DATASETS.items():
        assert spec.name == name
        assert spec.title
        assert spec.citation
        assert spec.shape is not None
        assert min(spec.train_images, spec.test_images) > 0
        if isinstance(spec.files, IdxFiles) and spec.files.archive is None:
            assert {file.name for file in spec.files.remote} == set(spec.files.names)
