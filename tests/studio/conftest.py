"""Fixtures of the studio's tests in a browser."""

from collections.abc import Iterator
from typing import Any

import pytest

from inkgan.io.live_folder import LiveFolder
from inkgan.studio.process_check import end_process
from tests.studio.browser import CHROMIUM, Page, Server


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INKGAN_OFFLINE", "1")
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("INKGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        found = Server(tmp_path_factory.mktemp("studio") / "runs")
        yield found
        found.kill()
    for run in found.runs.iterdir():
        end_process(LiveFolder(run).process(), at_once=True)


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Page]:
    """Open the studio; nothing may be asked of other servers, and nothing may go wrong."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    shown, troubles = context.new_page(), []
    shown.on("pageerror", lambda error: troubles.append(str(error)))
    shown.on("request", lambda request: troubles.append(request.url))
    shown.goto(server.url)
    yield shown
    context.close()
    allowed = (server.base, "blob:", "data:")
    assert [trouble for trouble in troubles if not trouble.startswith(allowed)] == []
