"""Train a text recognizer on generated strings and on real ones, and test both on real ones.

python -m benchmarks.recognizer runs/recognizer [--strings 4000] [--epochs 16] [--seeds 3]

The same command continues where it was stopped: each trained recognizer leaves one JSON file, and
existing ones are not trained again. The sides are strings of the generator, strings composed in
the same way of MNIST's training digits, and the generator's with one thing left out. All are
tested on strings of MNIST's test digits: on forms, which no training string has, with stronger
effects; and on the kinds of paper of the training strings.
"""

import argparse
import difflib
import itertools
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import inkgan
from inkgan import files
from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.metrics.stats.intervals import t_interval
from inkgan.synthesis.glyph_pool import GlyphPool, pool_of_images
from inkgan.synthesis.paper.paper import Paper
from inkgan.synthesis.request import Criteria
from inkgan.synthesis.sequence_composer import SequenceComposer
from inkgan.synthesis.sequence_layout import SequenceLayout
from inkgan.synthesis.sequence_plan import SequencePlan
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.streaming import SequenceSource, open_source
from inkgan.types import UInt8

HEIGHT, LEAST_WIDTH = 32, 32
BLANK = 10
BATCH = 32
BATCHES_SORTED = 16  # that are sorted by width together, so that little is padding
LEARNING_RATE = 3e-3
JSON = dict[str, Any]
VARIANTS = 8  # images of a digit that a real writer is dealt
TEST_SEED = 1_000_000
TRAINED = Sequences(
    1,
    length=(3, 8),
    writers=1000,  # MNIST's training digits are enough for 677
    layout=SequenceLayout(touching=0.15, overlapping=0.05, tilt=(-4, 4)),
    paper=Paper("photo", kinds=("plain", "ruled", "grid")),
)
TESTED = replace(TRAINED, paper=Paper("photo", strength=1.25, kinds=("form",)))
TESTS = {"other paper": TESTED, "same paper": TRAINED}


@dataclass(frozen=True)
class Side:
    """What a recognizer is trained on.

    Attributes:
        name: in the table.
        sequences: how strings are composed.
        real: of MNIST's training digits instead of the generator's.
    """

    name: str
    sequences: Sequences
    real: bool = False

    @property
    def file_name(self) -> str:
        """The name as a part of file names."""
        return self.name.replace(",", "").replace(" ", "-")


class Size(NamedTuple):
    """How long a recognizer is trained, and on how many strings it is tested."""

    strings: int
    epochs: int
    tests: int


SIDES = (
    Side("generated", TRAINED),
    Side("real", TRAINED, real=True),
    Side("generated, none touch", replace(TRAINED, layout=SequenceLayout(tilt=(-4, 4)))),
    Side("generated, 10 writers", replace(TRAINED, writers=10)),
    Side("generated, clean paper", replace(TRAINED, paper=Paper())),
)


@dataclass(frozen=True)
class Strings:
    """Pictures of one height with their texts.

    Attributes:
        images: uint8 (HEIGHT, width) each.
        texts: digits.
    """

    images: list[UInt8]
    texts: list[str]


def resized(image: UInt8) -> UInt8:
    """Return a picture in gray at the recognizer's height, uint8 (HEIGHT, width)."""
    pixels = torch.from_numpy(np.array(image)).float()
    gray = pixels if pixels.ndim == 2 else pixels.mean(dim=2)
    width = max(LEAST_WIDTH, round(gray.shape[1] * HEIGHT / gray.shape[0]))
    small = F.interpolate(
        gray[None, None], (HEIGHT, width), mode="bilinear", antialias=True, align_corners=False
    )
    scaled: UInt8 = small[0, 0].round().clamp(0, 255).to(torch.uint8).numpy()
    return scaled


def strings_of(source: SequenceSource, count: int) -> Strings:
    """Draw the first strings of a source."""
    drawn = list(source.draw(iter(range(count))))
    return Strings([resized(image) for image, _ in drawn], [str(text) for _, text in drawn])


