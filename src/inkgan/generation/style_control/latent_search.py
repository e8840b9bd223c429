"""Moving latents until their images measure what is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inkgan.generation.style_control.calibration import Calibration
from inkgan.generation.style_control.measures import CLOSE, measure_styles
from inkgan.types import Float32, Float64, UInt8

STEPS = 8  # after the first guess; a ninth brings less than CLOSE
LONGEST = 0.75  # step of a coordinate, in standard deviations
FARTHEST = 3.2  # coordinate: few training images lie farther out, and digits break there
# What weighs alike: a degree is as visible as a tenth of a pixel of thickness.
SCALE = np.array([1.0, 0.1, 0.25])


@dataclass(frozen=True)
class Settled:
    """Float32 whose images measure what was asked, or nearly.

    Attributes:
        latents: float32 (n, latent_dim).
        images: uint8 (n, H, W).
        measured: slant, thickness and width of each image, float64 (n, 3); NaN where it is blank.
    """

    latents: Float32
    images: UInt8
    measured: Float64

    def misses(self, targets: Float64) -> Float64:
        """Return how far each is from what was asked, float64 (n,), in units of SCALE."""
        gaps = np.where(np.isnan(targets), 0.0, (targets - self.measured) / SCALE)
        missed: Float64 = np.nan_to_num(np.sqrt((gaps**2).sum(axis=1)), nan=np.inf)
        return missed

    def put(self, rows: np.ndarray, other: "Settled") -> "Settled":
        """Return a copy with `other` in some of the rows."""
        copy = {name: values.copy() for name, values in vars(self).items()}
        for name, values in copy.items():
            values[rows] = getattr(other, name)
        return replace(self, **copy)

    def at(self, rows: np.ndarray) -> "Settled":
        """Return some of the rows."""
        return Settled(self.latents[rows], self.images[rows], self.measured[rows])


Draw = Callable[[Float32, np.ndarray], UInt8]  # of latents and of the rows that they belong to


def settle(
    draw: Draw, latents: Float32, targets: Float64, calibrations: Sequence[Calibration]
) -> Settled:
    """Move latents along their classes' axes until their images measure the targets.

    The first guess inverts the calibration of a coordinate that was taught a style; along other
    axes digits turn into others on the way, so there it is the image as it is. Broyden's method
    (1965) then corrects slopes and coordinates of each image by what it measures; the best image of
    each row is kept.

    Args:
        draw: the images of latents.
        latents: float32 (n, latent_dim), where to begin; what is not asked for stays.
        targets: float64 (n, 3), NaN in the columns that are free.
        calibrations: of each row's class.
    """
    search = _Search(draw, latents, targets, calibrations)
    for _ in range(STEPS):
        rows = search.unsettled()
        if not len(rows):
            break
        search.step(rows)
    return search.best


class _Search:
    """The coordinates and slopes of each row, and the images that they gave."""

    def __init__(
        self, draw: Draw, latents: Float32, targets: Float64, calibrations: Sequence[Calibration]
    ) -> None:
        self.draw, self.targets = draw, targets
        self.asked = asked = ~np.isnan(targets).all(axis=0)
        self.start = latents.astype(np.float64)
        axes = np.stack([c.axes[asked] for c in calibrations])
        self.back = np.linalg.pinv(axes)
        self.origin = np.einsum("nkd,nd->nk", axes, self.start)
        self.slopes = np.stack([c.slopes[np.ix_(asked, asked)] for c in calibrations])
        guesses = [c.scores(t[None])[0, asked] for c, t in zip(calibrations, targets, strict=True)]
        taught = np.stack([c.taught[asked] for c in calibrations])
        self.places: Float64 = np.where(taught, np.stack(guesses), self.origin)
        self.seen = self.best = self.look(np.arange(len(latents)))

    def look(self, rows: np.ndarray) -> Settled:
        """Draw and measure rows at their places."""
        moves = np.einsum("ndk,nk->nd", self.back[rows], self.places[rows] - self.origin[rows])
        moved = (self.start[rows] + moves).astype(np.float32)
        images = self.draw(moved, rows)
        return Settled(moved, images, measure_styles(images))

    def unsettled(self) -> np.ndarray:
        """Return the rows whose best image is not close yet."""
        gaps = np.abs(self.targets - self.best.measured)[:, self.asked]
        return np.flatnonzero(~(gaps <= CLOSE[self.asked]).all(axis=1))  # also where NaN

    def step(self, rows: np.ndarray) -> None:
        """Move rows by one step, and learn from it."""
        asked, before = self.asked, self.places[rows]
        was = self.seen.measured[rows][:, asked]
        gaps = (self.targets[rows][:, asked] - was) / SCALE[asked]
        steps = _steps(self.slopes[rows] / SCALE[asked][:, None], gaps)
        self.places[rows] = np.clip(before + steps, -FARTHEST, FARTHEST)
        found = self.look(rows)
        self.slopes[rows] = _corrected(
            self.slopes[rows], self.places[rows] - before, found.measured[:, asked] - was
        )
        self.seen = self.seen.put(rows, found)
        wanted = self.targets[rows]
        better = found.misses(wanted) < self.best.at(rows).misses(wanted)
        self.best = self.best.put(rows[better], found.at(np.flatnonzero(better)))


def _steps(slopes: Float64, gaps: Float64) -> Float64:
    """Solve slopes step = gap for each row; directions that hardly move an image are left alone."""
    inverse = np.linalg.pinv(slopes, rcond=0.01)
    steps = np.einsum("nkl,nl->nk", inverse, np.nan_to_num(gaps))
    clipped: Float64 = np.clip(steps, -LONGEST, LONGEST)
    return clipped


def _corrected(slopes: Float64, steps: Float64, changes: Float64) -> Float64:
    """Correct slopes (n, k, k) to explain the changes that steps (n, k) brought (Broyden 1965)."""
    surprise = np.nan_to_num(changes - np.einsum("nkl,nl->nk", slopes, steps))
    length = np.maximum((steps**2).sum(axis=1), 1e-3)
    corrected: Float64 = slopes + surprise[:, :, None] * steps[:, None, :] / length[:, None, None]
    return corrected
