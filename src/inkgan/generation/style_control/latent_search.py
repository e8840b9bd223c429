"""Moves latents until their images have the requested measures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inkgan.generation.style_control.calibration import Calibration
from inkgan.generation.style_control.style import CLOSE, TOLERANCES, style_of
from inkgan.types import Float32, Float64, UInt8

STEPS = 8  # after the first guess; a ninth brings less than CLOSE
LONGEST = 0.75  # step of a coordinate, in standard deviations
FARTHEST = 3.2  # coordinate: few training images lie farther out, and digits break there
# Gaps of equal weight: a degree is as visible as a tenth of a pixel of thickness.
SCALE = np.array([1.0, 0.1, 0.25])


@dataclass(frozen=True)
class StyledImages:
    """Images with the latents that draw them and the style that they have.

    Attributes:
        latents: float32 (n, latent_dim).
        images: uint8 (n, H, W).
        measured: slant, thickness and width of each image, float64 (n, 3); NaN where it is blank.
    """

    latents: Float32
    images: UInt8
    measured: Float64

    def errors(self, targets: Float64) -> Float64:
        """Return the distance of each image from its targets, float64 (n,), in units of SCALE."""
        gaps = np.where(np.isnan(targets), 0.0, (targets - self.measured) / SCALE)
        distances: Float64 = np.nan_to_num(np.sqrt((gaps**2).sum(axis=1)), nan=np.inf)
        return distances

    def meets(self, targets: Float64) -> np.ndarray:
        """Tell which images measure their targets within TOLERANCES, bool (n,)."""
        met: np.ndarray = np.isnan(targets)
        met |= np.abs(targets - self.measured) <= TOLERANCES
        return np.asarray(met.all(axis=1))

    def put(self, rows: np.ndarray, other: "StyledImages") -> "StyledImages":
        """Return a copy with `other` in some of the rows."""
        copy = {name: values.copy() for name, values in vars(self).items()}
        for name, values in copy.items():
            values[rows] = getattr(other, name)
        return replace(self, **copy)

    def at(self, rows: np.ndarray) -> "StyledImages":
        """Return some of the rows."""
        return StyledImages(self.latents[rows], self.images[rows], self.measured[rows])


Draw = Callable[[Float32, np.ndarray], UInt8]  # from latents and their row numbers to images


def search_latents(
    draw: Draw, latents: Float32, targets: Float64, calibrations: Sequence[Calibration]
) -> StyledImages:
    """Move latents along the axes of their classes until their images measure the targets.

    The first guess inverts the calibration of an axis that is a single coordinate. Along other axes
    digits turn into others on the way, so there the search starts at the image as it is. Broyden's
    method (1965) then corrects slopes and coordinates of each image by its measures; the best image
    of each row is kept.

    Args:
        draw: returns the images of latents.
        latents: float32 (n, latent_dim), the start; what changes no target stays.
        targets: float64 (n, 3), NaN in the columns that are free.
        calibrations: of each row's class.
    """
    search = _StyleSearch(draw, latents, targets, calibrations)
    for _ in range(STEPS):
        rows = search.open_rows()
        if not len(rows):
            break
        search.step(rows)
    return search.best


class _StyleSearch:
    """The state of `search_latents`: coordinates and slopes of each row, and its images."""

    def __init__(
        self, draw: Draw, latents: Float32, targets: Float64, calibrations: Sequence[Calibration]
    ) -> None:
        self.draw, self.targets = draw, targets
        self.used = used = ~np.isnan(targets).all(axis=0)
        self.start = latents.astype(np.float64)
        axes = np.stack([c.axes[used] for c in calibrations])
        self.back = np.linalg.pinv(axes)
        self.origin = np.einsum("nkd,nd->nk", axes, self.start)
        self.slopes = np.stack([c.slopes[np.ix_(used, used)] for c in calibrations])
        guesses = [c.scores(t[None])[0, used] for c, t in zip(calibrations, targets, strict=True)]
        is_coordinate = np.stack([c.is_coordinate[used] for c in calibrations])
        self.places: Float64 = np.where(is_coordinate, np.stack(guesses), self.origin)
        self.current = self.best = self.draw_rows(np.arange(len(latents)))

    def draw_rows(self, rows: np.ndarray) -> StyledImages:
        """Draw and measure rows at their places."""
        moves = np.einsum("ndk,nk->nd", self.back[rows], self.places[rows] - self.origin[rows])
        moved = (self.start[rows] + moves).astype(np.float32)
        images = self.draw(moved, rows)
        return StyledImages(moved, images, style_of(images))

    def open_rows(self) -> np.ndarray:
        """Return the rows whose best image is not close yet."""
        gaps = np.abs(self.targets - self.best.measured)[:, self.used]
        return np.flatnonzero(~(gaps <= CLOSE[self.used]).all(axis=1))  # also where NaN

    def step(self, rows: np.ndarray) -> None:
        """Move rows by one step, and update their slopes."""
        used, before = self.used, self.places[rows]
        measured = self.current.measured[rows][:, used]
        gaps = (self.targets[rows][:, used] - measured) / SCALE[used]
        steps = _steps(self.slopes[rows] / SCALE[used][:, None], gaps)
        self.places[rows] = np.clip(before + steps, -FARTHEST, FARTHEST)
        found = self.draw_rows(rows)
        self.slopes[rows] = _broyden_update(
            self.slopes[rows], self.places[rows] - before, found.measured[:, used] - measured
        )
        self.current = self.current.put(rows, found)
        targets = self.targets[rows]
        better = found.errors(targets) < self.best.at(rows).errors(targets)
        self.best = self.best.put(rows[better], found.at(np.flatnonzero(better)))


def _steps(slopes: Float64, gaps: Float64) -> Float64:
    """Solve slopes step = gap for each row; directions that hardly move an image are left alone."""
    inverse = np.linalg.pinv(slopes, rcond=0.01)
    steps = np.einsum("nkl,nl->nk", inverse, np.nan_to_num(gaps))
    clipped: Float64 = np.clip(steps, -LONGEST, LONGEST)
    return clipped


def _broyden_update(slopes: Float64, steps: Float64, changes: Float64) -> Float64:
    """Correct slopes (n, k, k) to explain the changes that steps (n, k) brought (Broyden 1965)."""
    surprise = np.nan_to_num(changes - np.einsum("nkl,nl->nk", slopes, steps))
    length = np.maximum((steps**2).sum(axis=1), 1e-3)
    updated: Float64 = slopes + surprise[:, :, None] * steps[:, None, :] / length[:, None, None]
    return updated
