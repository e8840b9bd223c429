"""A line of writing: digits and punctuation on one baseline, with the variation of a hand."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from inkgan.handwriting.outline import Bounds, Outline
from inkgan.handwriting.punctuation import draw_punctuation, num_points
from inkgan.handwriting.spacing import SPACE as SPACE_WIDTH
from inkgan.handwriting.spacing import Spacer
from inkgan.handwriting.text import DIGITS, PUNCTUATION, SPACE
from inkgan.handwriting.writer import Writer, normal

# Standard deviations at jitter 1.
RISE = 0.035  # of the baseline, in heights of a digit
GROWTH = 0.05  # of a character's height, as a share of it
AIR = 0.03  # of the gap, in heights of a digit
# A digit's image is scaled to its box, so a wide digit comes out low. Half of that is undone (on
# the logarithmic scale): all of it would make its strokes thick.
EVENING = 0.5
MOST_EVENING = 1.3
MARGIN = 0.25  # of paper round the ink, in heights of a digit


@dataclass(frozen=True)
class LineLayout:
    """Characters in their places.

    Attributes:
        text: what is written.
        characters: each with its outline; spaces have none. The baseline is y = 0.
        height: of a digit, in pixels of the generator's images.
    """

    text: str
    characters: tuple[tuple[str, Outline], ...]
    height: float

    @property
    def page(self) -> Bounds:
        """The paper: the ink and room for a digit's height, with a margin."""
        ink = self.characters[0][1].bounds
        for _, outline in self.characters[1:]:
            ink = ink.union(outline.bounds)
        margin = MARGIN * self.height
        return Bounds(
            ink.left - margin,
            min(ink.top, -self.height) - margin,
            ink.right + margin,
            max(ink.bottom, 0.0) + margin,
        )


def lay_out(
    text: str, writer: Writer, *, jitter: float = 0.5, slant_drift: float = 0.0
) -> LineLayout:
    """Write a text that `text.read_text` has passed.

    Args:
        text: digits, punctuation and spaces.
        writer: whose digits.
        jitter: 0 is regular, equal digits equal; 1 is restless.
        slant_drift: degrees that the last character leans further to the right than the first.

    Raises:
        ConfigError: the writer cannot write it.
    """
    drawn = _draw(text, writer, jitter)
    spacer = Spacer(writer.pen.height)
    characters = []
    blanks = 0
    leans = np.tan(np.radians(np.linspace(0, slant_drift, len(drawn))))
    for position, ((character, outline), lean) in enumerate(zip(drawn, leans, strict=True)):
        if character == SPACE or outline is None:
            blanks += 1
            continue
        rise, growth, air = jitter * normal(3, writer.seed, "place", position)
        scale = float(np.exp(GROWTH * growth))
        moved = outline.mapped(
            [[scale, -lean * scale], [0, scale]], (0, RISE * rise * writer.pen.height)
        )
        shift = spacer.place(
            moved,
            is_punctuation=character in PUNCTUATION,
            air=AIR * air,
            space=blanks * SPACE_WIDTH,
        )
        characters.append((character, moved.moved(shift, 0)))
        blanks = 0
    return LineLayout(text, tuple(characters), writer.pen.height)


def _draw(text: str, writer: Writer, jitter: float) -> list[tuple[str, Outline | None]]:
    """Draw each character on the baseline; all digits are rendered at once."""
    written: Counter[str] = Counter()
    numbered = []
    for character in text:
        numbered.append((character, written[character]))
        written[character] += 1
    wanted = [(character, number) for character, number in numbered if character in DIGITS]
    if jitter == 0:
        wanted = list(dict.fromkeys((character, 0) for character, _ in wanted))
    digits = dict(zip(wanted, writer.digits(wanted, jitter), strict=True)) if wanted else {}
    drawn: list[tuple[str, Outline | None]] = []
    for character, number in numbered:
        outline = None
        if character in DIGITS:
            outline = _on_baseline(digits[character, number if jitter else 0], writer.pen.height)
        elif character in PUNCTUATION:
            moves = normal(2 * num_points(character), writer.seed, "mark", character, number)
            outline = draw_punctuation(character, writer.pen, jitter * moves.reshape(-1, 2))
        drawn.append((character, outline))
    return drawn


def _on_baseline(outline: Outline, height: float) -> Outline:
    box = outline.bounds
    scale = (height / box.height) ** EVENING
    scale = float(np.clip(scale, 1 / MOST_EVENING, MOST_EVENING))
    return outline.mapped(np.eye(2) * scale, (-scale * box.left, -scale * box.bottom))
