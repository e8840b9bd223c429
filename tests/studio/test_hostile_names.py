"""Names of strangers on every screen: they are shown as text, and nothing in them runs."""

import json

import numpy as np
import pytest
from PIL import Image

import inkgan
from inkgan.config import Recipe
from inkgan.config.serialize import override
from inkgan.io.live_folder import LiveFolder
from inkgan.studio.run_state import JobFile
from tests.studio.browser import Page, Server, go

EVIL = "<img src=x onerror='window.hacked=1'>"
SHOWS = "text => document.body.textContent.includes(text)"
SCREENS = {
    "runs": EVIL,
    "train": "",
    "live?run=evil": EVIL,
    "time?run=evil": "",
    "compare?a=evil&b=worse": "",
    "break": "",
    "evaluate?run=evil": EVIL,
    "evaluate?run=worse": "An earlier evaluation found this.",  # in a terminal, not here
    "play?run=evil": EVIL,
    "data": "",
    "plane": "",
}


@pytest.fixture(scope="module")
def hostile(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Train two runs whose recipe, notes, data, classes, findings, verdict and log are hostile."""
    random = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("images")
    for label in (EVIL, "plain"):
        folder = root / label
        folder.mkdir()
        for place in range(12):
            pixels = random.integers(0, 255, (12, 12), np.uint8)
            Image.fromarray(pixels).save(folder / f"{place}.png")
    return str(root)


def test_hostile_names_are_text_on_every_screen(
    page: Page, server: Server, tiny: Recipe, hostile: str
) -> None:
    changes = {"name": EVIL, "notes": EVIL, "data.name": f"folder:{hostile}", "model.classes": 2}
    recipe = override(tiny, {**changes, "schedule.epochs": 1, "schedule.batch_size": 8})
    for name in ("evil", "worse"):
        run = inkgan.train(recipe, out=server.runs / name)
        row = {"step": 9, "images": 99, "health": "collapse", "message": EVIL, "action": EVIL}
        with (run.path / "metrics.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        report = {"verdict": [EVIL], "scores": []}
        (run.path / "report.json").write_text(json.dumps(report), encoding="utf-8")
        (run.path / "report.html").write_text(f"<p>{EVIL}</p><script>window.hacked=1</script>")
        ended = {"state": "ended", "reason": "failed", "message": EVIL}  # not this process
        LiveFolder(run.path).write_process(ended)
    JobFile(server.runs / "evil").log_path.write_text(EVIL + "\n", encoding="utf-8")

    for place, shown in SCREENS.items():
        go(page, server, place)
        page.wait_for_function(SHOWS, arg=shown, timeout=20_000)
        if place.startswith("play"):  # the exported page, with the names of classes in it
            frame = page.frame_locator("iframe").locator("html[data-ready=all]")
            frame.wait_for(state="attached")
        for frame in page.frames:
            assert frame.evaluate("window.hacked") is None, place
            assert frame.locator("img[src=x]").count() == 0 or "report" in frame.url, place


def test_hostile_addresses_are_text(page: Page, server: Server) -> None:
    for screen in ("live", "time", "compare", "evaluate", "play", "train", "data", "plane"):
        for key in ("run", "a", "recipe", "set", "class", "data", "name", "loss"):
            page.goto(f"{server.base}/#/{screen}?{key}={EVIL}")
        page.wait_for_timeout(100)
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
