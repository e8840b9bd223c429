"""What can be judged: a run, a bundle, an .npz, a folder of pictures, or real images themselves."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from inkgan.config import Data
from inkgan.data.dataset import load_dataset
from inkgan.data.readers.folder import read_npz_images, read_pictures
from inkgan.data.registry import DIGITS
from inkgan.errors import ConfigError, DataError
from inkgan.evaluation.one_hand import one_hand
from inkgan.evaluation.reference import Reference, class_matched
from inkgan.evaluation.results import Fakes, Protocol, check
from inkgan.generation.generator import Generator
from inkgan.generation.load import Checkpoint, find, load
from inkgan.generation.sampling import CHUNK
from inkgan.metrics.features.networks import SIDE
from inkgan.metrics.style_consistency import Hand
from inkgan.models.build import count_operations, count_parameters
from inkgan.rng import seed_for
from inkgan.types import Progress, UInt8, silent

FIRST_SEED = 1_000_000  # images are judged that no grid has shown
REAL = "data:"
Facts = dict[str, str]


@dataclass
class Source:
    """Something to be judged, not yet drawn or read in full.

    Attributes:
        name: as the user called it.
        digest: of all that decides which images it gives.
        take: gives the images for a protocol and a reference.
        facts: name and value of what is known of it; `take` adds more.
        notes: corrections that were made, in words.
        folder: where its report goes if nothing else is said.
        hand: draws each of some latents as all digits and measures whether they share a hand;
            None of what does not obey labels.
    """

    name: str
    digest: str
    take: Callable[[Protocol, Reference, Progress], Fakes]
    folder: Path
    facts: Facts = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    hand: Callable[[Progress], Hand] | None = None


def open_images(
    text: str,
    checkpoint: Checkpoint,
    device: str,
    data_dir: Path | None,
    stacked: bool,
    download: Progress = silent,
) -> Source:
    """Find out what `text` names, and read what is quickly read.

    Raises:
        InkganError: there is nothing of that name, or it cannot be judged.
    """
    path = Path(text)
    if text.startswith(REAL):
        return _real_source(text, data_dir, download)
    is_pictures = path.is_dir() and not (path / "recipe.toml").exists()
    if path.suffix.lower() == ".npz" or is_pictures:
        if not path.exists():
            raise DataError(f"{path} does not exist")
        return _file_source(path, stacked)
    return _generator_source(text, load(text, device=device, checkpoint=checkpoint), checkpoint)


# --- generators ---


def _generator_source(text: str, sampler: Generator, checkpoint: Checkpoint) -> Source:
    bundle = sampler.bundle
    stacked = bundle.shape.channels == 3 and bundle.recipe.data.name == "stacked-mnist"
    if not stacked and bundle.shape != (1, SIDE, SIDE):
        raise DataError(
            f"{text} draws {bundle.shape} images of {bundle.recipe.data.name}; the judge reads "
            "digits of 28x28 grey, and stacked MNIST"
        )
    path = find(text)
    folder = path if path.is_dir() else Path(f"{path.stem}-judged")
    facts = {
        "recipe": f"{bundle.recipe.name}, {bundle.recipe.objective.loss} loss, "
        f"seed {bundle.recipe.seed}",
        "trained on": f"{bundle.recipe.data.name}, {bundle.images_seen:,} images seen"
        + (", best checkpoint" if checkpoint == "best" else ""),
    }
    notes = []
    if bundle.recipe.data.name not in ("mnist", "stacked-mnist", "qmnist", "emnist-digits"):
        notes.append(
            f"Trained on {bundle.recipe.data.name}, but held against the reference's digits."
        )

    obeys = sampler.conditional and bundle.classes == DIGITS
    if obeys:
        facts["labels"] = "asked for, in the shares of the reference's test images"

    def take(protocol: Protocol, reference: Reference, progress: Progress) -> Fakes:
        if stacked:
            return _unstacked(_draw(sampler, protocol.stacked, None, facts, progress))
        count = protocol.images
        asked = reference.labels_to_ask(count, protocol.set_size) if obeys else None
        return Fakes(_draw(sampler, count, asked, facts, progress), asked)

    def hand(progress: Progress) -> Hand:
        return one_hand(sampler, progress=progress)

    return Source(text, bundle.digest, take, folder, facts, notes, hand=hand if obeys else None)


def _draw(
    sampler: Generator, count: int, asked: np.ndarray | None, facts: Facts, progress: Progress
) -> UInt8:
    """Draw the images to be judged, of the digits `asked` (n,) if any, and note what they cost."""
    parts = []
    started = time.perf_counter()
    for start in range(0, count, CHUNK):
        seeds = range(FIRST_SEED + start, FIRST_SEED + min(start + CHUNK, count))
        labels = None if asked is None else asked[start : start + CHUNK].tolist()
        parts.append(sampler.sample(labels=labels, seeds=seeds))
        progress("drawing images", seeds.stop - FIRST_SEED, count)
    seconds = time.perf_counter() - started
    network = sampler.bundle.generator()
    operations = count_operations(network, sampler.bundle.recipe.model)
    facts["generator"] = (
        f"{count_parameters(network):,} parameters, {operations / 1e6:,.1f} MFLOP an image, "
        f"{count / seconds:,.0f} images/s drawn here with {torch.get_num_threads()} threads"
    )
    return np.concatenate(parts)


def _unstacked(pixels: UInt8) -> Fakes:
    """Take three digits out of each stacked image (n, 28, 28, 3)."""
    digits = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(-1, SIDE, SIDE)
    return Fakes(digits, stacked=True)


# --- files ---


def _file_source(path: Path, stacked: bool) -> Source:
    raw, labels = read_npz_images(path) if path.is_file() else read_pictures(path)
    notes: list[str] = []
    if stacked:
        if raw.shape[1:] != (SIDE, SIDE, 3):
            shape = "x".join(map(str, raw.shape[1:]))
            raise DataError(f"--stacked needs images of 28x28x3; {path} has {shape}")
        check(_unstacked(raw))
        pixels = raw
    else:
        pixels = _light_on_dark(_grey(path, raw, notes), notes)
        check(Fakes(pixels, labels))
    hashed = hashlib.sha256(np.ascontiguousarray(pixels).tobytes())
    hashed.update(str(stacked).encode() + (b"" if labels is None else labels.tobytes()))

    def take(protocol: Protocol, reference: Reference, progress: Progress) -> Fakes:
        rows = _choose(len(pixels), labels, stacked, protocol, reference, notes)
        if stacked:
            return _unstacked(pixels[rows])
        return Fakes(pixels[rows], None if labels is None else labels[rows])

    facts = {"images": f"{len(raw):,} in {path}, {'no' if labels is None else 'with'} labels"}
    folder = Path(f"{path.stem}-judged")
    return Source(str(path), hashed.hexdigest(), take, folder, facts, notes)


def _choose(
    count: int,
    labels: np.ndarray | None,
    stacked: bool,
    protocol: Protocol,
    reference: Reference,
    notes: list[str],
) -> np.ndarray:
    """Choose which images are judged, in random order: files are often sorted by class.

    With labels, their classes are made to stand as in the reference, if each is there.
    """
    most = min(count, protocol.stacked if stacked else protocol.images)
    rows: np.ndarray = np.random.default_rng(seed_for(0, "chosen")).permutation(count)[:most]
    matched = ""
    if labels is not None:
        shares = np.bincount(reference.test_labels, minlength=10) / len(reference.test_labels)
        counts, present = np.bincount(labels, minlength=10), shares > 0
        possible = int((counts[present] / shares[present]).min())
        if possible > 0:
            wanted = min(most, possible)
            rows = class_matched(labels, reference.test_labels, wanted, draw=0)
            matched = ", chosen so that the ten classes stand as in the reference"
    if len(rows) < count:
        notes.append(f"{len(rows):,} of {count:,} images were judged{matched}.")
    return rows


def _grey(path: Path, raw: UInt8, notes: list[str]) -> UInt8:
    """Take one channel where all are equal."""
    if raw.shape[3] == 1:
        return raw[..., 0]
    if (raw == raw[..., :1]).all():
        notes.append("Colour images whose channels are all equal: judged as grey.")
        return np.ascontiguousarray(raw[..., 0])
    raise DataError(
        f"{path} holds colour images; the judge reads grey digits (three digits stacked as colour: "
        "--stacked)"
    )


def _light_on_dark(pixels: UInt8, notes: list[str]) -> UInt8:
    """Invert images whose borders are bright: MNIST's digits are white on black."""
    edges = [pixels[:, 0], pixels[:, -1], pixels[:, :, 0], pixels[:, :, -1]]
    if np.concatenate([edge.ravel() for edge in edges]).mean() <= 127:
        return pixels
    notes.append("The images are dark on light: inverted before they were judged.")
    return 255 - pixels


# --- real images ---


def _real_source(text: str, data_dir: Path | None, download: Progress) -> Source:
    """Judge a data set's own training images: the best that a generator could do, all copied."""
    name = text.removeprefix(REAL)
    dataset = load_dataset(whole_set(name), "train", data_dir, download)
    if dataset.shape != (1, SIDE, SIDE) or len(dataset.classes) != 10:
        raise ConfigError(f"{text}: the judge reads ten digits of 28x28 grey, not {dataset.shape}")
    pixels, labels = dataset.images[:, 0].numpy(), dataset.labels.numpy()
    notes: list[str] = []

    def take(protocol: Protocol, reference: Reference, progress: Progress) -> Fakes:
        count = min(protocol.images, len(labels))
        rows = class_matched(labels, reference.test_labels, count, draw=0)
        return Fakes(pixels[rows], labels[rows])

    facts = {"images": f"{len(labels):,} real training images of {name}"}
    return Source(text, dataset.digest(), take, Path(f"{name}-judged"), facts, notes)


def whole_set(name: str) -> Data:
    """Return the configuration of a data set without a validation split."""
    return Data(name=name, holdout=0)
