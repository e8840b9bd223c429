"""Drawn strokes whose slant, thickness, width and height are known."""

import math

import numpy as np

from inkgan.images import UInt8

SUBPIXELS = 16


def bar(degrees: float, thickness: float, length: float = 16, size: int = 28) -> UInt8:
    """Draw an antialiased straight stroke that leans `degrees` to the right, (size, size).

    Its ends are cut off level, so that it is an upright bar of width thickness / cos and height
    length * cos, sheared by exactly tan(degrees).
    """
    places = (np.arange(size * SUBPIXELS) + 0.5) / SUBPIXELS - size / 2
    x, y = places[None, :], places[:, None]
    angle = math.radians(degrees)
    half_width, half_height = thickness / math.cos(angle) / 2, length * math.cos(angle) / 2
    inside = (np.abs(x + math.tan(angle) * y) < half_width) & (np.abs(y) < half_height)
    parts = inside.reshape(size, SUBPIXELS, size, SUBPIXELS)
    pixels: UInt8 = (255 * parts.mean(axis=(1, 3))).round().astype(np.uint8)
    return pixels


def ring(radius: float, thickness: float, size: int = 28) -> UInt8:
    """Draw an antialiased circle of a stroke, `radius` to its middle, (size, size)."""
    places = (np.arange(size * SUBPIXELS) + 0.5) / SUBPIXELS - size / 2
    distance = np.hypot(places[None, :], places[:, None])
    parts = (np.abs(distance - radius) < thickness / 2).reshape(size, SUBPIXELS, size, SUBPIXELS)
    pixels: UInt8 = (255 * parts.mean(axis=(1, 3))).round().astype(np.uint8)
    return pixels
