"""Rows of a file that grows, is cut short and written anew."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgan.files import write_text
from inkgan.studio.row_tail import RowTail, parse_row


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_rows_count_when_their_line_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = RowTail(path)
    tail.refresh()
    assert len(tail) == 0
    append(path, '{"step": 1}\n{"st')
    tail.refresh()
    assert tail.lines(0, 9) == [b'{"step": 1}\n']
    append(path, 'ep": 2}\n')
    tail.refresh()
    assert tail.lines(1, 9) == [b'{"step": 2}\n']
    assert tail.lines(2, 9) == []


def test_a_mark_is_known_again_unless_the_rows_are_others(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    append(path, '{"a": 1}\n{"a": 2}\n{"a": 3}\n')
    tail = RowTail(path)
    tail.refresh()
    mark = tail.mark(2)
    assert tail.position(mark) == 2
    assert tail.position(tail.mark(0)) == 0
    write_text(path, '{"a": 1}\n{"a": 2}\n')  # the same rows in a new file
    tail.refresh()
    assert tail.position(mark) == 2
    write_text(path, '{"a": 1}\n{"b": 2}\n{"b": 3}\n')
    tail.refresh()
    assert tail.position(mark) is None
    write_text(path, "")
    tail.refresh()
    assert tail.position(mark) is None
    for nonsense in ("", "x", "-", "1", "9-0", "-1-0", "9" * 30 + "-0", "2-zz"):
        assert tail.position(nonsense) is None


@given(st.lists(st.integers(0, 9999), max_size=60), st.integers(1, 7), st.integers(1, 50))
def test_every_row_is_read_once_however_the_file_grows(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], piece: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("tail") / "metrics.jsonl"
    text = "".join(json.dumps({"n": number}) + "\n" for number in numbers)
    tail = RowTail(path)
    found: list[int] = []
    for start in range(0, len(text) + cut, cut):
        append(path, text[start : start + cut])
        tail.refresh()
        while lines := tail.lines(len(found), piece):
            found += [parse_row(line)["n"] for line in lines]
    assert found == numbers


def test_numbers_that_json_does_not_have_are_none() -> None:
    assert parse_row(b'{"d_loss": NaN, "g_loss": Infinity}\n') == {"d_loss": None, "g_loss": None}
    assert parse_row(b"[1]\n") == {}
    assert parse_row(b"\xff{\n") == {}
