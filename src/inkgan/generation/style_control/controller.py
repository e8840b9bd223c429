"""Draws images with a requested style, from the latents nearest to given ones."""

from collections.abc import Sequence

import numpy as np

from inkgan.errors import ConfigError
from inkgan.generation.protocols import GeneratorLike, can_classify
from inkgan.generation.sampling import labels_from_seeds
from inkgan.generation.style_control.calibration import CalibrationCache
from inkgan.generation.style_control.latent_search import StyledImages, search_latents
from inkgan.generation.style_control.style import Style, style_of
from inkgan.images import light_on_dark
from inkgan.metrics.features.extractors import classify
from inkgan.types import Float32, Float64, Progress, UInt8, silent

CHUNK = 512  # images searched at once
# Where E1 reads another digit than requested, or a style is missed, the search starts again nearer
# to the middle of the class, with these factors on the latent: odd latents turn into other digits
# on the way, or have a shape that does not go with the style.
RETREATS = (0.7, 0.4)


class StyleController:
    """Draws the digits of a generator in requested styles.

    Attributes:
        generator: what draws.
        calibrations: how the style of each class depends on its latents.
    """

    def __init__(self, generator: GeneratorLike, progress: Progress = silent) -> None:
        self.generator, self.progress = generator, progress
        self.calibrations = CalibrationCache(generator, progress)

    def check(self, labels: Sequence[int], low: Float64, high: Float64) -> None:
        """Refuse bounds (n, 3) that no image of the labels' classes meets, before work starts.

        Raises:
            ConfigError: names the first and the range of its class; or images are in color.
        """
        bundle = self.generator.bundle
        if bundle.shape.channels != 1:
            raise ConfigError(
                f"{bundle.recipe.name} draws {bundle.shape} images; only gray strokes have a style"
            )
        given = np.asarray(labels)
        for label in np.unique(given):
            rows = given == label
            calibration = self.calibrations.of([int(label)])[0]
            calibration.check_reachable(bundle.classes[label], low[rows], high[rows])

    def sample(self, latents: Float32, labels: Sequence[int], style: Style) -> StyledImages:
        """Draw latents in a style; images that are in it already stay as they are.

        Args:
            latents: float32 (n, latent_dim).
            labels: the class of each; an unconditional generator must draw it by itself.
            style: what to draw.

        Raises:
            ConfigError: a style that cannot be, or out of reach of a class.
        """
        low, high = style.bounds(len(latents))
        self.check(labels, low, high)
        if not style.has_ranges:
            return self.draw(latents, labels, low)
        given = np.asarray(labels)
        reach = np.stack([c.ranges() for c in self.calibrations.of(given.tolist())])
        low, high = np.maximum(low, reach[..., 0]), np.minimum(high, reach[..., 1])
        images = self.render(latents, given)
        measured = style_of(images)
        nearest = np.where(np.isnan(measured), (low + high) / 2, np.clip(measured, low, high))
        outside = np.flatnonzero((~np.isnan(low) & (nearest != measured)).any(axis=1))
        drawn = StyledImages(latents, images, measured)
        if not len(outside):
            return drawn
        return drawn.put(outside, self.draw(latents[outside], given[outside], nearest[outside]))

    def draw(
        self, latents: Float32, labels: Sequence[int] | np.ndarray, targets: Float64
    ) -> StyledImages:
        """Draw latents, moved until their images measure the targets.

        Args:
            latents: float32 (n, latent_dim).
            labels: the class of each; an unconditional generator must draw it by itself.
            targets: float64 (n, 3), NaN in columns that are free.
        """
        parts = []
        for start in range(0, len(latents), CHUNK):
            rows = slice(start, start + CHUNK)
            parts.append(self._draw_chunk(latents[rows], np.asarray(labels)[rows], targets[rows]))
            self.progress("matching styles", min(start + CHUNK, len(latents)), len(latents))
        return StyledImages(
            *(np.concatenate(c) for c in zip(*(vars(p).values() for p in parts), strict=True))
        )

    def _draw_chunk(self, latents: Float32, labels: np.ndarray, targets: Float64) -> StyledImages:
        drawn = self._search(latents, labels, targets)
        right, met = self._reads_right(drawn, labels), drawn.meets(targets)
        for factor in RETREATS:
            failed = np.flatnonzero(~(right & met))
            if not len(failed):
                break
            nearer = (factor * latents[failed]).astype(np.float32)
            again = self._search(nearer, labels[failed], targets[failed])
            met_again = again.meets(targets[failed])
            better = self._reads_right(again, labels[failed]) & (met_again | ~right[failed])
            rows = failed[better]
            drawn = drawn.put(rows, again.at(np.flatnonzero(better)))
            right[rows], met[rows] = True, met_again[better]
        return drawn

    def _reads_right(self, drawn: StyledImages, labels: np.ndarray) -> np.ndarray:
        """Tell for each image whether E1 reads its label, or cannot read such images, bool (n,)."""
        if not can_classify(self.generator.bundle):
            return np.ones(len(labels), dtype=bool)
        right: np.ndarray = classify(drawn.images).predicted == labels
        return right

    def _search(self, latents: Float32, labels: np.ndarray, targets: Float64) -> StyledImages:
        def draw(moved: Float32, rows: np.ndarray) -> UInt8:
            return self.render(moved, labels[rows])

        return search_latents(draw, latents, targets, self.calibrations.of(labels.tolist()))

    def render(self, latents: Float32, labels: np.ndarray) -> UInt8:
        """Draw latents under labels, which are left out for an unconditional generator."""
        conditional = self.generator.conditional
        return self.generator.render(latents, labels.tolist() if conditional else None)

    def predict_labels(self, latents: Float32, seeds: Sequence[int]) -> list[int]:
        """Return the class of each seed; that of an unconditional generator's image by E1.

        Raises:
            ConfigError: unconditional, and its images cannot be classified.
        """
        if self.generator.conditional:
            drawn: list[int] = labels_from_seeds(seeds, len(self.generator.bundle.classes)).tolist()
            return drawn
        if not can_classify(self.generator.bundle):
            raise ConfigError(
                f"{self.generator.bundle.recipe.name} is unconditional, and only digits of 28x28 "
                "gray can be classified; use a conditional generator"
            )
        predicted: list[int] = classify(
            light_on_dark(self.generator.render(latents))
        ).predicted.tolist()
        return predicted
