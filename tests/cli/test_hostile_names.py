"""Names that steer terminals and pages: of recipes, classes and run folders, on every output."""

import io
import json
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from inkgan.cli import console, progress
from inkgan.cli.evaluate_command import consistency_table
from inkgan.config.serialize import override, to_toml
from inkgan.generation.load import load
from inkgan.printable import path_line
from inkgan.synthesis.formats.labeled_images import class_folders
from tests.fixtures.command_line import Done, inkgan
from tests.fixtures.run_folders import RECIPE

TAG = "<img src=x onerror=alert(1)>"
NAME = f"{TAG}\"'&[red]x[bold]`|]"  # of recipes, which have no control characters
STEERING = "\x1b[2J\x07\u202e"
CONTROL = set("\x1b\x07\u202e\x9b\r")
FOLDER = f"{NAME}{STEERING}\n# b"  # of folders, which have any but the slash
CLASSES = (FOLDER, f"</script>{TAG}".replace("/", ""))
pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems have no such names")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train two runs of the same recipe on classes with hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    random = np.random.default_rng(0)
    for name in CLASSES:
        (folder / "set" / name).mkdir(parents=True)
        for number in range(40):
            pixels = random.integers(0, 255, (12, 12)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "set" / name / f"{number}.png")
    changes = ["model.classes=2", "data.name=folder:set", "schedule.images=640", "data.size=none"]
    recipe = override(RECIPE, changes)
    for seed in range(2):
        text = to_toml(override(recipe, {"name": NAME, "seed": seed, "notes": f"```\n{TAG}"}))
        (folder / f"{seed}.toml").write_text(text, encoding="utf-8")
        done = inkgan("train", f"{seed}.toml", "--out", f"{FOLDER}{seed}", cwd=folder)
        assert done.code == 0, done.stderr
        check_terminal(done)
        assert "[red]x[bold]" in done.stderr
    return folder


def check_terminal(done: Done) -> None:
    """Assert that nothing that was printed steers a terminal."""
    assert not set(done.stdout + done.stderr) & CONTROL


