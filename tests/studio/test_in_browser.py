"""The studio in a browser: train, watch, reload, restart the server, compare, take away."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from inkgan.config import Recipe
from inkgan.config.serialize import override, to_toml
from inkgan.io.live_folder import Control, LiveFolder
from tests.studio.browser import SLOW, Page, Server, go, until

PICTURE = """() => {
  const canvas = document.querySelector(".tile canvas");
  return canvas && Array.from(canvas.getContext("2d").getImageData(0, 0, 12, 12).data).join();
}"""
IMAGES = "least => Number(document.querySelector('[data-images]')?.dataset.images ?? 0) > least"
SLOW_ACTION = """() => {
  const plain = window.fetch;
  window.fetch = async (path, options) => {
    if (path.endsWith("/actions") && options.body.includes("step")) {
      await new Promise((done) => setTimeout(done, 500));
    }
    return plain(path, options);
  };
}"""


def is_resumed(response: Any) -> bool:
    return "resume" in (response.request.post_data or "")


def test_train_watch_reload_restart_and_take_away(
    page: Page, server: Server, tiny: Recipe, tmp_path: Path
) -> None:
    recipe = override(tiny, {"schedule.epochs": 100_000, "schedule.sample_interval": 6400})
    (server.runs / "first").mkdir(parents=True, exist_ok=True)
    (server.runs / "first" / "recipe.toml").write_text(to_toml(recipe), encoding="utf-8")
    go(page, server, "runs")
    page.get_by_role("button", name="Resume first").click()
    page.get_by_role("link", name="first", exact=True).click()
    page.wait_for_selector("[data-state=training]", timeout=SLOW)
    until(page, f"() => ({PICTURE})()")
    before = page.evaluate(PICTURE)
    until(page, f"before => ({PICTURE})() !== before", before)  # it changes as training goes on
    until(page, IMAGES, 0)
    rows = page.evaluate("Number(document.querySelector('[data-images]').dataset.images)")
    assert "%" in page.inner_text(".sentence")

    page.reload()  # in the middle of it
    until(page, IMAGES, rows)
    other = page.context.new_page()  # a second tab
    other.goto(page.url)
    until(other, IMAGES, rows)
    other.close()

    page.get_by_role("button", name="Pause").click()
    page.wait_for_selector("[data-state=paused]", timeout=SLOW)
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.evaluate(SLOW_ACTION)
    with page.expect_response(is_resumed, timeout=SLOW):
        page.keyboard.press(".")  # a single step, which takes its time to arrive
        page.keyboard.press(" ")
    assert LiveFolder(server.runs / "first").control() == Control("run", 1)
    page.wait_for_selector("[data-state=training]", timeout=SLOW)
    with page.expect_response(is_resumed, timeout=SLOW):
        page.keyboard.press(" ")
        page.keyboard.press(" ")  # before the state that the first one brings about is known
    page.wait_for_selector("[data-state=training]", timeout=SLOW)

    server.kill()
    page.wait_for_selector("#connection:not([hidden])", timeout=SLOW)
    seen = page.evaluate("Number(document.querySelector('[data-images]').dataset.images)")
    server.start()  # on the same port, with the same token
    until(page, IMAGES, seen)
    assert page.locator("#connection").is_hidden()

    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_selector("[data-state=stopped]", timeout=SLOW)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the generator").click()
    download.value.save_as(tmp_path / "generator.safetensors")
    written = (server.runs / "first" / "generator.safetensors").read_bytes()
    assert (tmp_path / "generator.safetensors").read_bytes() == written
    text = (server.runs / "first" / "metrics.jsonl").read_text(encoding="utf-8")
    steps = [json.loads(row)["step"] for row in text.splitlines()]
    assert steps == sorted(steps)


def test_draw_a_digit_and_let_it_write(page: Page, server: Server) -> None:
    """The run of the test above has a generator and a discriminator."""
    go(page, server, "play?run=first")
    box = page.locator(".pad").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 190, box["y"] + 60)
    page.mouse.move(box["x"] + 120, box["y"] + 220, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Ask the discriminator").click()
    page.wait_for_selector("[data-judged]", timeout=SLOW)
    assert "more real than" in page.inner_text(".sentence")
    page.get_by_role("button", name="Imitate it").click()
    page.wait_for_selector("[data-imitated]", timeout=SLOW)
    assert "The nearest image differs by" in page.inner_text(".sentence")
    written = page.frame_locator("iframe").locator("html[data-ready=all]")
    written.wait_for(state="attached", timeout=SLOW)


def test_sliders_are_in_the_address_and_in_the_command(page: Page, server: Server) -> None:
    go(page, server, "train?recipe=vanilla&data=uci-digits&name=mine")
    slider = page.get_by_label("Learning rate")
    slider.focus()
    page.keyboard.press("ArrowRight")
    until(page, "() => document.querySelector('pre')?.textContent.includes('optim.lr=')")
    command = page.inner_text("pre")
    assert command.startswith("inkgan train vanilla --set ")
    assert "data.name=uci-digits" in command
    assert "lr=" in page.url
    page.reload()
    until(page, "text => document.querySelector('pre')?.textContent === text", command)
    page.get_by_label("Loss").select_option("wasserstein")
    until(page, "() => document.querySelector('[role=alert]')?.textContent.includes('wasserstein')")
    assert page.get_by_role("button", name="Start training").is_disabled()


def test_two_runs_side_by_side(page: Page, server: Server, tiny: Recipe) -> None:
    for name, rate in (("one", 2e-4), ("two", 1e-3)):
        run = server.runs / name
        run.mkdir(exist_ok=True)
        recipe = override(tiny, {"optim.lr": rate, "name": "<img src=x onerror=alert(1)>"})
        (run / "recipe.toml").write_text(to_toml(recipe), encoding="utf-8")
        losses = [{"images": 64 * i, "d_loss": rate * i, "g_loss": 1.0} for i in range(900)]
        text = "".join(json.dumps({"step": i, **row}) + "\n" for i, row in enumerate(losses))
        (run / "metrics.jsonl").write_text(text, encoding="utf-8")
    go(page, server, "compare?a=one&b=two")
    until(page, "() => document.querySelectorAll('.chart path.b').length >= 2")
    assert page.locator("td").all_inner_texts()[:2] == ["0.0002", "0.001"]
    page.get_by_text("As a table").first.click()
    until(page, "() => document.querySelectorAll('details[open] tbody tr').length > 20")
    go(page, server, "runs")
    assert page.locator("img[src=x]").count() == 0  # a hostile name is text


SCREENS = [
    "runs",
    "train",
    "live?run=one",
    "time?run=first",
    "compare?a=one&b=two",
    "break",
    "evaluate?run=first",
    "play?run=first",
    "data",
    "plane",
]
CONTROLS = """() => [...document.querySelectorAll(
  "a[href], button:enabled, input, select, textarea, summary, [tabindex='0']"
)].filter(each => each.checkVisibility() && !each.classList.contains("skip"))"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screens_are_accessible_and_fit_a_telephone(
    browser: Any, server: Server, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme=scheme, reduced_motion="reduce"
    )
    shown = context.new_page()
    context.set_default_timeout(SLOW)
    shown.goto(server.url)
    for place in SCREENS:
        go(shown, server, place)
        time.sleep(0.5)
        assert shown.evaluate("document.documentElement.scrollWidth") <= 360, place
        found = Axe().run(shown).response["violations"]
        serious = [
            (each["id"], [node["html"][:200] for node in each["nodes"][:3]])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], place
    moving = "getComputedStyle(document.getElementById('toast')).transitionDuration"
    assert shown.evaluate(moving) == "0s"
    context.close()


