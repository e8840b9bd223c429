"""Text of strangers: harmless on a terminal, and one line in a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgan.errors import ArtifactError
from inkgan.printable import LONGEST_LINE, one_line, printable


def test_control_characters_are_escaped_and_words_of_all_scripts_stay() -> None:
    assert printable("\x1b[2J\x07\u202e\x9b") == "\\x1b[2J\\x07\\u202e\\x9b"
    assert printable("plain: ä 漢 é\n") == "plain: ä 漢 é\n"


@given(st.text(st.characters()))
def test_a_message_is_always_one_short_printable_line(text: str) -> None:
    line = str(ArtifactError(text))
    assert not set(line) & set("\n\r\x1b\x07\u202e\u2028")
    assert len(line) <= LONGEST_LINE
    assert one_line(line) == line


@pytest.mark.parametrize("text", ["x" * 5000, "word " * 5000, "\n" * 5000])
def test_endless_text_is_cut(text: str) -> None:
    assert len(one_line(text)) <= LONGEST_LINE
    assert one_line(text).endswith("...")
