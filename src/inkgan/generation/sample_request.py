"""A request for images by class names, as the command line and applications take it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.arguments import DEFAULT_SEEDS
from inkgan.generation.generator import check_latent_scale, scale_latents
from inkgan.generation.protocols import DIGITS, GeneratorLike, can_classify, class_labels
from inkgan.generation.sampling import CHUNK, labels_from_seeds
from inkgan.generation.style_control.style import FREE, TOLERANCES, Style, style_of
from inkgan.images import light_on_dark
from inkgan.types import Float64, Progress, UInt8, silent

PART = 16 * CHUNK  # images at once
DEFAULT_COUNT = 8  # of each class


@dataclass(frozen=True)
class SampleResult:
    """Images with what is known of them.

    Attributes:
        images: uint8 (n, H, W[, 3]).
        seeds: of the images.
        labels: their classes, None for an unconditional generator without a style.
        measured: slant, thickness and width, float64 (n, 3); None without a style.
        notes: sentences for the user.
    """

    images: UInt8
    seeds: list[int]
    labels: list[int] | None = None
    measured: Float64 | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SampleRequest:
    """A request for images.

    Attributes:
        classes: names such as "7", "1,3" or "0-9"; None for the class of each seed.
        count: of different images of each class; instead of `seeds`.
        seeds: of the images, of each class if `classes` are named.
        style: of all images.
        latent_scale: factor on the latents, 0 to 2.
    """

    classes: str | None = None
    count: int | None = None
    seeds: Sequence[int] | None = None
    style: Style = FREE
    latent_scale: float = 1.0

    def check(self) -> None:
        """Refuse an impossible request, before work starts.

        Raises:
            ConfigError: names the parameter.
        """
        check_latent_scale(self.latent_scale)
        if self.count is not None and self.classes is None:
            raise ConfigError("`count` needs a class, such as `digit=7`; or give `seeds`")
        if self.count is not None and self.seeds is not None:
            raise ConfigError("`count` and `seeds` both choose the images; give one of them")
        self.style.bounds(1)

    def labels(self, generator: GeneratorLike) -> list[int] | None:
        """Return the labels of the classes, None where none are named.

        Raises:
            ConfigError: there is no such class, or an unconditional generator's images cannot be
                classified.
        """
        if self.classes is None:
            return None
        known = generator.bundle.classes
        names = [name for part in self.classes.split(",") for name in _range(part.strip(), known)]
        if generator.conditional:
            return class_labels(generator, names)
        if not can_classify(generator.bundle) or not set(names) <= set(DIGITS):
            raise ConfigError(
                f"`digit` {self.classes}: {generator.bundle.recipe.name} is unconditional, and "
                "only digits of 28x28 gray can be classified; leave `digit` out"
            )
        return [DIGITS.index(name) for name in names]


def run_request(
    generator: GeneratorLike, request: SampleRequest, progress: Progress = silent
) -> SampleResult:
    """Draw the requested images.

    Raises:
        ConfigError: the generator cannot draw them.
    """
    request.check()
    labels = request.labels(generator)
    if labels is not None and request.seeds is None:
        return _diverse(generator, request, labels, progress)
    seeds = list(request.seeds or DEFAULT_SEEDS)
    if labels is not None:
        if not generator.conditional:
            raise ConfigError(
                f"{generator.bundle.recipe.name} is unconditional: a seed decides what it draws; "
                "use `count` instead of `seeds`"
            )
        seeds, labels = seeds * len(labels), [label for label in labels for _ in seeds]
    if request.style.requested:
        return _styled(generator, request, seeds, labels, progress)
    return _plain(generator, request, seeds, labels, progress)


def _plain(
    generator: GeneratorLike,
    request: SampleRequest,
    seeds: list[int],
    labels: list[int] | None,
    progress: Progress,
) -> SampleResult:
    if labels is None and generator.conditional:
        labels = labels_from_seeds(seeds, len(generator.bundle.classes)).tolist()
    images: list[UInt8] = []
    for start in range(0, len(seeds), PART):
        part = slice(start, start + PART)
        latents = scale_latents(generator.latents(seeds[part]), request.latent_scale)
        images.append(generator.render(latents, None if labels is None else labels[part]))
        if len(seeds) > PART:
            progress("drawing", min(start + PART, len(seeds)), len(seeds))
    return SampleResult(np.concatenate(images), seeds, labels)


def _styled(
    generator: GeneratorLike,
    request: SampleRequest,
    seeds: list[int],
    labels: list[int] | None,
    progress: Progress,
) -> SampleResult:
    from inkgan.generation.style_control.sample import sample_styled

    images, drawn = sample_styled(
        generator, labels, seeds, request.style, request.latent_scale, progress
    )
    notes = _style_notes(generator, request.style, images.images, images.measured, drawn)
    return SampleResult(images.images, seeds, drawn, images.measured, tuple(notes))


def _diverse(
    generator: GeneratorLike, request: SampleRequest, labels: list[int], progress: Progress
) -> SampleResult:
    from inkgan.generation.style_control.diverse_subset import diverse_subset

    count = DEFAULT_COUNT if request.count is None else request.count
    subsets = [
        diverse_subset(generator, label, count, request.style, request.latent_scale, progress)
        for label in labels
    ]
    notes = []
    if not generator.conditional:
        notes.append(
            f"{generator.bundle.recipe.name} is unconditional: E1 has classified its images"
        )
    for subset in subsets:
        chosen = ",".join(map(str, subset.seeds))
        note = f"{generator.bundle.classes[subset.label]}: seeds {chosen}"
        if count > 1:
            note += f" (the two most alike differ more than {subset.spacing:.0%} of all pairs)"
        notes.append(note)
    images = np.concatenate([subset.images for subset in subsets])
    seeds = [seed for subset in subsets for seed in subset.seeds]
    drawn = [subset.label for subset in subsets for _ in subset.seeds]
    if not request.style.requested:
        return SampleResult(images, seeds, drawn, None, tuple(notes))
    measured = style_of(images)
    notes += _style_notes(generator, request.style, images, measured, drawn)
    return SampleResult(images, seeds, drawn, measured, tuple(notes))


def _style_notes(
    generator: GeneratorLike, style: Style, images: UInt8, measured: Float64, labels: list[int]
) -> list[str]:
    """Say how many images miss their style or their class."""
    from inkgan.metrics.features.extractors import classify

    notes = []
    low, high = style.bounds(len(images))
    gaps = np.nan_to_num(np.maximum(low - measured, measured - high), nan=0.0)
    missed = int((gaps > TOLERANCES).any(axis=1).sum())
    if missed:
        notes.append(
            f"{missed} of {len(images)} images miss the style by more than {TOLERANCES[0]:g} "
            f"degrees, {TOLERANCES[1]:g} pixels of thickness or {TOLERANCES[2]:g} of width"
        )
    if can_classify(generator.bundle):
        wrong = int((classify(light_on_dark(images)).predicted != labels).sum())
        if wrong:
            notes.append(f"E1 reads {wrong} of {len(images)} images as another digit")
    return notes


def _range(text: str, known: Sequence[str]) -> list[str]:
    """Return a class, or the classes of a range such as "0-9"; unknown names are returned as is."""
    first, dash, last = text.partition("-")
    if text in known or not dash or first not in known or last not in known:
        return [text]
    start, end = known.index(first), known.index(last)
    if end < start:
        raise ConfigError(f"`digit` {text} runs backwards; write {last}-{first}")
    return list(known[start : end + 1])
