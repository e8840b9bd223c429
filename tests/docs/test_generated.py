"""What the documents say is what the program does."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import inkgan
from inkgan.config import Objective
from inkgan.training.diffaug import AUGMENTATIONS
from inkgan.training.losses import LOSSES
from inkgan.training.penalties import PENALTIES

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    """Return a script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_pages_are_up_to_date() -> None:
    generate = script("generate")
    for name, page in generate.PAGES.items():
        written = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert written == page(), "run: python docs/generate.py"
    listed = [name for names in generate.API.values() for name in names]
    assert sorted(listed) == sorted(inkgan.__all__)


def test_the_file_tree_of_the_architecture_page_names_every_package() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in Path(inkgan.__file__).parent.iterdir():
        if path.name.startswith("__") or path.name == "py.typed":
            continue
        name = f"{path.name}/" if path.is_dir() else path.name
        assert re.search(rf"(^|\s){re.escape(name)}\s", page), name


def test_the_picture_of_the_layout_has_every_package() -> None:
    layout = script("layout")
    source = Path(inkgan.__file__).parent
    packages = {path.parent.name for path in source.glob("*/__init__.py")} - {"config"}
    assert layout.PACKAGES.keys() == packages


def test_the_call_trees_of_the_architecture_page_name_what_exists() -> None:
    """Each line is a name, the file that defines it, and perhaps a remark."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.findall(r"^ *(\w+) +([\w/]+\.py)(?: |$)", page, re.MULTILINE)
    calls = [(name, path) for name, path in found if not name.endswith("py")]
    assert len(calls) > 30
    for name, path in calls:
        code = (Path(inkgan.__file__).parent / path).read_text(encoding="utf-8")
        assert re.search(rf"^ *(def|class) {name}\b|^{name}\b", code, re.MULTILINE), (name, path)


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)


def test_the_page_of_objectives_has_every_formula_with_its_source() -> None:
    page = (ROOT / "docs" / "objectives.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if "|" in line}
    sources: dict[str, str] = {name: loss.source for name, loss in LOSSES.items()}
    sources |= {f"objective.penalties.{name}": source for name, (_, source) in PENALTIES.items()}
    for name, source in sources.items():
        assert source in rows[name], name
    assert all(f"`{name}`" in rows["objective.augment"] for name in AUGMENTATIONS)
    elsewhere = {"loss", "penalties", "aux_weight", "style_weight", "code_weight"}
    for name in Objective.model_fields.keys() - elsewhere:
        assert f"objective.{name}" in rows, name


def test_the_changelog_knows_this_version() -> None:
    assert f"## {inkgan.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
