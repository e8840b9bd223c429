"""A run on a pseudo terminal, as an emulator of one shows it."""

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from fcntl import ioctl
from pathlib import Path

import pyte
import pytest

import inkgan
from inkgan.cli import terminal_display
from inkgan.cli.live_region import LiveRegion
from inkgan.cli.terminal import Abilities
from inkgan.config import Recipe
from inkgan.io.live_folder import LiveFolder
from inkgan.runs import live_state, preview

SMALL = ["mlp", "--data", "uci-digits", "--set", "schedule.batch_size=32"]
ENDLESS = [*SMALL, "--epochs", "100000"]
COLORS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


class Terminal:
    """A command on a terminal of some size.

    Args:
        arguments: after `inkgan`.
        cwd: the working folder.
        size: columns and lines.
        environment: of the command, beyond this process's.
        answer: what the terminal sends when it is asked.
        code: what the process does.
    """

    def __init__(
        self,
        arguments: list[str],
        cwd: Path,
        size: tuple[int, int] = (80, 24),
        environment: dict[str, str] = COLORS,
        answer: bytes = b"",
        code: str = "from inkgan.cli.main import main; main(['train', *sys.argv[1:]])",
    ) -> None:
        self.master, slave = pty.openpty()
        self.screen = pyte.HistoryScreen(*size, history=1000)
        self.stream, self.raw, self.answer = pyte.ByteStream(self.screen), b"", answer
        self.resize(*size)
        names = ("NO_COLOR", "COLORTERM", "COLUMNS", "LINES", "KITTY_WINDOW_ID", "TERM_PROGRAM")
        kept = {name: value for name, value in os.environ.items() if name not in names}
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEADER + code, *arguments],
            cwd=cwd,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**kept, "OMP_NUM_THREADS": "1", **environment},
            start_new_session=True,
        )

    def resize(self, columns: int, lines: int) -> None:
        ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def read(self, until: Callable[[], bool]) -> None:
        """Show what the command writes until something is true."""
        end = time.monotonic() + 120
        while not until():
            assert time.monotonic() < end, "\n".join(self.screen.display)
            if select.select([self.master], [], [], 0.05)[0]:
                data = os.read(self.master, 1 << 16)
                self.raw += data
                self.stream.feed(data)
                if self.answer and b"\x1b[c" in data:
                    os.write(self.master, self.answer)

    def finish(self) -> int:
        """Show the rest and return the exit code."""
        quiet: list[bool] = []

        def is_quiet() -> bool:
            ended = self.process.poll() is not None
            quiet[:] = [ended and not select.select([self.master], [], [], 0)[0]]
            return quiet[0]

        self.read(is_quiet)
        return self.process.wait()

    @property
    def text(self) -> str:
        """All that scrolled by, and the screen."""
        above = [
            "".join(line[x].data for x in range(self.screen.columns))
            for line in self.screen.history.top
        ]
        return "\n".join(line.rstrip() for line in [*above, *self.screen.display])

    @property
    def visible(self) -> str:
        """The screen."""
        return "\n".join(self.screen.display)

    @property
    def colors(self) -> set[str]:
        """The colors of all half blocks on the screen."""
        cells = (cell for line in self.screen.buffer.values() for cell in line.values())
        return {color for cell in cells if cell.data == "▀" for color in (cell.fg, cell.bg)}

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


