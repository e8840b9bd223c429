"""Files that other programs read: the citation, and the workflow of continuous integration."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import inkgan

ROOT = Path(__file__).parents[1]
CITATION = "CITATION.cff"
WORKFLOW = ".github/workflows/ci.yml"
SCHEMAS = {CITATION: "vendor.citation-file-format", WORKFLOW: "vendor.github-workflows"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def document(name: str) -> Any:
    return YAML(typ="safe").load(text_of(name))


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_valid_by_the_schema_of_its_format(name: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name], name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_citation_is_of_this_version() -> None:
    citation = document(CITATION)
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    (date,) = re.findall(
        rf"^## {re.escape(inkgan.__version__)} \((.*)\)$", text_of("CHANGELOG.md"), re.M
    )
    assert citation["version"] == inkgan.__version__
    assert str(citation["date-released"]) == date
    assert citation["license"] == project["license"]
    assert citation["title"].startswith(f"{project['name']}: ")
    page = text_of("docs/citation.md")
    (author,) = citation["authors"]
    for value in (
        citation["title"],
        citation["version"],
        date.partition("-")[0],
        author["name"],
    ):
        assert f"{{{value}}}" in page, value


def test_the_workflow_runs_the_script_and_three_systems() -> None:
    jobs = document(WORKFLOW)["jobs"]
    steps = {name: [step.get("run") for step in job["steps"]] for name, job in jobs.items()}
    assert ".ci/run" in steps["linux"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    matrix = jobs["others"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    tried = {
        step["with"]["python-version"]
        for job in jobs.values()
        for step in job["steps"]
        if "setup-python" in step.get("uses", "")
    }
    tried = tried - {"${{ matrix.python }}"} | set(matrix["python"])
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    assert project["requires-python"] == f">={min(tried)}"
    assert set(re.findall(r":: Python :: (3\.\d+)", str(project["classifiers"]))) == tried


def test_the_script_makes_what_the_makefile_has() -> None:
    wanted = re.findall(r"^make (\w+)$", text_of(".ci/run"), re.M)
    assert {"lint", "docs", "lowest", "test"} == set(wanted)
    made = re.findall(r"^(\w+):", text_of("Makefile"), re.M)
    assert set(wanted) <= set(made)
