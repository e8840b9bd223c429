"""The paper that sequences are written on, as a value."""

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from inkgan.errors import ConfigError
from inkgan.synthesis.paper.background_folder import BackgroundFolder
from inkgan.synthesis.paper.presets import PRESETS

Preset = Literal["clean", "scan", "photo"]
PaperKind = Literal["plain", "ruled", "grid", "form"]
STRONGEST = 2.0
WIDER = 1.3  # at most, by the cells and the frame of a form
FRAME = 0.6  # of the height, at most, that the frame of a form adds


@dataclass(frozen=True)
class Paper:
    """The paper that sequences are written on, and how the picture of it is taken.

    Attributes:
        preset: clean (black on white), scan (gray, as from a document scanner) or photo (in color,
            as from a telephone).
        strength: how far the effects of scan and photo go, from 0 (paper and ink alone) to 2.
        backgrounds: a folder of images that are used as paper; each sequence gets a part of one.
        kinds: of paper, one of which each sequence gets, where there are no `backgrounds`: plain,
            ruled, grid, form (a field, or a cell for each character).

    Example:
        >>> Sequences(1_000, paper=Paper("photo", strength=0.5, kinds=("ruled", "grid")))
    """

    preset: Preset = "clean"
    strength: float = 1.0
    backgrounds: str | Path | None = None
    kinds: tuple[PaperKind, ...] = ("plain", "ruled", "grid", "form")

    def check(self) -> None:
        """Refuse impossible values.

        Raises:
            ConfigError: names the parameter and its value.
            ArtifactError: a background cannot be read.
        """
        if self.preset not in get_args(Preset):
            raise ConfigError(f"`paper` must be clean, scan or photo, not {self.preset!r}")
        if not 0 <= self.strength <= STRONGEST:
            raise ConfigError(
                f"`paper_strength` must be from 0 to {STRONGEST:g}, not {self.strength:g}"
            )
        wrong = [kind for kind in self.kinds if kind not in get_args(PaperKind)]
        if wrong or not self.kinds:
            raise ConfigError(
                f"`paper_kinds` must name one or more of {', '.join(get_args(PaperKind))}, not "
                f"{wrong[0] if wrong else 'nothing'!r}"
            )
        if self.preset != "clean":
            _ = self.folder
        elif self != Paper():
            name = next(
                name
                for name, value in (
                    ("backgrounds", self.backgrounds is not None),
                    ("paper_strength", self.strength != 1),
                    ("paper_kinds", True),
                )
                if value
            )
            raise ConfigError(f"`{name}` needs `paper='scan'` or `paper='photo'`; clean is white")

    @functools.cached_property
    def folder(self) -> BackgroundFolder | None:
        """The images of one's own, or None."""
        return None if self.backgrounds is None else BackgroundFolder.open(self.backgrounds)

    def most_bytes(self, height: float, width: float) -> int:
        """Return an upper bound of the bytes of a picture whose clean one has this size."""
        if self.preset == "clean":
            return int(height * width)
        effects = PRESETS[self.preset].scaled(self.strength)
        height, width = height * (1 + FRAME), width * WIDER + FRAME * height
        angle = math.radians(effects.roll)
        enlarged = (height + width * math.sin(angle)) * (width + height * math.sin(angle))
        # turned by 45 degrees, an edge that comes near grows by a third
        return int(enlarged * (1.4 if effects.turn else 1) * (3 if effects.color else 1))

    def as_json(self) -> dict[str, Any]:
        """Return the values as JSON; images are named by their digest."""
        return {
            "preset": self.preset,
            "strength": float(self.strength),
            "backgrounds": self.folder.as_json() if self.folder else None,
            "kinds": list(self.kinds),
        }
