"""The README's commands and code run, in the order in which a reader meets them."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import inkgan as library
from tests.fixtures.command_line import inkgan

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\|[^|]*\| `inkgan ([^`]+)`", TEXT, re.MULTILINE)
# Long commands run with less work: the text that is replaced, and what replaces it.
SHORTER = {
    "--epochs 5": "--images 640",
    "--epochs 3": "--images 640",
    "folder:pictures": "folder:pictures --images 640",
    "--per-class 600": "--per-class 12",
    "--sequences 100": "--sequences 4",
    "--seeds 0-7": "--seeds 3 --images 640",
    "sweep dcgan": "sweep vanilla --trials 1 --images 640",
    "1e-2 --minutes 3": "1e-2",
    "--processes 4": "--processes 2 --images 256",
    "benchmark --quick": "benchmark --recipes vanilla --quick --seeds 0 --minutes 0.02",
}


def shortened(text: str) -> str:
    """Return a command or code with less work to do."""
    for long, short in SHORTER.items():
        text = text.replace(long, short)
    return text


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with what a reader has: pictures and a photograph."""
    folder = tmp_path / "reader"
    folder.mkdir()
    monkeypatch.chdir(folder)
    digits = library.load("flagship").sample([*range(10)] * 20)
    for place, digit in enumerate(digits):
        path = folder / "pictures" / str(place % 10) / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(digit).save(path)
    photo = 255 - digits[3].repeat(4, axis=0).repeat(4, axis=1)
    Image.fromarray(photo).save(folder / "photo.png")
    return folder


def test_no_two_outputs_have_one_name() -> None:
    """A reader who tries one command after another loses nothing and is refused nothing."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    outputs = re.findall(r'save\("([^"]+)"\)|out="([^"]+)"', code)
    written = [first or second for first, second in outputs]
    for command in COMMANDS:
        words = shlex.split(command)
        named = [words[place + 1] for place, word in enumerate(words) if word == "--out"]
        written += named or {"imitate": ["imitation.png"], "write": ["number.png"]}.get(
            words[0], []
        )
        written += {"synth": words[1:2], "export": words[3:4]}.get(words[0], [])
    assert len(written) >= 6
    assert len(set(written)) == len(written)


def test_every_picture_of_the_documentation_is_shown() -> None:
    root = Path(__file__).parents[2]
    pages = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "docs").rglob("*.ipynb")]
    text = "".join(page.read_text("utf-8") for page in pages)
    pictures = [path.name for path in (root / "docs" / "images").iterdir()]
    assert len(pictures) > 10
    assert [name for name in sorted(pictures) if f"images/{name}" not in text] == []


@pytest.mark.usefixtures("small_mnist", "keeps_baselines")
def test_the_commands_of_the_table_run(reader: Path) -> None:
    assert len(COMMANDS) >= 10
    for command in COMMANDS:
        if "--processes" in command:  # tests/runs/test_torchrun.py trains in several processes
            continue
        done = inkgan(*shlex.split(shortened(command)), cwd=reader)
        assert done.code == 0, (command, done.stderr)
        if command.startswith("sweep"):
            assert re.search(r"Next:\n  .*train runs/vanilla-sweep/best", done.stdout)
    for name in ("sevens.png", "date.svg", "digits.html", "runs/a/report.html"):
        assert (reader / name).stat().st_size > 500, name


@pytest.mark.usefixtures("small_mnist", "keeps_baselines", "reader")
def test_the_code_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    found: dict[str, object] = {}
    exec(compile(code.replace("epochs=5", "images=640"), "README.md", "exec"), found)
    assert np.asarray(found["digits"]).shape == (10, 28, 28)
    assert Path("py-report.html").exists()


def test_make_runs_the_commands_that_the_readme_gives_without_it() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
    (train,) = re.findall(r"inkgan (train flagship-quick .*) --out", makefile)
    assert f".venv/bin/inkgan {train} --out runs/first" in TEXT
