"""The page: a browser draws what torch draws, and what people do with it."""

import dataclasses
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from inkgan import inverse_normal, rng
from inkgan.cli.main import main
from inkgan.config.serialize import override
from inkgan.errors import ConfigError
from inkgan.exporters.html_page import export_page, render_page
from inkgan.exporters.lowering import lower
from inkgan.exporters.slider_calibration import POSITIONS, calibrate_sliders
from inkgan.generation.generator import Generator
from inkgan.generation.sampling import latents_from_seeds
from inkgan.generation.style_control.calibration import DRAWS, FIRST_SEED
from inkgan.generation.style_control.style import style_of
from inkgan.images import Shape
from inkgan.io.bundle import Bundle, MeasuredScore
from tests.fixtures.bundles import EVERY, small_bundle
from tests.fixtures.philox import PHILOX_VECTORS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
DRAW = """([steps, block, latents, labels]) => {
  const loaded = load(steps, decodeBlock(block));
  return latents.map((z, i) => Array.from(run(loaded, Float32Array.from(z), labels[i])));
}"""
Page = Any  # playwright's


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    export_page(small_bundle(), path)
    return path


@pytest.fixture(scope="module")
def functions(browser: Any, html: Path) -> Iterator[Page]:
    """Open a page whose functions are called from outside."""
    shown = browser.new_page()
    shown.goto(html.as_uri())
    yield shown
    shown.close()


@pytest.fixture
def opened(browser: Any, html: Path) -> Iterator[Page]:
    """Open the page of `small_bundle()`; it must ask for nothing and complain of nothing."""
    shown, troubles = browser.new_page(viewport={"width": 400, "height": 800}), []
    shown.on("console", lambda message: troubles.append(message.text))
    shown.on("pageerror", lambda error: troubles.append(str(error)))
    shown.on("request", lambda request: troubles.append(request.url))
    shown.goto(html.as_uri())
    finished(shown)
    yield shown
    shown.close()
    allowed = ("data:", "blob:", html.as_uri())
    assert [trouble for trouble in troubles if not trouble.startswith(allowed)] == []


def finished(shown: Page) -> None:
    shown.wait_for_selector("html[data-ready=all]", state="attached", timeout=60_000)


def drawn(shown: Page, label: int, writer: int) -> np.ndarray:
    values = shown.evaluate(f"Array.from(imageOf({label}, {writer}).image)")
    return np.reshape(np.asarray(values, np.float64), (12, 12))


def in_python(bundle: Bundle, z: torch.Tensor, labels: list[int]) -> np.ndarray:
    with torch.no_grad():
        images = bundle.generator()(z, torch.tensor(labels)).clamp(-1, 1)
    return np.asarray(images[:, 0])


@needs_chromium
@pytest.mark.parametrize(("name", "conditioning"), EVERY)
def test_the_browser_draws_what_torch_draws(functions: Page, name: str, conditioning: str) -> None:
    bundle, labels = small_bundle(name, conditioning), [3, 0, 9]
    z = latents_from_seeds(range(3), bundle.recipe.model.latent_dim)
    network = lower(bundle)
    images = functions.evaluate(DRAW, [network.steps, network.base64, z.tolist(), labels])
    expected = in_python(bundle, z, labels)
    assert expected.std(axis=0).mean() > 0.03  # the images differ from each other
    assert np.abs(np.reshape(images, expected.shape) - expected).max() < 1e-4


@needs_chromium
def test_half_precision_draws_nearly_the_same(functions: Page) -> None:
    bundle = small_bundle("same", "multiply")
    whole, half = lower(bundle), lower(bundle, half=True)
    assert len(half.block) < 0.7 * len(whole.block)
    z = latents_from_seeds(range(3), bundle.recipe.model.latent_dim)
    images = functions.evaluate(DRAW, [half.steps, half.base64, z.tolist(), [1, 2, 3]])
    expected = in_python(bundle, z, [1, 2, 3])
    gap = np.abs(np.reshape(images, expected.shape) - expected).max()
    assert 0 < gap < 0.02


@needs_chromium
@pytest.mark.parametrize("halves", [[0x0001, 0x03FF, 0x0400, 0x3C00, 0xC000, 0x7BFF, 0x8000]])
def test_half_precision_is_read_as_numpy_reads_it(functions: Page, halves: list[int]) -> None:
    read = functions.evaluate("bits => Array.from(widen(Uint16Array.from(bits)))", halves)
    assert read == np.asarray(halves, "<u2").view("<f2").astype(float).tolist()


@needs_chromium
@pytest.mark.parametrize("count", [1, 7, 16, 64, 100])
@pytest.mark.parametrize("address", ["0/sample", f"{2**53 - 1}/sample", "7/write/repeat/3/2"])
def test_random_numbers_are_those_of_python(functions: Page, count: int, address: str) -> None:
    call = "([count, address]) => Array.from(normal(count, ...address.split('/')))"
    seed, *rest = address.split("/")
    expected = rng.normal([int(seed)], count, *rest)[0].tolist()
    assert functions.evaluate(call, [count, address]) == expected


