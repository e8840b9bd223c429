"""Prints what a redesign must not change: digests of weights, pictures, data sets, and scores.

Run it before and after, and compare the two outputs:

    python -m tests.invariance > before.txt
    python -m tests.invariance writing synth > some-before.txt

It needs MNIST below INKGAN_DATA, and uses the command line and the files that this leaves, never
a name inside the package. Commands and names of files stand in the tables below, to be adapted
where the command line changes. Digests hold on one machine, with the same libraries.
"""

import argparse
import csv
import gzip
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence
from safetensors import safe_open

# --- what is run: {out} is the file or folder to write, {folder} the one that holds it ---

BUNDLES = ("dcgan", "flagship", "mlp", "stacked-mnist")
AMOUNT = '"2026-11-21 1,299.50" --hand 7'
DIGITS = "synth {out} --per-class 20 --seed 3"
COMMANDS: dict[str, dict[str, str]] = {
    "samples": {f"{name}.png": f"sample {name} --seeds 0-63 --out {{out}}" for name in BUNDLES},
    "writing": {
        "amount.png": f"write {AMOUNT} --out {{out}}",
        "amount.svg": f"write {AMOUNT} --out {{out}}",
        "styled.png": f"write {AMOUNT} --slant 12 --thickness 3 --out {{out}}",
        "three.png": "write 3 --out {out}",
        "imitation.png": "imitate {folder}/three.png --out {out}",
        "morph.gif": "morph 3 8 --out {out}",
        "walk.webp": "morph 3 8 --walk --hand 1,5 --out {out}",
        "styles.png": "morph 3 --grid slant,thickness --out {out}",
    },
    "synth": {
        "idx": f"{DIGITS} --format idx",
        "npz": f"{DIGITS} --format npz",
        "png": f"{DIGITS} --format png",
        "imagefolder": f"{DIGITS} --format imagefolder",
        "chosen": f"{DIGITS} --plain --test-per-class 2 --min-confidence 0.9 --dedupe"
        " --slant=-10:10 --thickness 2:3",
        "sequences": "synth {out} --sequences 200 --seed 3",
    },
    "scores": {"flagship": "evaluate flagship --quick --out {out}"},
}
LIST_RECIPES = "recipes"
LISTED = re.compile(r"^(\S+)  ", re.MULTILINE)  # a recipe's name, in the list of recipes
FIND_DATA = "data fetch {data}"
TRAIN = "train {recipe} --images {images} --seed 0 --threads {threads} --device cpu --out {out}"

STEPS, FEWER_STEPS = 30, {"r3gan-small": 6}  # its steps are ten times as long
THREADS = (1, 2)
# The cache is an empty one, so that nothing computed earlier is used; threads are those of
# commands that have no option for them: an imitation's bits depend on their number.
SURROUNDINGS = {"INKGAN_OFFLINE": "1", "OMP_NUM_THREADS": "2"}
IMAGES_A_STEP = {
    "acgan": 100,
    "cgan": 128,
    "cifar10": 64,
    "dcgan": 128,
    "dcgan-compact": 128,
    "dcgan-tutorial": 256,
    "fashion-mnist": 64,
    "flagship": 64,
    "flagship-quick": 64,
    "kmnist": 64,
    "lsgan": 64,
    "mlp": 64,
    "r3gan-small": 128,
    "sngan-projection": 64,
    "stacked-mnist": 64,
    "vanilla": 128,
    "wgan": 5 * 64,
    "wgan-gp": 5 * 64,
}
OTHER_DATA = {"cifar10": "cifar10", "fashion-mnist": "fashion-mnist", "kmnist": "kmnist"}

# --- what is read ---

CHECKPOINT = "checkpoints/last.safetensors"
NETWORKS = ("generator", "discriminator", "ema")  # how names in a checkpoint begin
REPORT = "report.json"
SIGNIFICANT = 9  # digits of a score
ABOUT = ("README", "manifest", "data.yaml")  # how the names of files about a data set begin
DESCRIPTION = re.compile(r"<desc>.*?</desc>", re.DOTALL)  # of an SVG; names the version

