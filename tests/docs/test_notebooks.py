"""The notebooks run from top to bottom, at small size, and are stored with their outputs."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Few images in each evaluation and score: the notebook is tested, not the protocol.
STARTUP = """
from dataclasses import replace
from inkgan.evaluation import evaluate, generator_style
from inkgan.runs import active_run, trainer

active_run.SCORED_IMAGES = trainer.SCORED_IMAGES = 100
evaluate.PROTOCOLS["quick"] = replace(evaluate.PROTOCOLS["quick"], images=300)
generator_style.STYLE_LATENTS = 10
"""


def test_all_are_here() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "compare_losses",
        "digits_to_order",
        "first_gan",
        "five_systems",
        "your_handwriting",
    ]


@pytest.mark.filterwarnings("ignore:Kernel is running over TCP")
@pytest.mark.usefixtures("small_mnist", "keeps_baselines")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "few_images.py").write_text(STARTUP)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("INKGAN_QUICK", "1")
    (tmp_path / "work").mkdir()
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(tmp_path / "work")}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_with_real_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "importlib.util.find_spec" in code[0].source  # installs where it is not installed
    executed = [cell.execution_count for cell in code]
    assert executed == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    shown = {kind for output in outputs for kind in output.get("data", {})}
    assert shown & {"image/png", "text/html"}
    assert not any(output.output_type == "error" for output in outputs)
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(site-packages|home|root|Users)/", text)  # no path of one machine
    assert str(ROOT) not in text
    assert len(text) < 1_500_000