class Elements(HTMLParser):
    """The elements of a page, and the handlers of events in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def check_page(path: Path) -> str:
    """Assert that no name became an element of a page; return its text."""
    text = path.read_text("utf-8")
    elements = Elements(text)
    assert elements.handlers == []
    assert TAG not in text
    return text


def check_markdown(text: str) -> None:
    """Assert that no name became an element, a heading or a row of a card."""
    text = re.sub("``.*``", "", text)  # code is shown as it is
    assert TAG not in text.replace(f"\\{TAG}", "")
    assert "\n# b" not in text
    assert not set(text) & CONTROL


COMMANDS = (
    ("sample", f"{FOLDER}0", "--out", "a.png", "--force"),
    ("sample", f"{FOLDER}0", "--labels", FOLDER, "--count", "2", "--out", "b.png", "--force"),
    ("sample", f"{FOLDER}0", "--labels", "no such", "--out", "b.png"),
    ("sample", f"{FOLDER}2"),
    ("write", "1", "--from", f"{FOLDER}0"),
    ("imitate", f"{FOLDER}.png"),
    ("evaluate", f"{FOLDER}0", "--quick"),
    ("evaluate", f"{FOLDER}0", "--reference", f"folder:{FOLDER}"),
    ("export", "bundle", f"{FOLDER}0", f"{FOLDER}.safetensors", "--force"),
    ("export", "onnx", f"{FOLDER}0", f"{FOLDER}.onnx", "--force"),
    ("recipes", "show", f"{FOLDER}0"),
    ("recipes", "show", "0.toml"),
    ("train", "--out", f"{FOLDER}0"),
    ("train", "mlp", "--data", f"folder:{FOLDER}", "--out", "new"),
    ("train", "mlp", "--set", f"name={NAME}", "--data", f"npz:{FOLDER}", "--out", "new"),
    ("synth", "taken.png", "--from", f"{FOLDER}0", "--per-class", "1"),
    ("benchmark", "--recipes", FOLDER, "--reference", f"npz:{FOLDER}"),
    ("data", "fetch", FOLDER),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:20].strip("< "))
def test_no_name_steers_the_terminal(words: tuple[str, ...], folder: Path) -> None:
    if words[:2] == ("export", "onnx"):
        pytest.importorskip("onnx")
    (folder / "taken.png").write_bytes(b"mine")
    done = inkgan(*words, cwd=folder, INKGAN_OFFLINE="1")
    check_terminal(done)
    assert "Error" not in done.stderr
    if done.code:
        assert done.stderr.splitlines()[-1].startswith("inkgan: ")
    assert done.code in (0, 1, 2)


def test_what_is_proposed_can_be_copied_into_a_shell(folder: Path) -> None:
    done = inkgan("train", "--out", f"{FOLDER}0", cwd=folder)
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    commands = lines[lines.index("Next:") + 1 :]
    assert all(line.startswith("  inkgan ") for line in commands)
    script = "\n".join(f"printf '%s\\0' {line}" for line in commands)
    words = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
    assert f"\0{FOLDER}0\0".encode() in words
    assert any(line.endswith(f" {path_line(f'{FOLDER}0')}/generator.safetensors") for line in lines)


def test_the_comparison_shows_names_as_text(folder: Path) -> None:
    done = inkgan("compare", f"{FOLDER}0", f"{FOLDER}1", "--out", "c", cwd=folder)
    assert (done.code, done.stderr) == (0, "")
    check_terminal(done)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        *("No", "c/compare.html", "c/compare.png"),
    ]
    text = check_page(folder / "c" / "compare.html")
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert Elements(text).names.count("script") == 1


def test_the_exported_page_shows_names_as_text(folder: Path) -> None:
    done = inkgan("export", "page", f"{FOLDER}0", "a.html", "--force", cwd=folder)
    assert done.code == 0, done.stderr
    check_terminal(done)
    text = check_page(folder / "a.html")
    assert Elements(text).names.count("script") == 4
    data = text.split('id="generator">')[1].split("</script>")[0]
    assert tuple(json.loads(data)["classes"]) == load(folder / f"{FOLDER}0").bundle.classes


def test_cards_show_names_as_text(folder: Path) -> None:
    done = inkgan("export", "hub", f"{FOLDER}0", "hub", cwd=folder)
    assert done.code == 0, done.stderr
    card, fence, recipe = (folder / "hub" / "README.md").read_text("utf-8").partition("````toml\n")
    assert fence
    check_markdown(card)
    assert recipe.count("````") == 1


@pytest.mark.parametrize("format", ["png", "imagefolder", "npz", "idx"])
def test_data_sets_of_such_classes(format: str, folder: Path) -> None:
    words = ("synth", format, "--from", f"{FOLDER}0", "--per-class", "2", "--format", format)
    done = inkgan(*words, cwd=folder)
    assert done.code == 0, done.stderr
    check_terminal(done)
    made = folder / format
    card = (made / "README.md").read_text("utf-8")
    check_markdown(card)
    front = card.split("---\n")[1]
    assert front.count("pretty_name") == 1
    if format == "imagefolder":
        folders = sorted(path.name for path in made.iterdir() if path.is_dir())
        assert folders == ["class-0", "class-1"]


def test_folders_of_classes_stay_inside_the_set() -> None:
    assert class_folders(["0", "b c", "ä/é"]) == ("0", "b c", "ä-é")
    assert class_folders(["..", ".", "", "a\x00", "x" * 201, "ok"]) == (
        *(f"class-{label}" for label in range(5)),
        "ok",
    )
    assert class_folders(["a", "A"]) == ("class-0", "class-1")
    assert class_folders(["a/b", "a-b"]) == ("class-0", "class-1")
    assert class_folders(["class-1", ".."]) == ("class-0", "class-1")


# --- what only a terminal shows ---


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Let rich believe that both streams go to a terminal."""
    shown = io.StringIO()
    for module, name in ((console, "errors"), (console, "results"), (progress, "errors")):
        rich = Console(
            file=shown,
            force_terminal=True,
            width=200,
            color_system=None,
            highlight=False,
            markup=False,
            emoji=False,
        )
        monkeypatch.setattr(module, name, rich)
    return shown


def test_bars_show_names_as_text(terminal: io.StringIO) -> None:
    with progress.stages() as report:
        report(f"training {NAME}", 1, 2)
        report("drawing [/] :smile: \x1b[2J", 1, 2)
    assert "[red]x[bold]" in terminal.getvalue()
    assert "[/] :smile: \\x1b[2J" in terminal.getvalue()
    with progress.download_report() as download:
        download("[/red].gz", 1, 2)
    assert "[/red].gz" in terminal.getvalue()


def test_messages_and_tables_show_names_as_text(terminal: io.StringIO) -> None:
    console.say(f"{FOLDER} :smile:")
    console.show("[bold]x")
    console.warn("[/]")
    shared = {"value": 0.5, "low": 0.4, "high": 0.6}
    styles = {"[red]\x1b[2J": dict.fromkeys(("consistency", "one_way", "permuted"), shared)}
    console.show_table(consistency_table({"latents": 5, "styles": styles, "blank": 0}))
    text = terminal.getvalue()
    for part in ("[red]x[bold]", ":smile:", "[bold]x", "[/]", "[red]\\x1b[2J"):
        assert part in text


def test_the_consoles_take_no_markup() -> None:
    for each in (console.errors, console.results):
        assert each.render_str("[red]a :smile:").plain == "[red]a :smile:"
