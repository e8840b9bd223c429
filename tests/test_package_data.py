"""The wheel contains every file that the code reads."""

import fnmatch
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "inkgan"


def test_every_file_of_the_package_goes_into_the_wheel() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = document["tool"]["setuptools"]["package-data"]["inkgan"]
    files = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]
    left_out = [
        name for name in files if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    ]
    assert len(files) > 10
    assert not left_out
    unused = [
        pattern for pattern in patterns if not any(fnmatch.fnmatch(name, pattern) for name in files)
    ]
    assert not unused


def test_the_lowest_versions_are_those_of_the_requirements() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints-lowest.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
    for requirement in document["project"]["dependencies"]:
        name, _, bounds = requirement.partition(">=")
        lowest = bounds.split(",")[0]
        if name != "torch":
            assert pins[name].startswith(lowest), requirement
    assert len(pins) == len(document["project"]["dependencies"])


def test_the_table_of_the_readme_has_every_extra() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    text = (ROOT / "README.md").read_text("utf-8").partition("| extra, as ")[2].partition("\n\n")[0]
    listed = [name for row in text.splitlines() for name in re.findall(r"`(\w+)`", row[:40])]
    assert sorted(listed) == sorted(document["project"]["optional-dependencies"])


def test_wheel_and_source_contain_what_they_should(tmp_path: Path) -> None:
    source = tmp_path / "source"
    tracked = ["src", "pyproject.toml", "README.md", "LICENSE"]
    source.mkdir()
    for name in tracked:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), "."]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    (archive,) = tmp_path.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    expected = {
        f"inkgan/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected == {name for name in names if ".dist-info/" not in name}
    with tarfile.open(archive) as sources:
        inside = {name.partition("/")[2] for name in sources.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "src/inkgan/py.typed"} <= inside
    check = [sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(archive)]
    subprocess.run(check, check=True, capture_output=True)
