"""Drawing until every label has an image that passes: the judge looks at each."""

from collections.abc import Sequence

import numpy as np

from inkgan.errors import ConfigError, DataError
from inkgan.generation.protocols import GeneratorLike
from inkgan.images import Shape
from inkgan.io.bundle import Bundle
from inkgan.metrics.features.extractors import look
from inkgan.metrics.features.networks import SIDE
from inkgan.synthesis.canvas import INK
from inkgan.synthesis.dedup import Copies
from inkgan.synthesis.request import DIGITS, Digits, Request, Strings
from inkgan.synthesis.shard_result import UNREAD, Drawn, Tally, joined
from inkgan.types import Bool, Int64

BATCH = 1000  # images drawn and judged at once
TRIED = 1000  # images after which a class is given up,
ONE_IN = 100  # if of so many not even one could be kept
MOST_CLASSES = 256  # that a label of one byte can tell apart


def can_judge(bundle: Bundle) -> bool:
    """Say whether the judge reads this generator's images: digits of 28x28 grey."""
    return bundle.shape == Shape(1, SIDE, SIDE) and bundle.classes == DIGITS


def check_generator(generator: GeneratorLike, request: Request) -> None:
    """Refuse what this generator cannot do.

    Raises:
        ConfigError: names the flag, or what the generator lacks.
    """
    bundle, criteria = generator.bundle, request.criteria
    what = f"{bundle.recipe.name} draws {bundle.shape} images of {bundle.recipe.data.name}"
    _check_content(bundle, request.content, what)
    if can_judge(bundle):
        return
    if not generator.conditional:
        raise ConfigError(
            f"{what} and takes no labels; the judge, which would have to read them, reads digits "
            "of 28x28 grey alone: use a conditional generator"
        )
    asked = {
        "--min-confidence": criteria.min_confidence,
        "--slant": criteria.slant,
        "--thickness": criteria.thickness,
    }
    for flag in (name for name, value in asked.items() if value is not None):
        raise ConfigError(f"{flag}: {what}; this needs digits of 28x28 grey")


def _check_content(bundle: Bundle, content: Digits | Strings, what: str) -> None:
    """Refuse what cannot hold the images or the labels."""
    grey = bundle.shape.channels == 1
    if isinstance(content, Strings):
        if not grey or bundle.classes != DIGITS:
            raise ConfigError(
                f"--sequences: {what}; numbers need a generator of grey digits 0 to 9"
            )
        return
    if content.format == "idx" and not grey:
        raise ConfigError(
            f"--format idx holds grey images; {what}: use --format npz, png or imagefolder"
        )
    if content.format in ("idx", "npz") and len(bundle.classes) > MOST_CLASSES:
        raise ConfigError(
            f"--format {content.format} holds labels up to {MOST_CLASSES - 1}; {what}, of "
            f"{len(bundle.classes)} classes: use --format png or imagefolder"
        )


