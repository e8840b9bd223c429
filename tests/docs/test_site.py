"""The documentation site builds without a warning and asks no other host for anything."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.studio.browser import CHROMIUM

ROOT = Path(__file__).parents[2]
STEPS = (
    ["docs/notebook_pages.py"],
    ["-m", "zensical", "build", "--strict"],
    ["docs/finish_site.py"],
)
CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]


def pages_of(nav: list[dict[str, object]]) -> list[str]:
    """Return the files that a navigation names, in its order."""
    found: list[str] = []
    for entry in nav:
        for target in entry.values():
            found += [target] if isinstance(target, str) else pages_of(target)  # type: ignore[arg-type]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does, but elsewhere: warnings are errors."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("docs", "src", "notebooks"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("zensical.toml", "CHANGELOG.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, folder / name)
    for command in STEPS:
        result = subprocess.run(
            [sys.executable, *command], cwd=folder, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr
    return folder / "site"


def test_the_makefile_builds_the_site_in_these_steps() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    words = (" ".join(command).removeprefix("-m ") for command in STEPS)
    assert re.search(r".*\n\t.*".join(map(re.escape, words)), text)


def test_every_page_is_in_the_navigation() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    pages |= {f"notebooks/{path.stem}.md" for path in (ROOT / "notebooks").glob("*.ipynb")}
    listed = pages_of(CONFIG["nav"])
    assert len(listed) == len(set(listed))
    assert set(listed) == pages


def test_links_and_anchors_of_the_built_pages_lead_somewhere(site: Path) -> None:
    anchors: dict[Path, set[str]] = {}
    for page in site.rglob("*.html"):
        anchors[page] = set(re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8")))
    count = 0
    for page in anchors:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r'<a [^>]*href="([^"]+)"', text):
            if re.match(r"\w+:|/", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path and path != "." else page
            assert file.exists(), (page.name, target)
            if anchor and file in anchors and not anchor.startswith("__"):
                assert anchor in anchors[file], (page.name, target)
            count += 1
    assert count > 500


def test_no_page_asks_another_host(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe)[^>]*\bsrc="(https?:[^"]+)"', text)
        loaded += re.findall(
            r'<link[^>]*rel="(?:stylesheet|preload|icon)"[^>]*href="(https?:[^"]+)"', text
        )
        assert not loaded, page.name


def test_the_search_finds_words_of_the_pages(site: Path) -> None:
    index = (site / "search.json").read_text(encoding="utf-8")
    for word in ("collapse", "inkgan synth", "register_loss"):
        assert word in index


def test_pages_and_their_pictures_alone_are_published(site: Path) -> None:
    endings = {path.suffix for path in site.iterdir() if path.is_file()}
    assert endings <= {".html", ".json", ".js", ".png", ".xml", ".inv"}


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
@pytest.mark.parametrize("page", ["index.html", "notebooks/first_gan.html"])
def test_the_search_works_without_a_server(site: Path, page: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto((site / page).as_uri())
        opened.keyboard.press("/")
        opened.keyboard.type("collapse")
        opened.get_by_text(re.compile(r"^[1-9]\d* results")).wait_for()
        opened.get_by_text("one shape for every latent").first.click()
        opened.wait_for_url("**/curves.html*")
        browser.close()
