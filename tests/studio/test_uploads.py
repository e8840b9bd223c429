"""Images of one's own: what is stored, and what is refused before it does harm."""

import errno
import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.types import ASGIApp

from inkgan.data.dataset import load_dataset
from tests.studio.asgi import Answer, call, studio
from tests.studio.browser import SLOW, Server, go


@pytest.fixture
def app(tmp_path: Path) -> ASGIApp:
    return studio(tmp_path / "runs")


def png(seed: int, size: int = 12) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (size, size), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def bomb(side: int) -> bytes:
    """Return a PNG of a few bytes that claims to be a huge picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def put(app: ASGIApp, path: str, data: bytes) -> Answer:
    return call(app, f"/api/uploads/{path}", "PUT", data)


def test_pictures_become_a_set_that_can_be_trained_on(app: ASGIApp) -> None:
    for label in ("zero", "één 1"):
        for seed in range(12):
            assert put(app, f"mine/{label}", png(seed + len(label))).json()["stored"]
    assert not put(app, "mine/zero", png(4)).json()["stored"]  # it is there already
    found = call(app, "/api/uploads").json()["mine"]
    assert found["classes"] == {"zero": 12, "één 1": 12}
    data = load_dataset(found["data"])
    assert len(data) + len(load_dataset(found["data"], "test")) == 24
    assert set(data.classes) == {"zero", "één 1"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no picture"),
        (b"<svg onload=alert(1)>", "no picture"),
        (b"MZ\x90\x00" * 100, "no picture"),
        (png(1)[:60], "no picture"),
        (bomb(7000), "more than 40,000,000 pixels"),
        (bomb(60_000), "more than 40,000,000 pixels"),
    ],
)
def test_what_is_no_picture_is_refused(app: ASGIApp, data: bytes, reason: str) -> None:
    answer = put(app, "mine/a", data)
    assert answer.status == 400
    assert reason in answer.json()["error"]
    assert call(app, "/api/uploads").json() == {}


@pytest.mark.parametrize(
    "label", ["..", ".", ".a", " a", "a/b", "a\\b", "a.", "-", "a" * 61, "<b>"]
)
def test_names_of_classes_stay_in_the_set(app: ASGIApp, tmp_path: Path, label: str) -> None:
    assert put(app, f"mine/{label}", png(1)).status in (400, 404, 405)
    assert put(app, f"../{label}", png(1)).status in (400, 404, 405)
    assert not list(tmp_path.rglob("*.png"))


def test_a_set_has_its_limits(app: ASGIApp, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkgan.studio import api_uploads

    monkeypatch.setattr(api_uploads, "MOST_FILES", 2)
    monkeypatch.setattr(api_uploads, "MOST_CLASSES", 1)
    assert put(app, "mine/a", png(1)).status == 200
    assert put(app, "mine/b", png(1)).status == 413
    assert put(app, "mine/a", png(2)).status == 200
    assert put(app, "mine/a", png(3)).status == 413


def test_a_full_disk_is_said_and_leaves_nothing(
    app: ASGIApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert put(app, "mine/a", png(1)).status == 200
    before = {path for path in tmp_path.rglob("*") if path.is_file()}

    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        for name in ("mine/a", "mine/b", "other/a"):
            answer = put(app, name, png(2))
            assert answer.status == 400
            assert "No space left on device" in answer.json()["error"]
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
    assert {name: found["classes"] for name, found in call(app, "/api/uploads").json().items()} == {
        "mine": {"a": 1}
    }
    assert put(app, "mine/b", png(2)).status == 200


def test_pictures_are_chosen_and_dropped_in_the_browser(
    page: Any, server: Server, tmp_path: Path
) -> None:
    paths = []
    for seed in range(3):
        paths.append(tmp_path / f"{seed}.png")
        paths[-1].write_bytes(png(seed))
    (tmp_path / "note.txt").write_text("no picture")
    go(page, server, "data?set=drawn&class=seven")
    page.get_by_label("Choose pictures").set_input_files([*paths, tmp_path / "note.txt"])
    page.wait_for_selector("[data-stored='3']", timeout=SLOW)
    assert "1 refused" in page.inner_text(".sentence")
    page.evaluate(
        """bytes => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "4.png", { type: "image/png" }));
          const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true });
          document.querySelector(".drop").dispatchEvent(event);
        }""",
        list(png(9)),
    )
    page.wait_for_selector("[data-stored='1']", timeout=SLOW)
    assert page.locator("[data-set=drawn] td").inner_text() == "4"
    page.get_by_role("link", name="Train on drawn").click()
    page.wait_for_function(
        "() => document.querySelector('pre')?.textContent.includes('/.studio/data/drawn')"
    )
