"""Writing in a thread: the same bytes in the same order, and no error is lost."""

import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkgan.synthesis.formats.background_writer import in_background


class Full:
    """A stream on a disk that is full after some pieces."""

    def __init__(self, pieces: int) -> None:
        self.left = pieces

    def write(self, content: bytes, /) -> int:
        if not self.left:
            raise OSError(28, "No space left on device")
        self.left -= 1
        return len(content)


@given(st.lists(st.binary()))
def test_the_bytes_are_the_same(pieces: list[bytes]) -> None:
    raw = io.BytesIO()
    with in_background(raw) as stream:
        for piece in pieces:
            stream.write(piece)
    assert raw.getvalue() == b"".join(pieces)


@pytest.mark.parametrize("pieces", [0, 1, 2])
def test_an_error_of_any_piece_is_raised(pieces: int) -> None:
    written: list[int] = []

    def write_three() -> None:
        with in_background(Full(pieces)) as stream:
            for piece in range(3):
                stream.write(b"x")
                written.append(piece)

    with pytest.raises(OSError, match="No space"):
        write_three()
    assert len(written) == min(pieces + 1, 3)  # raised at the call after the one that fails


def test_the_callers_own_error_comes_through_and_the_thread_ends() -> None:
    before = threading.active_count()

    def fail() -> None:
        with in_background(Full(0)) as stream:
            stream.write(b"x")
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fail()
    assert threading.active_count() == before


def test_writing_overlaps_with_the_caller() -> None:
    may_end = threading.Event()

    class Slow:
        def write(self, content: bytes, /) -> int:
            assert may_end.wait(10)
            return len(content)

    with in_background(Slow()) as stream:
        stream.write(b"x")  # returns before the piece is written
        may_end.set()
