"""An order of images: which digits, how many or from which seeds, in which style."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.protocols import GeneratorLike, labels_of
from inkgan.generation.sampling import CHUNK
from inkgan.generation.style_control.calibration_cache import DIGITS, is_readable
from inkgan.generation.style_control.diverse_subset import choose
from inkgan.generation.style_control.measures import FREE, Style, measure_styles
from inkgan.generation.style_control.sample_styled import StyleController
from inkgan.metrics.features.extractors import look
from inkgan.types import Float64, Progress, UInt8, silent

TOLERANCES = (2.0, 0.3, 0.5)  # of slant, thickness and width; who misses them is told
PART = 16 * CHUNK  # images at once
COUNT = 8  # of each class, where nothing is said


@dataclass(frozen=True)
class Delivery:
    """Images with what is known of them.

    Attributes:
        images: uint8 (n, H, W[, 3]).
        seeds: of the images.
        labels: their classes, or None where nobody asked for any.
        measured: float64 (n, 3), where a style was asked for.
        notes: what there is to say of them.
    """

    images: UInt8
    seeds: list[int]
    labels: list[int] | None = None
    measured: Float64 | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Order:
    """What is wanted of a sampler.

    Attributes:
        classes: names such as "7" or "0-9", or none for what comes.
        count: of different images of each class, where no seeds are named.
        seeds: of the images, of each class where classes are named.
        style: of all.
        truncation: a factor on the latents, above 0.
    """

    classes: str | None = None
    count: int | None = None
    seeds: Sequence[int] | None = None
    style: Style = FREE
    truncation: float = 1.0

    def check(self) -> None:
        """Refuse what cannot be, before work starts.

        Raises:
            ConfigError: names the flag.
        """
        if not 0 < self.truncation <= 2:
            raise ConfigError(
                f"--truncation {self.truncation:g} is impossible; use 1 for all variety, less for "
                "more typical images, at most 2"
            )
        if self.count is not None and self.classes is None:
            raise ConfigError("--count needs a class, such as --digit 7; or name --seeds")
        if self.count is not None and self.seeds is not None:
            raise ConfigError("--count and --seeds both say which images; name one of them")
        self.style.targets(1)

    def labels(self, sampler: GeneratorLike) -> list[int] | None:
        """Return the labels of the classes, None where none are named.

        Raises:
            ConfigError: there is no such class, or the judge cannot read an unconditional
                generator's.
        """
        if self.classes is None:
            return None
        known = sampler.bundle.classes
        names = [name for part in self.classes.split(",") for name in _range(part.strip(), known)]
        if sampler.conditional:
            return labels_of(sampler, names)
        if not is_readable(sampler) or not set(names) <= set(DIGITS):
            raise ConfigError(
                f"--digit {self.classes}: {sampler.bundle.recipe.name} is unconditional, and the "
                "judge finds digits of 28x28 grey alone; leave --digit out"
            )
        return [DIGITS.index(name) for name in names]


def deliver(sampler: GeneratorLike, order: Order, progress: Progress = silent) -> Delivery:
    """Draw what was ordered.

    Raises:
        ConfigError: it cannot be had of this sampler.
    """
    order.check()
    labels = order.labels(sampler)
    if labels is not None and order.seeds is None:
        return _different(sampler, order, labels, progress)
    seeds = list(order.seeds or range(64))
    if labels is not None:
        if not sampler.conditional:
            raise ConfigError(
                f"{sampler.bundle.recipe.name} is unconditional: a seed decides what is drawn; "
                "take --count in place of --seeds"
            )
        seeds, labels = seeds * len(labels), [label for label in labels for _ in seeds]
    return _from_seeds(sampler, order, seeds, labels, progress)


def _from_seeds(
    sampler: GeneratorLike,
    order: Order,
    seeds: list[int],
    labels: list[int] | None,
    progress: Progress,
) -> Delivery:
    stylist = StyleController(sampler, progress)
    images: list[UInt8] = []
    named: list[int] = []
    for start in range(0, len(seeds), PART):
        some, given = seeds[start : start + PART], labels and labels[start : start + PART]
        latents = (order.truncation * sampler.latents(some)).astype(np.float32)
        if given is None and (sampler.conditional or order.style.asked):
            given = stylist.labels_of(latents, some)
        named += given or []
        if given is not None and order.style.asked:
            targets = order.style.targets(len(some))
            stylist.check(given, targets)
            images.append(stylist.draw(latents, given, targets).images)
        else:
            images.append(stylist.render(latents, np.asarray(given or [0] * len(some))))
            if len(seeds) > PART:
                progress("drawing", min(start + PART, len(seeds)), len(seeds))
    return _delivered(sampler, order, np.concatenate(images), seeds, named or None, [])


def _different(
    sampler: GeneratorLike, order: Order, labels: list[int], progress: Progress
) -> Delivery:
    count = COUNT if order.count is None else order.count
    chosen = [
        choose(sampler, label, count, order.style, order.truncation, progress) for label in labels
    ]
    notes = []
    if not sampler.conditional:
        notes.append(
            f"{sampler.bundle.recipe.name} is unconditional: its digits are what the judge reads"
        )
    for one in chosen:
        told = f"{sampler.bundle.classes[one.label]}: --seeds {','.join(map(str, one.seeds))}"
        if count > 1:
            told += f" (the two most alike differ more than {one.apart:.0%} of all pairs)"
        notes.append(told)
    images = np.concatenate([one.images for one in chosen])
    seeds = [seed for one in chosen for seed in one.seeds]
    named = [one.label for one in chosen for _ in one.seeds]
    return _delivered(sampler, order, images, seeds, named, notes)


def _delivered(
    sampler: GeneratorLike,
    order: Order,
    images: UInt8,
    seeds: list[int],
    labels: list[int] | None,
    notes: list[str],
) -> Delivery:
    """Measure what was drawn in a style, and tell what misses it."""
    if not order.style.asked or labels is None:
        return Delivery(images, seeds, labels, None, notes)
    measured = measure_styles(images)
    gaps = np.nan_to_num(np.abs(measured - order.style.targets(len(images))), nan=0.0)
    missed = int((gaps > TOLERANCES).any(axis=1).sum())
    if missed:
        notes.append(
            f"{missed} of {len(images)} images miss the style by more than {TOLERANCES[0]:g} "
            f"degrees, {TOLERANCES[1]:g} pixels of thickness or {TOLERANCES[2]:g} of width"
        )
    if is_readable(sampler):
        wrong = int((look(images).read != labels).sum())
        if wrong:
            notes.append(f"the judge reads {wrong} of {len(images)} images as another digit")
    return Delivery(images, seeds, labels, measured, notes)


def _range(text: str, known: Sequence[str]) -> list[str]:
    """Read a class, or classes from one to another such as "0-9"; unknown ones stay as they are."""
    first, dash, last = text.partition("-")
    if text in known or not dash or first not in known or last not in known:
        return [text]
    start, end = known.index(first), known.index(last)
    if end < start:
        raise ConfigError(f"--digit {text} runs backwards; write {last}-{first}")
    return list(known[start : end + 1])
