"""Runs in a notebook: what is shown while they train and afterwards, without a notebook."""

import sys
import types
from pathlib import Path

import pytest

import inkgan
from inkgan.config import Recipe
from inkgan.runs import live_display
from inkgan.runs.live_display import LiveDisplay, Update, in_notebook


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
    monkeypatch.setattr(live_display, "SECONDS", 0.0)
    fake = FakeDisplay()
    inkgan.train(tiny, out=tmp_path / "a", images=640, on_event=LiveDisplay(fake.show))
    assert fake.displays == 1  # one display, replaced as the run goes on
    assert "starting" in fake.shown[0]
    assert any("50%, epoch 0.2" in text for text in fake.shown)
    assert fake.shown[-1].count("data:image/png;base64,") == 2
    assert "complete: 640 images" in fake.shown[-1]
    assert "<th>e3_distance</th>" in fake.shown[-1]


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
