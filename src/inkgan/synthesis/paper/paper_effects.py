"""Put a sequence on paper and take the picture: the stages in their order."""

from dataclasses import dataclass

import numpy as np

from inkgan.images import LUMINANCE
from inkgan.synthesis.composition import ComposedString
from inkgan.synthesis.paper.background_folder import BackgroundFolder
from inkgan.synthesis.paper.backgrounds import PRINTINGS, Frame, PageView, bare_paper, put_in_form
from inkgan.synthesis.paper.camera import blurred, dusty, jpeg_file, lit, sensed
from inkgan.synthesis.paper.homography import Homography
from inkgan.synthesis.paper.ink import inked, pressure
from inkgan.synthesis.paper.paper import Paper
from inkgan.synthesis.paper.presets import PRESETS, Degradation
from inkgan.synthesis.paper.warp import warp
from inkgan.synthesis.rendered_sequence import Effects, RenderedSequence, render_clean
from inkgan.types import Float32

FORM = "form"


def effects_of(paper: Paper) -> Effects:
    """Return what puts a sequence on this paper.

    Example:
        >>> effects_of(Paper("photo"))(composed, np.random.default_rng(7)).image.shape
    """
    if paper.preset == "clean":
        return render_clean
    effects = PRESETS[paper.preset].scaled(paper.strength)
    return PaperEffects(effects, tuple(paper.kinds), paper.folder)


@dataclass(frozen=True)
class PaperEffects:
    """Puts a sequence on paper; the same random numbers give the same picture.

    Attributes:
        effects: how far each goes.
        kinds: of paper that is drawn.
        folder: images that are used as paper instead.
    """

    effects: Degradation
    kinds: tuple[str, ...]
    folder: BackgroundFolder | None = None

    def __call__(self, composed: ComposedString, random: np.random.Generator) -> RenderedSequence:
        """Return the picture; boxes and masks are those of the mapped ink."""
        kind = "" if self.folder else self.kinds[int(random.integers(len(self.kinds)))]
        frame = None
        if kind == FORM:
            composed, frame = put_in_form(composed, random)
        unit = composed.size[0] / 48
        turned, view = warp(composed, self._view(composed.size, random))
        sheet = PageView.seen(composed, view, turned.size)
        picture = self._paper(kind, frame, sheet, view, random)
        ink = pressure(turned.ink, self.effects.fading, unit, random)
        picture = inked(picture, ink, random)
        if not self.effects.color:
            picture = np.einsum("c,chw->hw", np.array(LUMINANCE, np.float32), picture)[None]
        picture = lit(dusty(picture, self.effects, unit, random), self.effects, unit, random)
        levels = sensed(blurred(picture, self.effects, unit, random), self.effects, random)
        levels = levels if self.effects.color else levels[..., 0]
        return RenderedSequence(levels, turned, jpeg_file(levels, self.effects, random))

    def _view(self, size: tuple[int, int], random: np.random.Generator) -> Homography:
        roll, yaw, pitch = random.uniform(-1, 1, size=3).tolist()
        turn = self.effects.turn
        return Homography.of_camera(
            size, roll=self.effects.roll * roll, yaw=turn * yaw, pitch=turn * pitch
        )

    def _paper(
        self,
        kind: str,
        frame: Frame | None,
        sheet: PageView,
        view: Homography,
        random: np.random.Generator,
    ) -> Float32:
        if self.folder:
            return self.folder.seen(view, (sheet.x.shape[0], sheet.x.shape[1]), random)
        paper = bare_paper(sheet, random)
        printing = PRINTINGS[kind] if frame is None else frame.printed
        return printing(paper, sheet, random)
