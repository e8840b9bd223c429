"""Draw images until every label has one that satisfies the criteria."""

from collections.abc import Callable, Sequence

import numpy as np

from inkgan.config.recipe import Precision
from inkgan.errors import ConfigError, DataError
from inkgan.generation.generator import Generator
from inkgan.generation.protocols import DIGITS, GeneratorLike, can_classify
from inkgan.generation.style_control.controller import StyleController
from inkgan.generation.style_control.style import Style
from inkgan.io.bundle import Bundle
from inkgan.metrics.features.extractors import classify
from inkgan.synthesis.dedup import Deduplicator
from inkgan.synthesis.request import Criteria, LabeledImages, SynthesisRequest
from inkgan.synthesis.sequence_request import Sequences
from inkgan.synthesis.shard_store import NOT_PREDICTED, DrawCounts, ShardResult, concatenate
from inkgan.types import Bool, Int64, Progress, UInt8, silent

BATCH = 1000  # images drawn and classified at once
MIN_TRIES = 1000  # images of a class after which drawing may stop,
MIN_YIELD = 100  # if fewer than one in so many could be kept
MAX_BYTE_LABELS = 256  # classes that a label of one byte distinguishes


def check_generator(generator: GeneratorLike, request: SynthesisRequest) -> None:
    """Refuse a request that this generator cannot satisfy.

    Raises:
        ConfigError: names the parameter, or what the generator lacks.
    """
    bundle, criteria = generator.bundle, request.criteria
    what = f"{bundle.recipe.name} draws {bundle.shape} images of {bundle.recipe.data.name}"
    _check_content(bundle, request.content, what)
    if isinstance(request.content, Sequences) and not generator.conditional:
        raise ConfigError(f"`sequences` needs a generator that takes labels, but {what} without")
    if can_classify(bundle):
        return
    if not generator.conditional:
        raise ConfigError(
            f"{what} and takes no labels; the classifier that could label them reads only digits "
            "of 28x28 gray: use a conditional generator"
        )
    needs_classifier = {
        "min_confidence": criteria.min_confidence,
        "slant": criteria.slant,
        "thickness": criteria.thickness,
    }
    for name in (name for name, value in needs_classifier.items() if value is not None):
        raise ConfigError(f"`{name}` needs digits of 28x28 gray, but {what}")


def check_style(
    generator: GeneratorLike, request: SynthesisRequest, progress: Progress = silent
) -> None:
    """Refuse slants and thicknesses that the generator does not draw, before images are drawn.

    A range that meets that of the generator is accepted, however little.

    Args:
        generator: draws the images.
        request: that `check_generator` accepts.
        progress: called as `progress(what, done, total)` while the generator is calibrated, once.

    Raises:
        ConfigError: names the parameter, the class and the range that the generator draws.
    """
    criteria, content = request.criteria, request.content
    style = Style(slant=criteria.slant, thickness=criteria.thickness)
    if not style.has_ranges:
        return
    labels = list(range(len(generator.bundle.classes)))
    if isinstance(content, LabeledImages):
        splits = content.splits().values()
        labels = [label for label in labels if any(counts[label] for counts in splits)]
    StyleController(generator, progress).check(labels, *style.bounds(len(labels)))


def _check_content(bundle: Bundle, content: LabeledImages | Sequences, what: str) -> None:
    """Refuse formats that cannot hold the images or the labels."""
    gray = bundle.shape.channels == 1
    if isinstance(content, Sequences):
        if not gray or bundle.classes != DIGITS:
            raise ConfigError(
                f"`sequences` needs a generator of gray digits from 0 to 9, but {what}"
            )
        return
    others = "use `format='png'` or `format='imagefolder'`"
    if content.format == "idx" and not gray:
        raise ConfigError(
            f"`format='idx'` holds only gray images, but {what}; {others}, or `format='npz'`"
        )
    if content.format in ("idx", "npz") and len(bundle.classes) > MAX_BYTE_LABELS:
        raise ConfigError(
            f"`format={content.format!r}` holds labels up to {MAX_BYTE_LABELS - 1}, but {what} "
            f"with {len(bundle.classes)} classes; {others}"
        )


def _one_after_another(first: int) -> Callable[[int, int], Int64]:
    return lambda drawn, count: np.arange(first + drawn, first + drawn + count, dtype=np.int64)


