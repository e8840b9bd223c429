"""The order in which files of tests begin, which keeps all processes busy to the end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.conftest import LONGEST, longest_first

TESTS = Path(__file__).parent


def test_the_longest_files_are_files_of_tests() -> None:
    assert len(set(LONGEST)) == len(LONGEST)
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []


def test_they_come_first_and_the_others_stay_in_order() -> None:
    names = ["test_files.py", LONGEST[1], "test_images.py", LONGEST[0], LONGEST[1], "test_rng.py"]
    items: list[Any] = [SimpleNamespace(path=TESTS / name) for name in names]
    longest_first(items)
    found = [str(item.path.relative_to(TESTS)) for item in items]
    others = [name for name in names if name not in LONGEST]
    assert found == [LONGEST[0], LONGEST[1], LONGEST[1], *others]
