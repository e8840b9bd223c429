"""Text of strangers: harmless on a terminal, and one line in a message."""

import dataclasses
import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkgan.config.serialize import override
from inkgan.errors import ArtifactError
from inkgan.exporters.model_card import model_card
from inkgan.printable import LONGEST_LINE, markdown, one_line, path_line, printable, shell_words
from tests.fixtures.bundles import small_bundle


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


@pytest.mark.skipif(os.name != "posix", reason="shells of POSIX")
@given(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_a_shell_reads_quoted_words_as_they_were(words: list[str]) -> None:
    command = shell_words(*words)
    assert "\n" not in command
    assert printable(command) == command
    script = f"printf '%s\\0' {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode("utf-8").split("\0")[:-1] == words


def test_a_path_is_one_line_of_any_length() -> None:
    assert path_line("a\nb\x1b/" + "x" * 3000) == "a\\nb\\x1b/" + "x" * 3000


def test_markdown_stays_text() -> None:
    assert markdown("plain-name 0.5 (7)") == "plain-name 0.5 (7)"
    assert markdown("<b>[x](y)|`\n") == "\\<b\\>\\[x\\](y)\\|\\`\\\\n"


def test_hostile_names_on_a_model_card() -> None:
    script = "<script>alert(1)</script>"
    bundle = small_bundle()
    recipe = override(
        bundle.recipe,
        {
            "name": script.replace("/", ""),
            "notes": f"```\n{script}",
            "data.name": f"folder:a\n\x1b[2J{script}",
        },
    )
    classes = (f"{script}|\n# x", *"123456789")
    card = model_card(dataclasses.replace(bundle, recipe=recipe, classes=classes), None, "a.png")
    text, _, code = card.partition("````toml\n")
    assert code.count("````") == 1
    assert "<script>" not in text.replace("\\<script", "")
    assert "\n# x" not in text
    assert "\x1b" not in card