# The terminal becomes that of the new session, as a shell's is.
LEADER = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
ABILITIES = """
import os, time
from rich.console import Console
from inkgan.cli.live_region import terminal_size
from inkgan.cli.terminal import find_abilities
color_system = Console(stderr=True).color_system
began = time.monotonic()
size = terminal_size(sys.stderr)
found = find_abilities(sys.stderr, size, color_system, os.environ)
seconds = f" in {time.monotonic() - began:.0f} seconds"
print(f"{found.mode} {found.cell}" if found else "nothing", end=seconds)
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(arguments: list[str], **options: object) -> Terminal:
        opened.append(Terminal([*arguments, "--out", "a"], tmp_path, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield open_terminal
    for each in opened:
        each.close()


def test_digits_in_color_resized_and_interrupted(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(ENDLESS)
    shown.read(lambda: "left" in shown.text and len(shown.colors) > 4)
    assert all(re.fullmatch("([0-9a-f]{2})\\1\\1", color) for color in shown.colors)  # grays
    assert "right on fake" in shown.text
    shown.read(lambda: "discriminator gets" in shown.text)
    shown.resize(60, 20)  # an emulator that cuts lines: nothing is wrapped, nothing left over
    marks = len(shown.raw)
    shown.read(lambda: len(shown.raw) > marks + 6000 and "left" in shown.visible)
    assert shown.visible.count("D loss") == shown.visible.count(" left") == 1
    assert shown.visible.count("right on fake") == 1
    os.write(shown.master, b"\x03")
    assert shown.finish() == 130
    assert "stopping after this step; once more to stop at once" in shown.text
    assert "everything is saved. Continue with:" in " ".join(shown.text.split())
    assert termios.tcgetattr(shown.slave) == shown.before
    assert shown.raw.rfind(b"\x1b[?25h") > shown.raw.rfind(b"\x1b[?25l")  # the cursor is back
    assert shown.raw.rfind(b"\x1b[?7h") > shown.raw.rfind(b"\x1b[?7l")
    assert b"\x1b[?1049" not in shown.raw  # no other screen


def test_dots_without_color_on_a_narrow_terminal(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(
        [*SMALL, "--images", "3200", "--sample-interval", "640"],
        size=(60, 24),
        environment={**COLORS, "NO_COLOR": "1"},
    )
    assert shown.finish() == 0
    assert re.search("[⠁-⣿]", shown.text)
    assert "▀" not in shown.text
    assert not re.findall(rb"\x1b\[[0-9;]*[34]8;", shown.raw)
    assert all(len(line) <= 60 for line in shown.text.splitlines())
    lines = re.findall(r"^epoch \S+ \S+ images", shown.text, re.MULTILINE)
    assert len(lines) >= 6  # messages are above, each once
    assert len(set(lines)) == len(lines)
    assert shown.text.count("D loss") == 1
    assert shown.text.index("100%") < shown.text.index("complete:")
    assert re.search(r"Next:\s+\S*inkgan studio", shown.text)


def test_pixels_where_the_terminal_has_them(terminal: Callable[..., Terminal]) -> None:
    shown = terminal(ENDLESS, answer=b"\x1b[6;20;10t\x1b[?62;4;22c")
    shown.read(lambda: re.search(rb'\x1bP0;0;0q"1;1;\d+;\d+#0', shown.raw) is not None)
    assert termios.tcgetattr(shown.slave) == shown.before
    assert b"62;4;22c" not in shown.raw  # the answer is not shown


@pytest.mark.parametrize(
    ("answer", "environment", "expected"),
    [
        (b"\x1b[6;20;10t\x1b[?62;4;22c", {}, "sixel (10, 20)"),
        (b"\x1b[?62;4;22c", {}, "truecolor None"),  # sixel, but of unknown size
        (b"\x1b[6;20;10t\x1b[?64;22c", {}, "truecolor None"),
        (b"\x1b[?6", {}, "truecolor None"),  # an answer that never ends
        (b"", {}, "truecolor None"),
        (b"", {"COLORTERM": ""}, "256 None"),
        (b"", {"KITTY_WINDOW_ID": "1"}, "kitty None"),
        (b"", {"KITTY_WINDOW_ID": "1", "TMUX": "x"}, "truecolor None"),
        (b"", {"TERM_PROGRAM": "WezTerm"}, "kitty None"),
        (b"", {"KITTY_WINDOW_ID": "1", "NO_COLOR": "1"}, "braille None"),
        (b"", {"TERM": "vt100", "COLORTERM": ""}, "braille None"),
        (b"", {"TERM": "dumb"}, "nothing"),
        (b"", {"PYTHONIOENCODING": "ascii"}, "nothing"),
        (b"", {"COLUMNS": "39"}, "nothing"),
        (b"", {"LINES": "10"}, "nothing"),
    ],
)
def test_what_a_terminal_can_do(
    answer: bytes, environment: dict[str, str], expected: str, tmp_path: Path
) -> None:
    shown = Terminal([], tmp_path, environment=COLORS | environment, answer=answer, code=ABILITIES)
    try:
        assert shown.finish() == 0
        assert shown.text.replace("\n", "") == f"{expected} in 0 seconds"
        assert termios.tcgetattr(shown.slave) == shown.before
    finally:
        shown.close()


def test_a_run_that_is_shown_is_the_same_run(
    tiny: Recipe, tmp_path: Path, same_weights: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_state, "INTERVAL", 0.0)
    monkeypatch.setattr(live_state, "SHARE", 1e9)
    monkeypatch.setattr(preview, "INTERVAL", 0.0)
    monkeypatch.setattr(preview, "CREDIT", 100.0)
    screen = pyte.Screen(80, 24)
    wire = Wire(pyte.Stream(screen))
    display = terminal_display.TerminalDisplay(Abilities("truecolor"), None, wire)  # type: ignore[arg-type]
    shown = inkgan.train(tiny, out=tmp_path / "shown", on_event=display.take)
    alone = inkgan.train(tiny, out=tmp_path / "alone")
    assert any("▀" in line for line in screen.display)
    states = [run.load_checkpoint("last") for run in (shown, alone)]
    assert states[0] is not None
    assert states[1] is not None
    assert same_weights(states[0][0], states[1][0])
    assert shown.bundle_path.read_bytes() == alone.bundle_path.read_bytes()


def test_lines_alone_where_they_are_wanted(terminal: Callable[..., Terminal]) -> None:
    shown = terminal([*SMALL, "--images", "640", "--no-live"])
    assert shown.finish() == 0
    assert "▀" not in shown.text
    assert "D loss" not in shown.text
    assert "complete: 640 images" in shown.text


def test_a_pipe_gets_lines_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "inkgan", "train", *SMALL, "--images", "640", "--live"]
    done = subprocess.run(
        [*command, "--out", "a"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
        env={**os.environ, **COLORS},
    )
    assert not set(done.stdout + done.stderr) & set("\x1b\r▀▁")
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"epoch 0\.\d 640 images  D .* distance [\d.]+( \(best\))?", last)
    assert not LiveFolder(tmp_path / "a").frame_path.exists()  # nobody watched


def test_a_run_that_fails_says_why_below(terminal: Callable[..., Terminal]) -> None:
    shown = terminal([*ENDLESS, "--set", "optim.lr=0.9", "--on-trouble", "stop"])
    assert shown.finish() == 1
    assert "The run is saved in a" in " ".join(shown.text.split()[-12:])
    assert shown.text.rindex("images/s") < shown.text.rindex("inkgan: ")
    assert termios.tcgetattr(shown.slave) == shown.before
    assert shown.raw.rfind(b"\x1b[?25h") > shown.raw.rfind(b"\x1b[?25l")


class Wire:
    """Hands what is written to an emulator, or is interrupted in the middle."""

    def __init__(self, stream: pyte.Stream) -> None:
        self.stream, self.cut = stream, False

    def write(self, text: str) -> None:
        if self.cut:
            self.cut = False
            self.stream.feed(text[: len(text) // 2])
            raise KeyboardInterrupt
        self.stream.feed(text)

    def flush(self) -> None:
        pass

    def fileno(self) -> int:
        raise OSError("no file")


def test_a_region_is_drawn_in_place_below_messages() -> None:
    screen = pyte.Screen(20, 8)
    stream = pyte.Stream(screen)
    screen.set_mode(pyte.modes.LNM)

    wire = Wire(stream)
    region = LiveRegion(wire, lambda: (screen.columns, screen.lines))  # type: ignore[arg-type]
    for number in range(5):
        region.draw(["picture", f"number {number}"])
    region.erase()
    stream.feed("message\n")
    region.draw(["picture", "of", "three"])
    assert [line.rstrip() for line in screen.display[:4]] == ["message", "picture", "of", "three"]
    region.draw(["one"])
    region.leave()
    stream.feed("end\n")
    assert [line.rstrip() for line in screen.display[:4]] == ["message", "one", "end", ""]
    wire.cut = True
    with pytest.raises(KeyboardInterrupt):
        region.draw(["a long line", "and another"])
    assert screen.cursor.hidden
    region.restore()
    stream.feed("interrupted\n")
    assert not screen.cursor.hidden
    assert pyte.modes.DECAWM in screen.mode
    assert "interrupted" in [line.rstrip() for line in screen.display]