Parts = Mapping[str, str]  # what each part of an outcome is called, and its digest
Progress = Callable[[str], None]


def main() -> None:
    """Print the lines of the sections asked for, each section's as soon as they are known."""
    parser = argparse.ArgumentParser(description="Print what a redesign must not change.")
    known = ", ".join(SECTIONS)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{known}; all if left out")
    asked = parser.parse_args().sections or list(SECTIONS)
    if unknown := set(asked) - set(SECTIONS):
        parser.error(f"no section is called {', '.join(sorted(unknown))}; choose from {known}")
    if "INKGAN_DATA" not in os.environ:
        parser.error("INKGAN_DATA must name the folder that holds mnist/")
    with tempfile.TemporaryDirectory() as name:
        for section in (section for section in SECTIONS if section in asked):
            folder = Path(name) / section
            folder.mkdir()
            lines = SECTIONS[section](folder, _progress(section))
            print(*(f"{section} {line}" for line in sorted(lines)), sep="\n", flush=True)


def _progress(section: str) -> Progress:
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {section} {what}", file=sys.stderr, flush=True)

    return tell


# --- running ---


def inkgan(template: str, folder: Path, **values: object) -> str:
    """Run a command of the table in a process of its own, and return its output.

    Raises:
        subprocess.CalledProcessError: the command failed; what it said is its `stderr`.
    """
    words = [word.format(folder=folder, **values) for word in shlex.split(template)]
    environment = os.environ | SURROUNDINGS | {"INKGAN_CACHE": str(folder.parent / "cache")}
    command = [sys.executable, "-m", "inkgan", *words]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


def _succeeds(template: str, folder: Path, **values: object) -> bool:
    try:
        inkgan(template, folder, **values)
    except subprocess.CalledProcessError:
        return False
    return True


def _outcome(
    label: str, template: str, out: Path, read: Callable[[Path], Parts], **values: object
) -> list[str]:
    """Run a command and digest what it wrote; a failure is a line as well."""
    try:
        inkgan(template, out.parent, out=out, **values)
        parts = read(out)
    except (subprocess.CalledProcessError, OSError) as error:
        print(getattr(error, "stderr", None) or error, file=sys.stderr)
        return [f"{label} failed"]
    return [f"{label} {part} {digest}" for part, digest in parts.items()]


def _table(section: str, read: Callable[[Path], Parts]) -> Callable[[Path, Progress], list[str]]:
    """Make a section of the commands that the table names, in their order."""

    def run(folder: Path, progress: Progress) -> list[str]:
        lines: list[str] = []
        for label, template in COMMANDS[section].items():
            progress(label)
            lines += _outcome(label, template, folder / label, read)
        progress("done")
        return lines

    return run


# --- recipes ---


def _recipes(folder: Path, progress: Progress) -> list[str]:
    """Train every recipe for a few steps, with one thread and with two."""
    lines: list[str] = []
    for recipe in sorted(LISTED.findall(inkgan(LIST_RECIPES, folder))):
        if recipe not in IMAGES_A_STEP:
            lines.append(f"{recipe} not in this script's table")
        elif recipe in OTHER_DATA and not _succeeds(FIND_DATA, folder, data=OTHER_DATA[recipe]):
            lines.append(f"{recipe} unavailable")
        else:
            lines += _trained(recipe, folder, progress)
    progress("done")
    return lines


def _trained(recipe: str, folder: Path, progress: Progress) -> Iterator[str]:
    images = IMAGES_A_STEP[recipe] * FEWER_STEPS.get(recipe, STEPS)
    for threads in THREADS:
        label = f"{recipe} threads={threads}"
        progress(label)
        out = folder / f"{recipe}-{threads}"
        yield from _outcome(
            label, TRAIN, out, _weights, recipe=recipe, images=images, threads=threads
        )


