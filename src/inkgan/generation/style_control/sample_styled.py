"""Images in a style that is asked for."""

from collections.abc import Iterable, Sequence

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.load import GeneratorSource, open_generator
from inkgan.generation.protocols import GeneratorLike
from inkgan.generation.sampling import labels_from_seeds
from inkgan.generation.style_control.calibration_cache import CalibrationCache, is_readable
from inkgan.generation.style_control.latent_search import Settled, settle
from inkgan.generation.style_control.measures import Style, Wish
from inkgan.metrics.features.extractors import look
from inkgan.types import Float32, Float64, Progress, UInt8, silent

CHUNK = 512  # images settled at once
# A digit that the judge reads as another one is settled again from nearer to the middle of its
# class, by these factors on its latent.
RETREATS = (0.7, 0.4)


class StyleController:
    """Draws the digits of a sampler in styles that are asked for.

    Attributes:
        sampler: what draws.
        book: its calibrations.
    """

    def __init__(self, sampler: GeneratorLike, progress: Progress = silent) -> None:
        self.sampler, self.progress = sampler, progress
        self.book = CalibrationCache(sampler, progress)

    def check(self, labels: Sequence[int], targets: Float64) -> None:
        """Refuse targets (n, 3) that the labels' classes do not reach, before work starts.

        Raises:
            ConfigError: names the first and the range of its class; or images are in colour.
        """
        if self.sampler.bundle.shape.channels != 1:
            raise ConfigError(
                f"{self.sampler.bundle.recipe.name} draws {self.sampler.bundle.shape} images; "
                "only grey strokes have a style to ask for"
            )
        given = np.asarray(labels)
        for label in np.unique(given):
            name = self.sampler.bundle.classes[label]
            self.book.of([int(label)])[0].refuse_unreachable(name, targets[given == label])

    def draw(self, latents: Float32, labels: Sequence[int], targets: Float64) -> Settled:
        """Draw latents, moved until their images measure the targets.

        Args:
            latents: float32 (n, latent_dim).
            labels: the class of each; an unconditional generator must draw it by itself.
            targets: float64 (n, 3), NaN in columns that are free.
        """
        parts = []
        for start in range(0, len(latents), CHUNK):
            rows = slice(start, start + CHUNK)
            parts.append(self._chunk(latents[rows], np.asarray(labels)[rows], targets[rows]))
            self.progress("settling styles", min(start + CHUNK, len(latents)), len(latents))
        return Settled(
            *(np.concatenate(c) for c in zip(*(vars(p).values() for p in parts), strict=True))
        )

    def _chunk(self, latents: Float32, labels: np.ndarray, targets: Float64) -> Settled:
        settled = self._settle(latents, labels, targets)
        if not is_readable(self.sampler):
            return settled
        wrong = np.flatnonzero(look(settled.images).read != labels)
        for factor in RETREATS:
            if not len(wrong):
                break
            nearer = (factor * latents[wrong]).astype(np.float32)
            again = self._settle(nearer, labels[wrong], targets[wrong])
            right = look(again.images).read == labels[wrong]
            settled = settled.put(wrong[right], again.at(np.flatnonzero(right)))
            wrong = wrong[~right]
        return settled

    def _settle(self, latents: Float32, labels: np.ndarray, targets: Float64) -> Settled:
        def draw(places: Float32, rows: np.ndarray) -> UInt8:
            return self.render(places, labels[rows])

        return settle(draw, latents, targets, self.book.of(labels.tolist()))

    def render(self, latents: Float32, labels: np.ndarray) -> UInt8:
        """Draw latents under labels, which an unconditional generator is not told."""
        return self.sampler.render(latents, labels.tolist() if self.sampler.conditional else None)

    def labels_of(self, latents: Float32, seeds: Sequence[int]) -> list[int]:
        """Return the class of each seed: drawn for it, or what an unconditional generator draws.

        Raises:
            ConfigError: unconditional, and not to be read by the judge.
        """
        if self.sampler.conditional:
            drawn: list[int] = labels_from_seeds(seeds, len(self.sampler.bundle.classes)).tolist()
            return drawn
        if not is_readable(self.sampler):
            raise ConfigError(
                f"{self.sampler.bundle.recipe.name} is unconditional, and the judge reads digits "
                "of 28x28 grey alone; name a conditional generator"
            )
        read: list[int] = look(self.sampler.render(latents)).read.tolist()
        return read


def styled(
    labels: Sequence[int] | None = None,
    seeds: Iterable[int] = range(64),
    source: GeneratorSource = "flagship",
    *,
    slant: Wish = None,
    thickness: Wish = None,
    width: Wish = None,
    truncation: float = 1.0,
    device: str = "auto",
) -> UInt8:
    """Draw digits with a slant, a thickness and a width that are asked for.

    Each is one number, a sequence of one for each image, or None for as it comes. They are the
    measures of `inkgan.evaluation.strokes`, met to about 0.2 degrees, 0.03 and 0.1 pixels.

    Args:
        labels: the class of each image; without any, or from an unconditional generator, the class
            that belongs to the seed.
        seeds: whole numbers >= 0, one for each image.
        source: a run, bundle or name, or a Generator.
        slant: degrees from the vertical, positive for "/".
        thickness: of the stroke, in pixels.
        width: of the upright digit, in pixels.
        truncation: psi, a factor on the latents before they are moved.
        device: auto, cpu, cuda, cuda:N or mps.

    Returns:
        uint8 array (n, H, W); 0 is background.

    Raises:
        ConfigError: labels that cannot be, or a style out of the class' reach; it names the range.
        ArtifactError: there is no such source.
    """
    sampler, chosen = open_generator(source, device), list(seeds)
    stylist, style = StyleController(sampler), Style(slant, thickness, width)
    latents = (truncation * sampler.latents(chosen)).astype(np.float32)
    if labels is None:
        labels = stylist.labels_of(latents, chosen)
    elif not sampler.conditional or len(labels) != len(chosen):
        sampler.render(latents, labels)  # refuses them
    targets = style.targets(len(chosen))
    if not style.asked:
        return stylist.render(latents, np.asarray(labels))
    stylist.check(labels, targets)
    return stylist.draw(latents, labels, targets).images
