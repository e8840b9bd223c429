"""What the documents say is what the program does."""

import importlib.util
import re
from pathlib import Path

import inkgan

ROOT = Path(__file__).parents[1]


def test_the_recipes_page_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    written = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert written == generate.page(), "run: python docs/generate.py"


def test_the_file_tree_of_the_readme_names_every_room() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in Path(inkgan.__file__).parent.iterdir():
        if path.name.startswith("__") or path.name == "py.typed":
            continue
        name = f"{path.name}/" if path.is_dir() else path.name
        assert re.search(rf"(^|\s){re.escape(name)}\s", readme), name


def test_links_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), (page, target)


def test_the_changelog_knows_this_version() -> None:
    assert f"## {inkgan.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