def _weights(run: Path) -> Parts:
    """Digest each network of a checkpoint, whatever its tensors are called."""
    tensors: dict[str, list[str]] = {network: [] for network in NETWORKS}
    with safe_open(run / CHECKPOINT, framework="numpy") as opened:
        for name in opened.keys():  # noqa: SIM118
            network = name.partition(".")[0]
            if network in tensors:
                tensors[network].append(_sha256([_array(opened.get_tensor(name))]))
    return {
        network: _sha256(digest.encode() for digest in sorted(digests)) if digests else "missing"
        for network, digests in tensors.items()
    }


# --- pictures ---


def _drawing(path: Path) -> Parts:
    """Digest a picture's pixels, or an SVG's text without its description."""
    if path.suffix == ".svg":
        text = DESCRIPTION.sub("", path.read_text(encoding="utf-8"))
        return {"text": _sha256([text.encode()])}
    return {"pixels": _sha256([_pixels(path)])}


def _pixels(path: Path) -> bytes:
    """Decode every frame of a picture, with its size and how long it stands."""
    parts = []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            parts.append(str((frame.size, frame.info.get("duration"))).encode())
            parts.append(frame.convert("RGBA").tobytes())
    return b"".join(parts)


# --- data sets ---


def _data_set(folder: Path) -> Parts:
    """Digest images, labels and boxes, one digest for each kind of file."""
    found: dict[str, list[bytes]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(ABOUT):
            name = path.relative_to(folder).as_posix()
            kind, read = FILES.get(path.suffix, IDX)
            found.setdefault(kind, []).extend([name.removesuffix(".gz").encode(), read(path)])
    return {kind: _sha256(parts) for kind, parts in found.items()}


def _idx(path: Path) -> bytes:
    packed = path.read_bytes()
    return gzip.decompress(packed) if path.suffix == ".gz" else packed


def _arrays(path: Path) -> bytes:
    with np.load(path) as arrays:
        ordered = [arrays[name] for name in sorted(arrays.files)]
    return b"".join(map(_array, ordered))


def _rows(path: Path) -> bytes:
    """Read a CSV file without its head."""
    with path.open(encoding="utf-8", newline="") as stream:
        return str(list(csv.reader(stream))[1:]).encode()


def _texts(path: Path) -> bytes:
    """Read the values of JSON lines."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return str([list(row.values()) for row in rows]).encode()


def _boxes(path: Path) -> bytes:
    """Read COCO's annotations."""
    annotations = json.loads(path.read_text(encoding="utf-8"))["annotations"]
    return str([(a["image_id"], a["category_id"], a["bbox"]) for a in annotations]).encode()


IDX: tuple[str, Callable[[Path], bytes]] = ("idx", _idx)
FILES: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    ".npz": ("arrays", _arrays),
    ".png": ("pixels", _pixels),
    ".csv": ("rows", _rows),
    ".jsonl": ("texts", _texts),
    ".json": ("coco", _boxes),
    ".txt": ("yolo", Path.read_bytes),
}


# --- scores ---


def _scores(folder: Path) -> Parts:
    """Count the numbers in a report, whatever they are called.

    Only those inside a list or an object count: at the top stand time and memory, which differ
    from run to run.
    """
    document = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    inner = [value for value in document.values() if isinstance(value, list | dict)]
    counts = Counter(f"{number:.{SIGNIFICANT}g}" for number in _numbers(inner))
    return {value: f"x{count}" for value, count in counts.items()}


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


# --- digests ---


def _array(array: Any) -> bytes:
    """Give an array's bytes behind its type and shape."""
    return str((array.dtype.str, array.shape)).encode() + bytes(array.tobytes())


def _sha256(parts: Iterable[bytes]) -> str:
    """Digest parts so that it matters where one ends."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "little") + part)
    return whole.hexdigest()


SECTIONS: dict[str, Callable[[Path, Progress], list[str]]] = {  # the quickest first
    "samples": _table("samples", _drawing),
    "scores": _table("scores", _scores),
    "writing": _table("writing", _drawing),
    "synth": _table("synth", _data_set),
    "recipes": _recipes,
}

if __name__ == "__main__":
    main()