class DatasetSampler:
    """Draws images for labels, shard after shard; the same seeds always give the same images.

    Args:
        generator: draws the images.
        request: what they must satisfy.
        counts: of the images drawn so far.
        seeds: called as `seeds(drawn, count)`, returns the generator's seeds of the next images;
            by default one after another from the first seed of the request.

    Attributes:
        counts: of all images drawn so far. With the counts of earlier shards, drawing continues
            after them.
    """

    def __init__(
        self,
        generator: GeneratorLike,
        request: SynthesisRequest,
        counts: DrawCounts,
        seeds: Callable[[int, int], Int64] | None = None,
    ) -> None:
        self.counts = counts
        self._seeds = seeds or _one_after_another(request.first_seed)
        self._generator, self._request = generator, request
        self._dedup = Deduplicator() if request.criteria.dedupe else None

    def remember(self, result: ShardResult) -> None:
        """Add the images of an earlier shard, of which later ones must be no copies."""
        if self._dedup is not None:
            self._dedup.add(result.pixels, result.labels)

    def fill(self, labels: Int64) -> ShardResult:
        """Draw an image that satisfies all criteria for each label (n,), in this order.

        Raises:
            DataError: too few images of a class satisfy them.
        """
        places: list[int] = []
        pieces: list[ShardResult] = []
        conditional = self._generator.conditional
        tried = np.zeros(len(self._generator.bundle.classes), dtype=np.int64)
        remaining = labels
        kept_share = 1.0  # of the images of the last batch
        while len(remaining):
            count = min(BATCH, int(np.ceil(len(remaining) / kept_share)))
            requested = np.resize(remaining, count)
            candidates = self._draw(requested)
            found, rows = self._place(candidates, labels, places)
            places += found
            pieces.append(candidates.take(rows))
            self.remember(pieces[-1])
            remaining = np.delete(labels, places)
            tried += np.bincount(requested, minlength=len(tried)) if conditional else count
            kept = np.bincount(labels[places], minlength=len(tried))
            self._refuse_low_yield(tried, kept, remaining)
            kept_share = max(len(found), 1) / count
        return concatenate(pieces).take(np.argsort(places))

    def _draw(self, requested: Int64) -> ShardResult:
        """Draw and measure candidates; an unconditional generator ignores the labels."""
        seeds = self._seeds(self.counts.drawn, len(requested))
        conditional = self._generator.conditional
        pixels = self._generator.sample(
            labels=requested.tolist() if conditional else None, seeds=seeds.tolist()
        )
        self.counts = self.counts.add(len(requested), {})
        return examine(pixels, requested, seeds, self._generator, self._request.criteria)

    def _place(
        self, candidates: ShardResult, labels: Int64, taken: Sequence[int]
    ) -> tuple[list[int], Int64]:
        """Assign accepted candidates to free places; return places and rows of the candidates."""
        accepted = np.flatnonzero(self._accepted(candidates))
        if self._dedup is not None:
            new = self._dedup.is_new(candidates.pixels[accepted], candidates.labels[accepted])
            self.counts = self.counts.add(0, {"copy": int((~new).sum())})
            accepted = accepted[new]
        free = np.ones(len(labels), dtype=np.bool_)
        free[list(taken)] = False
        places: list[int] = []
        rows: list[int] = []
        for label in np.unique(candidates.labels):
            of_class = accepted[candidates.labels[accepted] == label]
            free_places = np.flatnonzero(free & (labels == label))[: len(of_class)]
            places += free_places.tolist()
            rows += of_class[: len(free_places)].tolist()
        self.counts = self.counts.add(0, {"not needed": len(accepted) - len(rows)})
        return places, np.array(rows, dtype=np.int64)

    def _accepted(self, candidates: ShardResult) -> Bool:
        """Test the criteria in order; an image is counted for the first one that rejects it."""
        accepted = np.ones(len(candidates), dtype=np.bool_)
        for reason, passes in criteria_tests(self._request.criteria, candidates).items():
            self.counts = self.counts.add(0, {reason: int((accepted & ~passes).sum())})
            accepted &= passes
        return accepted

    def _refuse_low_yield(self, tried: Int64, kept: Int64, remaining: Int64) -> None:
        hopeless = (tried >= MIN_TRIES) & (kept * MIN_YIELD < tried)
        for label in np.unique(remaining):
            if hopeless[label]:
                reasons = ", ".join(f"{why} {n:,}" for why, n in self.counts.rejected.items())
                name = self._generator.bundle.classes[label]
                raise DataError(
                    f"the generator does not deliver {name!r}: of the last {tried[label]:,} images "
                    f"drawn for it, {kept[label]:,} could be kept (rejected so far: {reasons}); "
                    "relax `min_confidence`, `slant`, `thickness` or `dedupe`, or use another "
                    "generator"
                )


def examine(
    pixels: UInt8, requested: Int64, seeds: Int64, generator: GeneratorLike, criteria: Criteria
) -> ShardResult:
    """Classify images, and measure what the criteria need.

    Args:
        pixels: the images.
        requested: their labels; an unconditional generator has the predicted ones instead.
        seeds: that are recorded with them.
        generator: that drew them.
        criteria: what the images must satisfy.
    """
    unknown = np.full(len(requested), np.nan, dtype=np.float32)
    predicted = np.full(len(requested), NOT_PREDICTED)
    confidence, slant, thickness = unknown, unknown, unknown
    labels = requested
    if can_classify(generator.bundle):
        classified = classify(pixels, precision=_precision_of_cpu(generator))
        predicted = classified.predicted
        labels = requested if generator.conditional else predicted
        rows = np.arange(len(labels))
        confidence = classified.probabilities[rows, labels].astype(np.float32)
    if criteria.slant or criteria.thickness:
        from inkgan.metrics.strokes import measure

        strokes = measure(pixels)
        slant = strokes.slant.astype(np.float32)
        thickness = strokes.thickness.astype(np.float32)
    return ShardResult(pixels, labels, seeds, predicted, confidence, slant, thickness)


def _precision_of_cpu(generator: GeneratorLike) -> Precision:
    """Return the precision for a CPU: the one chosen for drawing, if that is done there too."""
    if isinstance(generator, Generator) and generator.device.type == "cpu":
        return generator.precision
    return "float32"


def criteria_tests(criteria: Criteria, images: ShardResult) -> dict[str, Bool]:
    """Return which images pass each test, bool (n,), by the reason of rejection."""
    tests: dict[str, Bool] = {}
    if criteria.min_confidence is not None:
        tests["confidence"] = np.asarray(images.confidence >= criteria.min_confidence)
    for name, bounds in (("slant", criteria.slant), ("thickness", criteria.thickness)):
        if bounds is not None:
            values = getattr(images, name)  # NaN, of a blank image, lies in no bounds
            tests[name] = np.asarray((values >= bounds[0]) & (values <= bounds[1]))
    return tests
