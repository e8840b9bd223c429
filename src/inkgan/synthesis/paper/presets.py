"""What happens to a page: how far each effect goes, for each preset."""

from dataclasses import dataclass, fields

BEST_QUALITY, WORST_QUALITY = 95, 10  # of JPEG
MOST = {"fading": 0.7, "shading": 0.5, "shadow": 0.6}  # beyond which digits cannot be read


@dataclass(frozen=True)
class Degradation:
    """The largest effects; each picture gets a random share of each.

    Lengths are pixels of a picture 48 pixels high, and grow with it.

    Attributes:
        roll: degrees that the page is turned.
        turn: degrees that the page is turned away from the camera, both ways.
        fading: share of the ink that is missing where the pen presses least.
        shading: change of brightness from one end to the other.
        shadow: share of the light that a shadow with a soft edge takes.
        cast: relative change of each color by the light.
        blur: standard deviation in pixels.
        motion: the same, along one direction.
        noise: standard deviation in levels of 255.
        specks: dots of dust for each 1,000 pixels.
        jpeg: the lowest quality; 95 is nearly without loss.
        color: whether pictures have colors.
    """

    roll: float
    turn: float
    fading: float
    shading: float
    shadow: float
    cast: float
    blur: float
    motion: float
    noise: float
    specks: float
    jpeg: int
    color: bool

    def scaled(self, strength: float) -> "Degradation":
        """Return effects that go `strength` times as far."""
        values = {
            field.name: strength * getattr(self, field.name)
            for field in fields(self)
            if field.name not in ("jpeg", "color")
        }
        for name, most in MOST.items():
            values[name] = min(values[name], most)
        quality = BEST_QUALITY - strength * (BEST_QUALITY - self.jpeg)
        return Degradation(**values, jpeg=max(WORST_QUALITY, round(quality)), color=self.color)


PRESETS = {
    "scan": Degradation(
        roll=1.5,
        turn=0,
        fading=0.3,
        shading=0.08,
        shadow=0,
        cast=0,
        blur=0.7,
        motion=0,
        noise=6,
        specks=0.4,
        jpeg=60,
        color=False,
    ),
    "photo": Degradation(
        roll=4,
        turn=22,
        fading=0.35,
        shading=0.3,
        shadow=0.45,
        cast=0.08,
        blur=1.0,
        motion=0.8,
        noise=10,
        specks=0.1,
        jpeg=40,
        color=True,
    ),
}
