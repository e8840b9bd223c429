"""Installs the wheel alone into a new environment, and does there what the README says.

`make fresh` runs it: python -m tests.fresh_environment --folder FOLDER. It takes some minutes, most
of them for the installation, and needs MNIST (INKGAN_DATA or the network). It prints a table and
fails if a command fails, is silent for two seconds at first, or names no way out where an extra
is missing.
"""

import argparse
import os
import pty
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.docs.test_readme import COMMANDS, TEXT, shortened

ROOT = Path(__file__).parents[1]
SILENCE = 2.0  # seconds before the first word
# A command that needs each extra. `notebook`, `docs` and `dev` have none.
EXTRAS = {
    "studio": "studio --no-open",
    "onnx": "export onnx flagship digits.onnx",
    "hub": "export hub flagship folder --push user/name",
    "cloud": "synth s3://bucket/digits --per-class 2 --format webdataset",
    "lmdb": "synth lines --sequences 2 --format lmdb",
    "parquet": "synth tables --sequences 2 --format parquet",
    "log": "train vanilla --images 64 --out runs/log --logger tensorboard",
    "wandb": "train vanilla --images 64 --out runs/wandb --logger wandb",
    "mlflow": "train vanilla --images 64 --out runs/mlflow --logger mlflow",
    "inception": "evaluate flagship --quick --inception --fresh",
    "ray": "train vanilla --images 64 --out runs/ray --seeds 0-1 --on ray",
    "sweep": "sweep vanilla --search optim.lr=1e-4,1e-3 --trials 2 --images 64",
}
NEED_AN_EXTRA = ("sweep ",)  # the beginnings of README commands that do
PICTURES = """
import inkgan
from pathlib import Path
from PIL import Image

digits = inkgan.load("flagship").sample([*range(10)] * 20)
for place, digit in enumerate(digits):
    path = Path(f"pictures/{place % 10}/{place}.png")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(digit).save(path)
Image.fromarray(255 - digits[3].repeat(4, axis=0).repeat(4, axis=1)).save("photo.png")
"""


class Outcome(NamedTuple):
    """What a command did: exit code, seconds until its first output and its end, its last line."""

    code: int
    first: float
    whole: float
    last: str


def run(command: list[str], folder: Path, environment: dict[str, str]) -> Outcome:
    """Run a command on a terminal, with the time of its first output of any kind."""
    start = time.perf_counter()
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=writing, stdout=writing, stderr=writing
    )
    os.close(writing)
    text, first = b"", None
    with os.fdopen(reading, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(65536)
            except OSError:  # Linux's way to say that the other side has closed
                break
            if not part:
                break
            first = first or time.perf_counter() - start
            text += part
    code = process.wait()
    whole = time.perf_counter() - start
    return Outcome(code, first or whole, whole, plain_lines(text)[-1])


def plain_lines(text: bytes) -> list[str]:
    """Return what a terminal shows, line by line, without what moves the cursor."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "\n", text.decode("utf-8", "replace"))
    return [line for line in plain.splitlines() if line.strip()] or [""]


def main() -> None:
    """Install, run, print, and exit with 1 after a failure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder to work in")
    parser.add_argument("--slow", action="store_true", help="a busy machine: silence is no failure")
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []

    def report(name: str, outcome: Outcome, fault: str = "") -> None:
        line = f"{outcome.first:6.1f} {outcome.whole:7.1f}  {name}"
        print(line + (f"\n        FAULT {fault}: {outcome.last}" if fault else ""), flush=True)
        faults.extend([name] if fault else [])

    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "INKGAN_"))}
    print(" first   whole  seconds until the first output, until the end", flush=True)
    steps = {
        "git clone": ["git", "clone", "--quiet", str(ROOT), "clone"],
        "build the wheel": [sys.executable, "-m", "build", "--wheel", "--outdir", ".", "clone"],
        "make an environment": [sys.executable, "-m", "venv", "environment"],
    }
    for name, words in steps.items():
        report(name, done := run(words, folder, environment), "failed" if done.code else "")
    binaries = folder / "environment" / "bin"
    (wheel,) = folder.glob("inkgan-*.whl")
    install = [str(binaries / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    install += ["--quiet", "-c", str(ROOT / "constraints.txt"), str(wheel)]
    report("pip install", done := run(install, folder, environment), "failed" if done.code else "")

    reader = folder / "reader"
    for name in ("reader", "home", "cache"):
        (folder / name).mkdir()
    environment |= {"HOME": str(folder / "home"), "INKGAN_CACHE": str(folder / "cache")}
    environment |= {k: v for k, v in os.environ.items() if k == "INKGAN_DATA"}
    environment["PATH"] = f"{binaries}{os.pathsep}{environment['PATH']}"

    def inkgan(command: str) -> Outcome:
        return run([str(binaries / "inkgan"), *shlex.split(command)], reader, environment)

    report("inkgan sample --labels 7", inkgan("sample --labels 7"))  # the first digit
    python = str(binaries / "python")
    report("(pictures, a photo)", run([python, "-c", PICTURES], reader, environment))
    for command in map(shortened, COMMANDS):
        if command.startswith(NEED_AN_EXTRA):
            continue
        done = inkgan(command)
        fault = "failed" if done.code else ""
        if done.first > SILENCE and not options.slow:
            fault = "silent for too long"
        report(f"inkgan {command}", done, fault)
    code = TEXT.partition("```python\n")[2].partition("```")[0].replace("epochs=5", "images=640")
    report("(the README's Python)", done := run([python, "-c", code], reader, environment))
    faults.extend(["Python"] if done.code else [])
    for extra, command in EXTRAS.items():
        done = inkgan(command)
        named = f"inkgan[{extra}]" in done.last
        fault = "" if done.code in (1, 2) and named else "does not name the extra in one line"
        report(f"without {extra}: inkgan {command}", done, fault)
        print(f"                {done.last}")
    sys.exit(f"failed: {', '.join(faults)}" if faults else 0)


if __name__ == "__main__":
    main()
