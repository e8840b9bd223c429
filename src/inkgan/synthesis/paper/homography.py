"""How a camera maps the page to the picture, for points and for images alike."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from inkgan.types import Float32, Float64, UInt8

DISTANCE = 2.5  # of the camera from the page, in diagonals of what it shows


@dataclass(frozen=True)
class Homography:
    """A map of the plane that keeps lines straight.

    Coordinates are (x, y) with y down; pixel (0, 0) is the square from (0, 0) to (1, 1).

    Attributes:
        matrix: float64 (3, 3), of homogeneous coordinates.

    Example:
        >>> turned = Homography.of_camera((64, 256), roll=3, yaw=15, pitch=-10)
        >>> turned.points(np.array([[0.0, 0.0], [256.0, 64.0]]))
    """

    matrix: Float64

    @classmethod
    def identity(cls) -> "Homography":
        """Return the map that moves nothing."""
        return cls(np.eye(3))

    @classmethod
    def of_camera(
        cls, size: tuple[int, int], *, roll: float, yaw: float, pitch: float
    ) -> "Homography":
        """Return the map of a pinhole camera that looks at the middle of a turned page.

        The columns of the matrix are those of the rotation for x and y, and the translation
        (Hartley and Zisserman 2004, section 8.1.1). Sizes in the middle are kept.

        Args:
            size: height and width of what is shown.
            roll: degrees counterclockwise.
            yaw: degrees about the vertical.
            pitch: degrees about the horizontal.
        """
        height, width = size
        distance = DISTANCE * float(np.hypot(height, width))
        a, b, c = np.radians((roll, yaw, pitch))
        about_z = np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])
        about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]])
        pose = about_z @ about_y @ about_x
        pose[:, 2] = 0, 0, distance
        projected = np.diag([distance, distance, 1.0]) @ pose
        middle, back = translation(width / 2, height / 2), translation(-width / 2, -height / 2)
        matrix: Float64 = middle @ (projected / distance) @ back
        return cls(matrix)

    @cached_property
    def inverse(self) -> "Homography":
        """The map back, from the picture to the page."""
        a, b, c, d, e, f, g, h, i = self.matrix.ravel().tolist()
        cofactors = [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ]
        determinant = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
        return Homography(np.array(cofactors) / determinant)

    def points(self, points: Float64) -> Float64:
        """Map points (..., 2)."""
        mapped = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        divided: Float64 = mapped[..., :2] / mapped[..., 2:]
        return divided

    def grid(self, size: tuple[int, int]) -> tuple[Float32, Float32]:
        """Map the middles of all pixels of a picture; return their x and y, float32 (H, W) each."""
        a, b, c, d, e, f, g, h, i = self.matrix.ravel().tolist()
        x, y = np.arange(size[1]) + 0.5, np.arange(size[0])[:, None] + 0.5
        depth = (g * x + i) + h * y
        mapped_x, mapped_y = (a * x + c) + b * y, (d * x + f) + e * y
        return (mapped_x / depth).astype(np.float32), (mapped_y / depth).astype(np.float32)

    def moved(self, x: float, y: float) -> "Homography":
        """Return this map, followed by a translation."""
        return Homography(translation(x, y) @ self.matrix)

    def image(
        self,
        image: UInt8,
        size: tuple[int, int],
        *,
        origin: tuple[float, float] = (0, 0),
        start: tuple[float, float] = (0, 0),
    ) -> UInt8:
        """Map an image (h, w) or (h, w, 3), by cubic convolution; 0 outside of it.

        Args:
            image: of the page or of a part of it.
            size: height and width of what is wanted of the picture.
            origin: of the part on the page, (x, y).
            start: of what is wanted in the picture, (x, y).
        """
        a, b, c, d, e, f, g, h, i = self.inverse.matrix.ravel().tolist()
        (u, v), (x, y) = origin, start
        # from the wanted part of the picture to the picture, to the page, to the part of the page
        c, f, i = a * x + b * y + c, d * x + e * y + f, g * x + h * y + i
        a, b, c = a - u * g, b - u * h, c - u * i
        d, e, f = d - v * g, e - v * h, f - v * i
        mapped = Image.fromarray(image).transform(
            (size[1], size[0]),
            Image.Transform.PERSPECTIVE,
            (a / i, b / i, c / i, d / i, e / i, f / i, g / i, h / i),
            Image.Resampling.BICUBIC,
        )
        return np.asarray(mapped)

    def bounds(self, x: float, y: float, width: float, height: float) -> tuple[int, int, int, int]:
        """Return the whole pixels that contain a mapped rectangle: left, top, right, bottom."""
        a, b, c, d, e, f, g, h, i = self.matrix.ravel().tolist()
        corners = [(p, q) for p in (x, x + width) for q in (y, y + height)]
        depths = [g * p + h * q + i for p, q in corners]
        along = [(a * p + b * q + c) / w for (p, q), w in zip(corners, depths, strict=True)]
        down = [(d * p + e * q + f) / w for (p, q), w in zip(corners, depths, strict=True)]
        return (
            math.floor(min(along)),
            math.floor(min(down)),
            math.ceil(max(along)),
            math.ceil(max(down)),
        )


def translation(x: float, y: float) -> Float64:
    """Return the matrix (3, 3) that moves by (x, y)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])