def test_every_control_is_reached_by_the_keyboard(page: Page, server: Server) -> None:
    for place in SCREENS:
        go(page, server, place)
        page.locator("h1").click()
        wanted = page.evaluate(f"({CONTROLS})().length")
        assert wanted > 10, place  # the screens are ten
        missed = f"({CONTROLS})().filter(each => !each.dataset.reached).map(each => each.outerHTML)"
        for count in range(2 * wanted + 60):  # the page that writes has controls of its own
            page.keyboard.press("Tab")
            page.evaluate("document.activeElement.dataset.reached = 'yes'")
            if count >= wanted - 1 and count % 5 == 0 and page.evaluate(missed) == []:
                break
        assert page.evaluate(missed) == [], place
        ring = "getComputedStyle(document.querySelector('nav a:focus-visible')).outlineStyle"
        page.locator("nav a").first.focus()
        page.keyboard.press("Tab")
        assert page.evaluate(ring) == "solid"


def test_an_address_without_its_token_opens_nothing(browser: Any, server: Server) -> None:
    context = browser.new_context()
    shown = context.new_page()
    assert shown.goto(f"{server.base}/").status == 401
    assert "token" in shown.inner_text("body")
    context.close()
    mode = (server.runs / ".studio" / "server.json").stat().st_mode
    assert os.name != "posix" or mode & 0o077 == 0