class Drawing:
    """Draws images for labels, one lot after another; the same seeds give the same lots.

    Attributes:
        tally: what has been drawn so far. With a tally of earlier lots, drawing goes on after them.
    """

    def __init__(self, generator: GeneratorLike, request: Request, tally: Tally) -> None:
        self.tally = tally
        self._generator, self._request = generator, request
        self._judged = can_judge(generator.bundle)
        self._copies = Copies() if request.criteria.dedupe else None

    def remember(self, drawn: Drawn) -> None:
        """Take note of an earlier lot, which later ones must not copy."""
        if self._copies is not None:
            self._copies.remember(drawn.pixels, drawn.labels)

    def fill(self, labels: Int64) -> Drawn:
        """Draw an image for each label (n,), in this order, that meets every criterion.

        Raises:
            DataError: the generator does not deliver.
        """
        places: list[int] = []
        pieces: list[Drawn] = []
        tried = np.zeros(len(self._generator.bundle.classes), dtype=np.int64)
        left = labels
        rate = 1.0  # of the images last drawn, those that found a place
        while len(left):
            count = min(BATCH, int(np.ceil(len(left) / rate)))
            asked = np.resize(left, count)
            candidates = self._draw(asked)
            found, rows = self._place(candidates, labels, places)
            places += found
            pieces.append(candidates.at(rows))
            self.remember(pieces[-1])
            left = np.delete(labels, places)
            conditional = self._generator.conditional
            tried += np.bincount(asked, minlength=len(tried)) if conditional else count
            self._give_up(tried, np.bincount(labels[places], minlength=len(tried)), left)
            rate = max(len(found), 1) / count
        return joined(pieces).at(np.argsort(places))

    def _draw(self, asked: Int64) -> Drawn:
        """Draw and look at candidates, for labels where the generator takes any."""
        first = self._request.first_seed + self.tally.drawn
        seeds = np.arange(first, first + len(asked), dtype=np.int64)
        conditional = self._generator.conditional
        pixels = self._generator.sample(
            labels=asked.tolist() if conditional else None, seeds=seeds.tolist()
        )
        self.tally.drawn += len(asked)
        nothing = np.full(len(asked), np.nan, dtype=np.float32)
        read, confidence, slant, thickness = np.full(len(asked), UNREAD), nothing, nothing, nothing
        labels = asked
        if self._judged:
            seen = look(pixels)
            read = seen.read
            labels = asked if conditional else read
            confidence = seen.probabilities[np.arange(len(labels)), labels].astype(np.float32)
        if self._request.criteria.slant or self._request.criteria.thickness:
            from inkgan.metrics.strokes import measure

            strokes = measure(pixels)
            slant = strokes.slant.astype(np.float32)
            thickness = strokes.thickness.astype(np.float32)
        return Drawn(pixels, labels, seeds, read, confidence, slant, thickness)

    def _place(
        self, candidates: Drawn, labels: Int64, taken: Sequence[int]
    ) -> tuple[list[int], Int64]:
        """Find a free place for candidates that pass; return places and the candidates' rows."""
        passing = np.flatnonzero(self._passing(candidates))
        if self._copies is not None:
            new = self._copies.fresh(candidates.pixels[passing], candidates.labels[passing])
            self.tally.reject("copy", int((~new).sum()))
            passing = passing[new]
        free = np.ones(len(labels), dtype=np.bool_)
        free[list(taken)] = False
        places: list[int] = []
        rows: list[int] = []
        for label in np.unique(candidates.labels):
            mine = passing[candidates.labels[passing] == label]
            open_places = np.flatnonzero(free & (labels == label))[: len(mine)]
            places += open_places.tolist()
            rows += mine[: len(open_places)].tolist()
        self.tally.reject("not needed", len(passing) - len(rows))
        return places, np.array(rows, dtype=np.int64)

    def _passing(self, candidates: Drawn) -> Bool:
        """Test candidates one criterion after another; each is rejected for the first it fails."""
        criteria = self._request.criteria
        passing = np.ones(len(candidates), dtype=np.bool_)
        tests: dict[str, Bool] = {}
        if isinstance(self._request.content, Strings):
            tests["blank"] = np.asarray((candidates.pixels >= INK).any(axis=(1, 2)))
        if criteria.min_confidence is not None:
            tests["confidence"] = np.asarray(candidates.confidence >= criteria.min_confidence)
        for name, bounds in (("slant", criteria.slant), ("thickness", criteria.thickness)):
            if bounds is not None:
                values = getattr(candidates, name)  # comparisons with NaN, a blank image, are False
                tests[name] = np.asarray((values >= bounds[0]) & (values <= bounds[1]))
        for reason, test in tests.items():
            self.tally.reject(reason, int((passing & ~test).sum()))
            passing &= test
        return passing

    def _give_up(self, tried: Int64, kept: Int64, left: Int64) -> None:
        hopeless = (tried >= TRIED) & (kept * ONE_IN < tried)
        for label in np.unique(left):
            if hopeless[label]:
                reasons = ", ".join(f"{why} {n:,}" for why, n in self.tally.rejected.items())
                name = self._generator.bundle.classes[label]
                raise DataError(
                    f"the generator does not deliver {name!r}: of the last {tried[label]:,} images "
                    f"tried for it {kept[label]:,} could be kept (rejected so far: {reasons}); "
                    "loosen --min-confidence, --slant, --thickness or --dedupe, or take another "
                    "generator"
                )
