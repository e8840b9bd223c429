"""Texts: patterns against Python's own regular expressions, check digits against stdnum."""

import re
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import isbn, luhn
from stdnum.iso7064 import mod_97_10

from inkgan.errors import ArtifactError, ConfigError
from inkgan.handwriting.text import read_text
from inkgan.synthesis.texts.named_patterns import (
    DIRECTIVES,
    luhn_digit,
    mod11_digit,
    mod97_digits,
    parse_pattern,
    write_date,
)
from inkgan.synthesis.texts.pattern_parser import parse_expression
from inkgan.synthesis.texts.text_list import TextList
from inkgan.synthesis.texts.text_source import Shuffled, mean_digits, read_patterns

atoms = st.one_of(
    st.sampled_from(["7", "0", r"\d", "[0-9]", "[137]", "[2-5/]", r"\.", "/", ":", "-", "[.,]"]),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.integers(0, 3), st.integers(0, 3)).map(
            lambda t: f"({t[0]}){{{min(t[1:])},{max(t[1:])}}}"
        ),
        inner.map(lambda part: f"({part})?"),
    ),
    max_leaves=6,
)


@given(pattern=expressions, seed=st.integers(0, 10**6))
def test_texts_match_their_pattern(pattern: str, seed: int) -> None:
    node = parse_expression(pattern)
    text = node.draw(np.random.default_rng(seed))
    assert re.fullmatch(pattern, text)
    assert len(text) <= node.longest()


@given(st.text("0123456789[](){}|?,-\\d.@x: ", max_size=14))
def test_any_pattern_is_read_or_refused(pattern: str) -> None:
    try:
        source = read_patterns([pattern])
    except ConfigError as error:
        if not str(error).startswith("`pattern` "):
            raise AssertionError("the message does not name the parameter") from error
        return
    text = source.text(0, np.random.default_rng(0))
    assert read_text(text) == text
    assert len(text) <= source.longest


def test_every_text_of_a_pattern_occurs() -> None:
    node = parse_expression("[0-2]{1,2}|7")
    random = np.random.default_rng(0)
    found = {node.draw(random) for _ in range(600)}
    assert found == {"7", *"012", *(a + b for a in "012" for b in "012")}


