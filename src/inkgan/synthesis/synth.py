"""inkgan.synth: a labelled data set from a trained generator."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from inkgan import __version__, files
from inkgan.device import choose_device, compute_settings
from inkgan.errors import ConfigError
from inkgan.generation.load import BUNDLE, Checkpoint, find, load
from inkgan.generation.protocols import GeneratorLike
from inkgan.io.run_dir import Run
from inkgan.metrics.features.extractors import judge_digest
from inkgan.synthesis.data_card import card
from inkgan.synthesis.drawing import Drawing, can_judge, check_generator
from inkgan.synthesis.formats.digits import write_digits
from inkgan.synthesis.formats.sequences import write_strings
from inkgan.synthesis.manifest import CARD, KIND, write_manifest
from inkgan.synthesis.output_folder import Plan, Target
from inkgan.synthesis.request import Bounds, Criteria, Digits, Format, Request, Strings, per_class
from inkgan.synthesis.shard_result import Shards, Tally
from inkgan.types import Progress, silent


@dataclass(frozen=True)
class SynthesisResult:
    """A finished data set.

    Attributes:
        path: its folder.
        manifest: what manifest.json holds.
        already: it was there, and nothing was drawn.
    """

    path: Path
    manifest: dict[str, Any]
    already: bool


def synth(
    out: str | Path,
    *,
    source: str | Path = "flagship",
    per_class: int | Sequence[int] | None = None,
    test_per_class: int | Sequence[int] = 0,
    format: Format | None = None,
    plain: bool = False,
    seed: int = 0,
    min_confidence: float | None = None,
    dedupe: bool = False,
    slant: Bounds | None = None,
    thickness: Bounds | None = None,
    sequences: int | None = None,
    length: tuple[int, int] = (1, 6),
    spacing: tuple[int, int] = (1, 8),
    license: str = "unknown",
    checkpoint: Checkpoint = "last",
    device: str = "auto",
    threads: int | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> SynthesisResult:
    """Draw a labelled data set; the same call again goes on where it was stopped.

    Args:
        out: the folder to make; it appears when it is whole. Until then its parts are in
            .NAME.unfinished beside it.
        source: a run folder, a bundle, or a run's name.
        per_class: training images of each class, or a count for each class; 6,000 if left out.
        test_per_class: the same for a test split.
        format: idx (as MNIST's own files), npz (Keras' keys), png (with metadata.csv) or
            imagefolder (a folder for each class); idx if left out.
        plain: idx without gzip.
        seed: another seed is another data set; no two share an image.
        min_confidence: least probability in (0, 1) that the judge gives an image's label.
        dedupe: leave out near-copies of earlier images.
        slant: least and most degrees, positive to the right.
        thickness: least and most pixels of the stroke.
        sequences: draw so many strings of digits with boxes (COCO and YOLO) instead.
        length: fewest and most digits of a string.
        spacing: fewest and most pixels between the ink of a string's digits.
        license: identifier for the data set's card.
        checkpoint: of a run folder, its last generator or the best-scored one.
        device: that draws the images.
        threads: for each operation; None takes those that the data set was started with, or
            torch's setting for a new one.
        force: start over, and replace a data set that is there.
        progress: called with (what, done, of how many).

    Raises:
        ConfigError: something impossible is asked for, or the disk has no room.
        DataError: the generator does not deliver images that pass.
        ArtifactError: there is no such generator, or the folder holds something else.
    """
    generator = load(source, device=device, checkpoint=checkpoint)
    classes = generator.bundle.classes
    content = _content(
        classes, per_class, test_per_class, format, plain, sequences, length, spacing
    )
    request = Request(content, Criteria(min_confidence, dedupe, slant, thickness), seed, license)
    origin = {
        "source": str(source),
        "sha256": hashlib.sha256(weights_file(source, checkpoint).read_bytes()).hexdigest(),
        "checkpoint": checkpoint,
        "device": str(choose_device(device)),
    }
    with compute_settings(threads=threads):
        return synthesise(Path(out), generator, request, origin, force, progress)


def synthesise(
    out: Path,
    generator: GeneratorLike,
    request: Request,
    origin: Plan,
    force: bool = False,
    progress: Progress = silent,
) -> SynthesisResult:
    """Draw a data set from a generator that is loaded already.

    Args:
        out: the folder to make.
        generator: to draw from.
        request: what is asked for.
        origin: what the manifest tells of where the generator came from.
        force: start over, and replace a data set that is there.
        progress: called with (what, done, of how many).

    Raises:
        InkganError: as `synth`.
    """
    request.check()
    check_generator(generator, request)
    target, plan = Target(out), _plan(generator, request, origin)
    finished = target.check(plan, force)
    if finished is not None:
        target.tidy(plan)
        return SynthesisResult(target.out, finished, already=True)
    target.check_room(request.bytes_needed(generator.bundle.shape))
    with target.opened(plan, force) as begun, compute_settings(threads=begun["threads"]):
        shards = Shards(target.work, request)
        tally = _draw(generator, request, shards, progress)
        staged = target.fresh_staging()
        _write(staged, generator, request, shards, progress)
        bundle = generator.bundle
        manifest = write_manifest(staged, begun, shards, bundle.shape, bundle.classes, tally)
        files.write_text(staged / CARD, card(manifest))
        target.publish()
    return SynthesisResult(target.out, manifest, already=False)


def weights_file(source: str | Path, checkpoint: Checkpoint) -> Path:
    """Return the file that holds the weights to draw with."""
    path = find(source)
    if checkpoint == "best":
        return Run.open(path).checkpoint_path("best")
    return path / BUNDLE if path.is_dir() else path


def _content(
    classes: Sequence[str],
    each: int | Sequence[int] | None,
    test_each: int | Sequence[int],
    format: Format | None,
    plain: bool,
    sequences: int | None,
    length: tuple[int, int],
    spacing: tuple[int, int],
) -> Digits | Strings:
    if sequences is None:
        train = per_class(6000 if each is None else each, classes, "--per-class")
        test = per_class(test_each, classes, "--test-per-class")
        return Digits(train, test, format or "idx", plain)
    others = {
        "--per-class": each is not None,
        "--test-per-class": test_each != 0,
        "--format": format is not None,
        "--plain": plain,
    }
    for flag in (name for name, given in others.items() if given):
        raise ConfigError(f"{flag} is for single digits; leave it out with --sequences")
    return Strings(sequences, length, spacing)


def _plan(generator: GeneratorLike, request: Request, origin: Plan) -> Plan:
    bundle = generator.bundle
    return {
        "kind": KIND,
        "version": __version__,
        "request": request.as_json(),
        "generator": {
            **origin,
            "recipe": bundle.recipe.name,
            "trained_on": bundle.recipe.data.name,
            "images_seen": bundle.images_seen,
            "conditional": generator.conditional,
        },
        "labels": "asked of the generator" if generator.conditional else "read by the judge",
        "judge": judge_digest() if can_judge(bundle) else None,
        "threads": torch.get_num_threads(),
    }


def _draw(generator: GeneratorLike, request: Request, shards: Shards, progress: Progress) -> Tally:
    """Draw the shards that are missing."""
    done = shards.count()
    tally = shards.tally(done - 1) if done else Tally()
    drawing = Drawing(generator, request, tally)
    ready, total = 0, request.content.images()
    for part in shards.parts():
        ready += len(part.lengths)
        if part.index >= done:
            shards.save(part.index, drawing.fill(part.labels), tally)
        elif request.criteria.dedupe:
            drawing.remember(shards.load(part.index))
        progress("drawing", ready, total)
    return tally


def _write(
    staged: Path, generator: GeneratorLike, request: Request, shards: Shards, progress: Progress
) -> None:
    """Write the images in the format asked for."""
    content, bundle = request.content, generator.bundle
    total, written = content.images(), 0

    def step(count: int) -> None:
        nonlocal written
        written += count
        progress("writing", written, total)

    if isinstance(content, Strings):
        write_strings(staged, shards, request, content, bundle.shape, step)
    else:
        write_digits(staged, shards, content, bundle.shape, bundle.classes, step)
