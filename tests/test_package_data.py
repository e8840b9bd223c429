"""The wheel contains every file that the code reads."""

import fnmatch
import tomllib
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