@given(st.dates(date(1950, 1, 1), date(2049, 12, 31)), st.integers(0, 86399))
def test_dates_are_those_of_strftime(day: date, second: int) -> None:
    from datetime import datetime, time

    moment = datetime.combine(day, time(second // 3600, second // 60 % 60, second % 60))
    for directive in DIRECTIVES:
        expected = moment.strftime(directive.replace("-", ""))
        if "-" in directive:
            expected = expected.lstrip("0")
        assert write_date(directive, day, second) == expected
    assert write_date("%d.%m.%Y", day, second) == moment.strftime("%d.%m.%Y")


@given(st.text("0123456789", min_size=1, max_size=31))
def test_check_digits_are_those_of_the_reference(body: str) -> None:
    assert luhn_digit(body) == luhn.calc_check_digit(body)
    assert mod_97_10.is_valid(body + mod97_digits(body))


@given(st.text("0123456789", min_size=9, max_size=9))
def test_mod11_is_that_of_isbn(body: str) -> None:
    expected = isbn._calc_isbn10_check_digit(body)
    assert mod11_digit(body) == (None if expected == "X" else expected)


@pytest.mark.parametrize(
    ("pattern", "expression"),
    [
        ("date", r"\d{4}-\d\d-\d\d"),
        ("date:%-d/%-m/%y", r"\d{1,2}/\d{1,2}/\d\d"),
        ("time", r"\d\d:\d\d"),
        ("amount", r"\d{1,3}(,\d{3})*\.\d\d"),
        ("amount:#.##0,00", r"\d{1,3}(\.\d{3})*,\d\d"),
        ("amount:# ##0", r"\d{1,3}( \d{3})*"),
        ("amount:0.000", r"\d{1,6}\.\d{3}"),
        ("phone", r"0\d\d \d{3} \d{4}"),
        ("phone:555-####", r"555-\d{4}"),
        ("luhn:16", r"\d{16}"),
        ("mod11", r"\d{10}"),
        ("mod97:12", r"\d{12}"),
    ],
)
def test_named_patterns(pattern: str, expression: str) -> None:
    source = parse_pattern(pattern)
    random = np.random.default_rng(3)
    texts = [source.draw(random) for _ in range(100)]
    assert len(set(texts)) > 50
    for text in texts:
        assert re.fullmatch(expression, text)
        assert len(text) <= source.longest()
        if pattern == "luhn:16":
            assert luhn.is_valid(text)
        if pattern == "mod11":
            assert isbn.is_valid(text)


def test_amounts_have_no_leading_zeros_and_all_lengths() -> None:
    source = parse_pattern("amount:0")
    random = np.random.default_rng(0)
    texts = [source.draw(random) for _ in range(600)]
    assert all(text == str(int(text)) for text in texts)
    lengths = Counter(map(len, texts))
    assert set(lengths) == {1, 2, 3, 4, 5, 6}
    assert min(lengths.values()) > 60


def test_weights_of_patterns() -> None:
    source = read_patterns(["1", "2@3"])
    random = np.random.default_rng(0)
    found = Counter(source.text(0, random) for _ in range(800))
    assert abs(found["2"] - 600) < 4 * (800 * 0.25 * 0.75) ** 0.5


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[0-9", r"at place 2: write a class such as \[0-9\]"),
        ("(1|2", r"a \( without its \)"),
        ("1)", r"a \) without its \("),
        ("1{5,2}", "{5,2}: at most 200, the smaller first"),
        ("1{x}", "write {4} or {4,8}"),
        ("[9-0]", "the range 9-0 is impossible"),
        ("7a", "at place 2: 'a' is neither writable nor understood"),
        ("[a]", "'a' in a class cannot be written"),
        ("dates:%d", "'dates' is unknown.*'date'"),
        ("date:now", "write a format such as date:"),
        ("date:%d of %m", "'f' cannot be written"),
        ("amount:1.00", "write an amount as #,##0.00"),
        ("phone:+49 ###", r"'\+' cannot be written"),
        ("luhn:1", "with a length from 2 to 32"),
        ("mod11:12", "with a length from 2 to 10"),
        ("7@0", "the weight after @ must be a number above 0"),
        ("[0-9]{200}{2}", "neither writable nor understood"),
        ("([0-9]{150}){2}", "makes texts of 300 characters"),
        (" ", "draws empty texts"),
        ("", "makes texts of 0 characters"),
        ("(" * 30 + "1", "more than 20 groups"),
    ],
)
def test_impossible_patterns(pattern: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message) if "{" in message else message):
        read_patterns([pattern])


@given(
    st.lists(st.text("0123456789., ", min_size=1, max_size=8).filter(str.strip), min_size=1),
    st.integers(0, 2**31 - 1),
)
def test_lists_are_shuffled_whole(texts: list[str], seed: int) -> None:
    given_texts = TextList.of(texts)
    assert [given_texts[index] for index in range(len(texts))] == [t.strip() for t in texts]
    source = Shuffled(given_texts, seed)
    random = np.random.default_rng(0)
    for cycle in range(2):
        numbers = range(cycle * len(texts), (cycle + 1) * len(texts))
        assert Counter(source.text(n, random) for n in numbers) == Counter(map(str.strip, texts))
    assert source.longest == max(len(text.strip()) for text in texts)


def test_files_of_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(ArtifactError, match=r"`texts` .*a\.txt cannot be read: No such file"):
        TextList.read(path)
    path.write_text("12\n13a\n")
    with pytest.raises(ConfigError, match=r"a.txt, line 2: cannot write 'a'"):
        TextList.read(path)
    path.write_bytes(b"\xff\xfe1")
    with pytest.raises(ArtifactError, match="no text in UTF-8"):
        TextList.read(path)
    path.write_text(" \n\n")
    with pytest.raises(ConfigError, match="has no text at all"):
        TextList.read(path)
    assert TextList.of(["1"]).sha256 != TextList.of(["1", "2"]).sha256
    assert TextList.of(["12"]).sha256 != TextList.of(["1", "2"]).sha256


def test_mean_digits() -> None:
    assert mean_digits(read_patterns(["12.3"])) == 3
    assert mean_digits(Shuffled(TextList.of(["1", "1234567"]), 0)) == 4
