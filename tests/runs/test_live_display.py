"""Runs in a notebook: what is shown while they train and afterwards, without a notebook."""

import base64
import io
import re
import sys
import types
from pathlib import Path

import pytest
from PIL import Image

import inkgan
from inkgan.config import Recipe
from inkgan.io.run_dir import RunFolder
from inkgan.runs import live_display, live_state, preview
from inkgan.runs.events import Finished, Started, ThreadsChanged
from inkgan.runs.live_display import LiveDisplay, Update, in_notebook

PICTURE = re.compile(r"data:image/png;base64,([^\"]+)")
CURVE = re.compile(r'<polyline points="([^"]+)"')


class FakeDisplay:
    """Keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.displays = 0

    def show(self, text: str) -> Update:
        self.displays += 1
        self.shown.append(text)
        return self.shown.append


def test_a_live_display_shows_progress_grid_and_curves(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_state, "INTERVAL", 0.0)
    monkeypatch.setattr(live_state, "SHARE", 1e9)
    monkeypatch.setattr(preview, "INTERVAL", 0.0)
    monkeypatch.setattr(preview, "CREDIT", 100.0)
    fake = FakeDisplay()
    run = inkgan.train(tiny, out=tmp_path / "a", images=4096, on_event=LiveDisplay(fake.show))
    assert fake.displays == 1  # one display, replaced as the run goes on
    assert "starting" in fake.shown[0]
    assert any("50%, epoch 1.4" in text and " left</strong>" in text for text in fake.shown)
    pictures = {picture for text in fake.shown for picture in PICTURE.findall(text)}
    assert len(pictures) > 5  # the latents as they improve
    with Image.open(io.BytesIO(base64.b64decode(PICTURE.findall(fake.shown[-1])[0]))) as latents:
        assert latents.size == (10 * 12, 4 * 12)
    end = fake.shown[-1]
    assert "complete: 4,096 images" in end
    assert "The discriminator gets" in end
    assert "<th>e3_distance</th>" in end
    losses = [row["d_loss"] for row in run.metrics if "d_loss" in row]
    curve = [float(point.split(",")[1]) for point in CURVE.findall(end)[0].split()]
    assert len(curve) == len(losses) == 2
    assert (curve[0] < curve[1]) == (losses[0] > losses[1])  # y points down


def test_a_live_display_says_when_threads_change(tiny: Recipe, tmp_path: Path) -> None:
    fake = FakeDisplay()
    display = LiveDisplay(fake.show)
    run = RunFolder(tmp_path, tiny)
    display(Started(run, 0, 640, "data", (1, 1), "cpu", None, threads=2))
    display(ThreadsChanged(2, 1))
    display(Finished(run, "complete", 64, 1.0))
    assert "`threads=2` keeps them" in fake.shown[-1]


def test_being_shown_changes_nothing(
    tiny: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_state, "INTERVAL", 0.0)
    shown = inkgan.train(
        tiny, out=tmp_path / "a", images=640, on_event=LiveDisplay(FakeDisplay().show)
    )
    alone = inkgan.train(tiny, out=tmp_path / "b", images=640)
    assert shown.bundle_path.read_bytes() == alone.bundle_path.read_bytes()


def test_plain_python_is_silent(
    tiny: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inkgan.train(tiny, out=tmp_path / "a", images=128)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("progress", "expected"), [(None, 1), (True, 1), (False, 0)])
def test_a_kernel_gets_the_display_unless_told_otherwise(
    tiny: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    progress: bool | None,
    expected: int,
) -> None:
    shell = types.SimpleNamespace(kernel=object())
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    fake = FakeDisplay()
    monkeypatch.setattr(live_display, "show_in_notebook", fake.show)
    inkgan.train(tiny, out=tmp_path / "a", images=128, progress=progress)
    assert fake.displays == expected


def test_a_terminal_of_ipython_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
    module = types.ModuleType("IPython")
    module.get_ipython = lambda: types.SimpleNamespace()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert not in_notebook()


def test_a_progress_function_is_called(tiny: Recipe, tmp_path: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    inkgan.train(
        tiny, out=tmp_path / "a", images=128, progress=lambda *arguments: calls.append(arguments)
    )
    assert calls == [("training", 0, 128), ("training", 64, 128), ("training", 128, 128)]