def real_pool(split: str, writers: int, seed: int) -> GlyphPool:
    """Return MNIST's digits of a split, dealt out to writers."""
    data = load_dataset(Data(name="mnist", holdout=0), "test" if split == "test" else "train")
    images, labels = data.images[:, 0].numpy(), data.labels.numpy()
    order = np.random.default_rng(seed).permutation(len(labels))
    images, labels = images[order], labels[order]
    writers = min(writers, int(np.bincount(labels).min()) // VARIANTS)
    return pool_of_images([images[labels == digit] for digit in range(10)], writers, VARIANTS)


def real_source(sequences: Sequences, count: int, split: str, seed: int) -> SequenceSource:
    """Return strings composed of MNIST's digits."""
    content = replace(sequences, count=count).resolved()
    pool = real_pool(split, sequences.writers, seed)
    plan = SequencePlan(content, {"train": (0, len(pool.writers))}, seed)
    composer = SequenceComposer(plan, pool)
    return SequenceSource(composer, "train", count)


def training_strings(side: Side, count: int, seed: int) -> Strings:
    """Draw the strings that a side is trained on."""
    if side.real:
        return strings_of(real_source(side.sequences, count, "train", seed), count)
    generator = inkgan.load("flagship")
    content = replace(side.sequences, count=count)
    source = open_source(generator, content, "train", Criteria(), seed)
    assert isinstance(source, SequenceSource)
    return strings_of(source, count)


class Recognizer(nn.Module):
    """Convolutions, then a recurrent layer over columns (CRNN; Shi, Bai and Yao 2016)."""

    def __init__(self) -> None:
        super().__init__()
        channels, pools = (1, 16, 32, 64, 96), ((2, 2), (2, 2), (2, 1), (2, 1))
        layers: list[nn.Module] = []
        for before, after, pool in zip(channels, channels[1:], pools, strict=False):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
            layers.append(nn.MaxPool2d(pool))
        self.columns = nn.Sequential(*layers)
        features = channels[-1] * HEIGHT // 16
        self.context = nn.GRU(features, 64, bidirectional=True, batch_first=True)
        self.classes = nn.Linear(128, BLANK + 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (columns, n, classes), float32, of images (n, 1, HEIGHT, width)."""
        with torch.autocast("cpu", torch.bfloat16):
            columns = self.columns(images.to(memory_format=torch.channels_last))
            columns = columns.flatten(1, 2).transpose(1, 2)  # (n, width / 4, features)
            logits: torch.Tensor = self.classes(self.context(columns)[0])
        return logits.float().transpose(0, 1)


def batch_of(strings: Strings, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images (n, 1, HEIGHT, width) in [-1, 1], and the columns that each has."""
    images = [strings.images[row] for row in rows]
    width = max(image.shape[1] for image in images)
    padded = [np.pad(i, ((0, 0), (0, width - i.shape[1])), mode="edge") for i in images]
    pixels = torch.from_numpy(np.stack(padded)).float().div(127.5).sub(1)[:, None]
    return pixels, torch.tensor([image.shape[1] // 4 for image in images])


def decode(logits: torch.Tensor, columns: torch.Tensor) -> list[str]:
    """Return the best path of each image without repetitions and blanks (Graves et al. 2006).

    Args:
        logits: (columns, n, classes).
        columns: that each image has, (n,).
    """
    texts = []
    for path, count in zip(logits.argmax(dim=2).T.tolist(), columns.tolist(), strict=True):
        seen = path[:count]
        merged = [c for c, before in zip(seen, [BLANK, *seen], strict=False) if c != before]
        texts.append("".join(str(c) for c in merged if c != BLANK))
    return texts


def batches(strings: Strings, random: np.random.Generator) -> list[list[int]]:
    """Return the rows of an epoch's batches: in random order, with similar widths in each."""
    order = random.permutation(len(strings.texts))
    widths = np.array([image.shape[1] for image in strings.images])
    found = []
    for start in range(0, len(order), BATCHES_SORTED * BATCH):
        rows = order[start : start + BATCHES_SORTED * BATCH]
        rows = rows[np.argsort(widths[rows], kind="stable")]
        found += [rows[first : first + BATCH].tolist() for first in range(0, len(rows), BATCH)]
    return [found[place] for place in random.permutation(len(found)).tolist()]


def trained(strings: Strings, epochs: int, seed: int) -> Recognizer:
    """Train a recognizer with the connectionist temporal classification loss."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Recognizer()
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    steps = epochs * -(-len(strings.texts) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    random = np.random.default_rng(seed)
    for _ in range(epochs):
        for rows in batches(strings, random):
            images, columns = batch_of(strings, rows)
            texts = [[int(c) for c in strings.texts[row]] for row in rows]
            loss = F.ctc_loss(
                network(images).log_softmax(dim=2),
                torch.tensor([c for text in texts for c in text]),
                columns,
                torch.tensor([len(text) for text in texts]),
                blank=BLANK,
                zero_infinity=True,
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            schedule.step()
    return network.eval()


@torch.no_grad()
def read(network: Recognizer, strings: Strings) -> list[str]:
    """Return the text that a recognizer finds in each picture."""
    order = np.argsort([image.shape[1] for image in strings.images], kind="stable").tolist()
    found = [""] * len(order)
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        images, columns = batch_of(strings, rows)
        for row, text in zip(rows, decode(network(images), columns), strict=True):
            found[row] = text
    return found


def sequence_accuracy(found: Sequence[str], texts: Sequence[str]) -> float:
    """Return the share of strings that are read without a mistake."""
    return sum(a == b for a, b in zip(found, texts, strict=True)) / len(texts)


def confusions(found: Sequence[str], texts: Sequence[str]) -> Counter[tuple[str, str]]:
    """Count misread digits by what they are and what is read, which is empty for missing ones."""
    counts: Counter[tuple[str, str]] = Counter()
    for text, other in zip(texts, found, strict=True):
        matcher = difflib.SequenceMatcher(None, text, other, autojunk=False)
        for kind, a, b, c, d in matcher.get_opcodes():
            if kind != "equal":
                counts.update(itertools.zip_longest(text[a:b], other[c:d], fillvalue=""))
    return counts


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean over seeds, and half the width of its 95 % interval (Student's t)."""
    if len(values) < 2:  # one seed says nothing about the others
        return values[0], float("inf")
    found = t_interval(values)
    return found.value, found.high - found.value


def table(accuracies: dict[str, list[float]]) -> str:
    """Return a Markdown table of the sides, and how far each is from the real and the whole one."""
    references = [side.name for side in (SIDES[1], SIDES[0])]
    heads = ["trained on", "sequence accuracy", *(f"minus {name}, by seed" for name in references)]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, values in accuracies.items():
        mean, half = interval(values)
        cells = [name, f"{mean:.1%} ± {100 * half:.1f}"]
        for reference in references:
            gaps = [a - b for a, b in zip(values, accuracies.get(reference, []), strict=False)]
            gap, gap_half = interval(gaps) if gaps else (float("nan"), float("nan"))
            cells.append("" if name == reference else f"{100 * gap:+.1f} ± {100 * gap_half:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def tests_of(folder: Path, count: int) -> dict[str, Strings]:
    """Return the strings of test digits, which are composed once and kept."""
    tests = {}
    for name, sequences in TESTS.items():
        path = folder / f"tests-{name.replace(' ', '-')}-{count}.npz"
        if not path.is_file():
            drawn = strings_of(real_source(sequences, count, "test", TEST_SEED), count)
            widths = [image.shape[1] for image in drawn.images]
            folder.mkdir(parents=True, exist_ok=True)
            with files.atomic(path) as temporary, temporary.open("wb") as stream:
                pixels = np.concatenate(drawn.images, axis=1)
                np.savez(stream, pixels=pixels, widths=widths, texts=drawn.texts)
        with np.load(path) as saved:
            images = np.split(saved["pixels"], np.cumsum(saved["widths"])[:-1], axis=1)
            tests[name] = Strings(images, saved["texts"].tolist())
    return tests


def trained_and_read(side: Side, tests: dict[str, Strings], size: Size, seed: int) -> JSON:
    """Train on a side; return its accuracies, what it read, and the seconds of processor time."""
    start = time.process_time()
    strings = training_strings(side, size.strings, seed)
    composed = time.process_time()
    network = trained(strings, size.epochs, seed)
    seconds = {"compose": composed - start, "train": time.process_time() - composed}
    found = {name: read(network, test) for name, test in tests.items()}
    accuracy = {name: sequence_accuracy(found[name], test.texts) for name, test in tests.items()}
    return {"side": side.name, "accuracy": accuracy, "seconds": seconds, "read": found}


def main() -> None:
    """Train what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--strings", type=int, default=4_000, help="for training, of each side")
    parser.add_argument("--tests", type=int, default=2_000, help="strings of test digits")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    size = Size(arguments.strings, arguments.epochs, arguments.tests)
    tests = tests_of(arguments.out, size.tests)
    results: dict[str, list[JSON]] = {}
    main_sides, others = SIDES[:2], SIDES[2:]
    for sides in (main_sides, others):  # the comparison first, then what each thing contributes
        for seed, side in itertools.product(range(arguments.seeds), sides):
            path = arguments.out / f"{side.file_name}-{size.strings}-{size.epochs}-{seed}.json"
            if not path.is_file():
                result = trained_and_read(side, tests, size, seed)
                files.write_text(path, json.dumps(result))
            results.setdefault(side.name, []).append(json.loads(path.read_text()))
            print(f"seed {seed}, {side.name}: {results[side.name][-1]['accuracy']}", flush=True)
    for name, test in tests.items():
        print(f"\n{name}:\n")
        print(table({side: [r["accuracy"][name] for r in rs] for side, rs in results.items()}))
        for side in main_sides:
            counts: Counter[tuple[str, str]] = Counter()
            for result in results[side.name]:
                counts += confusions(result["read"][name], test.texts)
            common = ", ".join(f"{a or '-'}>{b or '-'} {n}" for (a, b), n in counts.most_common(12))
            print(f"\n{side.name}, digits misread in all seeds: {counts.total()}; {common}")


if __name__ == "__main__":
    main()