@needs_chromium
def test_every_segment_of_the_normal_distribution_has_the_bits_of_python(functions: Page) -> None:
    powers = [2**k + offset for k in range(31) for offset in (-1, 0, 1)]
    words = sorted({*powers, *range(200), *range(0, 2**31, 2**31 // 999), 2**31 - 1})
    words += [word + 2**31 for word in words]
    call = "words => words.map(inverseNormal)"
    assert (
        functions.evaluate(call, words) == inverse_normal.from_words(torch.tensor(words)).tolist()
    )


@needs_chromium
@pytest.mark.parametrize(("counter", "key", "expected"), PHILOX_VECTORS)
def test_philox_gives_the_published_vectors_in_the_browser(
    functions: Page, counter: list[int], key: list[int], expected: list[int]
) -> None:
    call = "([counter, key]) => philox(counter, key)"
    assert functions.evaluate(call, [counter, key]) == expected


@needs_chromium
def test_writers_sliders_and_variety_match_python(opened: Page) -> None:
    sampler = Generator(small_bundle())
    latent = sampler.latents([7])
    model = sampler.bundle
    assert (
        np.abs(drawn(opened, 4, 7) - in_python(model, torch.from_numpy(latent), [4])).max() < 1e-4
    )
    opened.locator("#variety").fill("0.5")
    finished(opened)
    halved = torch.from_numpy(latent) / 2
    assert np.abs(drawn(opened, 4, 7) - in_python(model, halved, [4])).max() < 1e-4
    opened.locator("#style-thickness").fill("-1.5")
    finished(opened)
    halved[0, 1] = -1.5
    assert np.abs(drawn(opened, 4, 7) - in_python(model, halved, [4])).max() < 1e-4
    thickness = calibrate_sliders(small_bundle())[1][3]  # type: ignore[index]
    assert opened.inner_text("#style-thickness-shown") == f"about {thickness[3]:.1f} px"
    opened.click("#reset")
    finished(opened)
    assert (
        np.abs(drawn(opened, 4, 7) - in_python(model, torch.from_numpy(latent), [4])).max() < 1e-4
    )


@needs_chromium
def test_sliders_without_a_calibration_show_standard_deviations(
    browser: Any, tmp_path: Path
) -> None:
    bundle = small_bundle()
    (tmp_path / "a.html").write_text(render_page(bundle, lower(bundle)), encoding="utf-8")
    shown = browser.new_page()
    shown.goto((tmp_path / "a.html").as_uri())
    for place, shown_text in (("-1.5", "\N{MINUS SIGN}1.5"), ("2", "+2.0")):
        shown.locator("#style-width").fill(place)
        assert shown.inner_text("#style-width-shown") == shown_text
    assert "standard deviations" in shown.inner_text(".about")
    shown.close()


def test_calibration_are_the_percentiles_of_the_draws() -> None:
    """Half a slider's way is the median, and a standard deviation more is its rank."""
    bundle = small_bundle()
    calibration = np.asarray(calibrate_sliders(bundle))
    assert calibration.shape == (3, 10, len(POSITIONS))
    assert (np.diff(calibration, axis=2) >= 0).all()
    sampler = Generator(bundle)
    images = sampler.render(sampler.latents(range(FIRST_SEED, FIRST_SEED + DRAWS)), [6] * DRAWS)
    measured = style_of(images)
    for place, percent in ((0.0, 50), (1.0, 84.13)):
        expected = np.percentile(measured, percent, axis=0)
        column = np.flatnonzero(place == POSITIONS)[0]
        assert (
            np.abs(calibration[:, 6, column] - expected).max()
            < 0.02 * np.ptp(measured, axis=0).max()
        )


def test_there_are_no_calibration_where_nothing_can_be_measured() -> None:
    assert calibrate_sliders(small_bundle("mlp", "")) is None
    blank = small_bundle()
    weights = {key: torch.zeros_like(value) for key, value in blank.weights.items()}
    last = [key for key in weights if key.endswith("bias")][-1]
    weights[last] -= 1e3  # background alone
    assert calibrate_sliders(dataclasses.replace(blank, weights=weights)) is None


@needs_chromium
def test_a_keyboard_is_enough(opened: Page) -> None:
    digit = opened.locator("#digit")
    assert digit.get_attribute("aria-label") == "3 by writer 7"
    opened.keyboard.press("Tab")
    opened.keyboard.press("ArrowRight")
    assert digit.get_attribute("aria-label") == "4 by writer 7"
    opened.keyboard.press("Tab")
    opened.keyboard.type("12")
    opened.keyboard.press("Enter")
    assert digit.get_attribute("aria-label") == "4 by writer 12"
    opened.keyboard.press("Tab")
    opened.keyboard.press("Tab")
    before = opened.locator("#style-slant").input_value()
    opened.keyboard.press("End")
    assert opened.locator("#style-slant").input_value() == "3" != before
    shown_text = opened.inner_text("#style-slant-shown")
    assert re.fullmatch(r"about \N{MINUS SIGN}?\d+°", shown_text)
    assert opened.locator("#style-slant").get_attribute("aria-valuetext") == shown_text


@needs_chromium
def test_numbers_are_written_and_saved(opened: Page, tmp_path: Path) -> None:
    opened.fill("#text", "10-31/ 22")
    with opened.expect_download() as begun:
        opened.click("#save-svg")
    begun.value.save_as(tmp_path / "a.svg")
    assert begun.value.suggested_filename == "10-31_22-writer-7.svg"
    drawing = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert drawing.findall(".//{*}path[@stroke-width]")  # the marks; digits are filled
    space = {"": "http://www.w3.org/2000/svg"}
    assert drawing.findtext("title", namespaces=space) == "10-31/ 22"
    assert small_bundle().digest in (drawing.findtext("desc", namespaces=space) or "")
    with opened.expect_download() as begun:
        opened.click("#save-png")
    begun.value.save_as(tmp_path / "a.png")
    levels = np.asarray(Image.open(tmp_path / "a.png").convert("L"))
    assert levels.shape[0] == 512
    assert levels[0, 0] == 255
    assert levels.min() == 0
    opened.fill("#text", "3 €")
    assert opened.locator("#save-svg").is_disabled()
    assert "No one here can write “€”" in opened.inner_text("#problem")


@needs_chromium
def test_typing_does_not_disturb_the_drawing(opened: Page) -> None:
    opened.fill("#writer", "8")
    opened.evaluate("document.documentElement.dataset.ready = 'digit'")
    opened.evaluate("""() => {
      document.getElementById("writer").dispatchEvent(new Event("change"));
      document.getElementById("text").dispatchEvent(new Event("input"));
    }""")
    finished(opened)
    assert opened.locator("#tiles input").last.get_attribute("aria-label") == "9 by writer 8"
    assert opened.locator("#number").get_attribute("aria-label") == "3.14159 by writer 8"


@needs_chromium
def test_nothing_is_wider_than_a_telephone(opened: Page) -> None:
    assert opened.evaluate("document.documentElement.scrollWidth") == 400


@needs_chromium
def test_an_outline_has_the_area_of_its_ink(functions: Page) -> None:
    y, x = np.indices((28, 28)) + 0.5
    distance = np.hypot(x - 14, y - 14)
    ring = np.clip(0.5 + 2.5 - np.abs(distance - 7), 0, 1) * 2 - 1  # from radius 4.5 to 9.5
    loops = functions.evaluate(
        "image => trace(Float32Array.from(image), 28, 28)", ring.ravel().tolist()
    )
    areas = sorted(abs(functions.evaluate("loop => areaOf(loop)", loop)) for loop in loops)
    assert areas == pytest.approx([np.pi * 4.5**2, np.pi * 9.5**2], rel=0.02)
    assert functions.evaluate("loops => thicknessOf(loops)", loops) == pytest.approx(5, rel=0.02)


@needs_chromium
def test_unconditional_generators_show_ten_writers(browser: Any, tmp_path: Path) -> None:
    export_page(small_bundle("mlp", ""), tmp_path / "a.html")
    shown = browser.new_page()
    shown.goto((tmp_path / "a.html").as_uri())
    finished(shown)
    assert shown.locator("#tiles input").count() == 10
    assert shown.locator("#text").count() == 0
    assert shown.inner_text("#status").startswith("Writer 10, drawn in")
    shown.close()


def test_the_page_holds_all_and_escapes_all() -> None:
    bundle = small_bundle()
    odd = dataclasses.replace(
        bundle,
        classes=(*"ABCDEFGHI", "</script>"),
        license="mit",
        recipe=override(bundle.recipe, {"name": "a<b"}, "test"),
        scores={"kid": MeasuredScore(0.25, 0.125), "best_e3_distance": MeasuredScore(3.5)},
    )
    text = render_page(odd, lower(odd))
    assert text.count("</script>") == 4
    assert "a&lt;b" in text
    assert bundle.digest in text
    assert "<td>0.250</td><td>0.125</td>" in text
    assert "best_e3" not in text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    found = re.search(r'id="generator">(.*?)</script>', text)
    assert found is not None
    assert json.loads(found[1])["classes"][-1] == "</script>"


def test_what_a_page_cannot_show_is_refused(tmp_path: Path) -> None:
    bundle = small_bundle("dcgan", "")
    colour = dataclasses.replace(bundle, shape=Shape(3, 12, 12))
    with pytest.raises(ConfigError, match="draws 12x12 RGB images, but a page shows only gray"):
        export_page(colour, tmp_path / "a.html")
    recipe = override(small_bundle("mlp").recipe, {"model.classes": 101}, "test")
    with pytest.raises(ConfigError, match="has 101 classes, but a page has room for only 100"):
        export_page(dataclasses.replace(bundle, recipe=recipe), tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_bundle().save(tmp_path / "a.safetensors")
    arguments = ["export", "page", str(tmp_path / "a.safetensors"), str(tmp_path / "a.html")]
    monkeypatch.setattr(sys, "argv", ["inkgan", *arguments, "--half"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert (tmp_path / "a.html").stat().st_size > 30_000
