"""What light and camera do to a page: pictures are float32 (channels, H, W) in [0, 1]."""

import io
import math

import numpy as np
from PIL import Image
from scipy import ndimage, special

from inkgan.synthesis.paper.presets import BEST_QUALITY, Degradation
from inkgan.types import Float32, UInt8

LEAST_BLUR = 0.15  # pixels; less changes nothing
SHADOW_SHARE = 0.5  # of the pictures that a shadow falls on, where the preset has shadows
SHOT_NOISE = 0.6  # of the noise's variance that grows with the light


def _normal_levels() -> Float32:
    """Return 256 quantiles of the standard normal distribution, with its variance."""
    quantiles = special.ndtri((np.arange(256) + 0.5) / 256)
    levels: Float32 = (quantiles / quantiles.std()).astype(np.float32)
    return levels


NORMAL_LEVELS = _normal_levels()  # as good as normal numbers for noise of a few levels, and faster


def lit(
    picture: Float32, effects: Degradation, unit: float, random: np.random.Generator
) -> Float32:
    """Shade a page from one end to the other, let a shadow fall on it, and color the light."""
    channels, height, width = picture.shape
    angle = random.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32) * np.float32(np.sin(angle))
    shading = effects.shading * random.random() / 2
    light = 1 - np.float32(shading) * (1 + x + y[:, None])
    if effects.shadow and random.random() < SHADOW_SHARE:
        light *= _shadow(height, width, effects.shadow * random.random(), unit, random)
    color = np.ones(channels) - effects.cast * random.random(channels)
    shaded: Float32 = picture * (color.astype(np.float32)[:, None, None] * light)
    return shaded


def _shadow(
    height: int, width: int, depth: float, unit: float, random: np.random.Generator
) -> Float32:
    """Return the light beside a straight, soft edge through the picture, (H, W)."""
    angle = random.uniform(0, 2 * np.pi)
    through = random.random(2) * (width, height)
    softness = unit * random.uniform(1, 12)
    x = (np.arange(width) - through[0]) * np.cos(angle) / softness
    y = (np.arange(height) - through[1]) * np.sin(angle) / softness
    behind = 0.5 + 0.5 * np.tanh((x + y[:, None]).astype(np.float32))
    light: Float32 = 1 - np.float32(depth) * behind
    return light


def dusty(
    picture: Float32, effects: Degradation, unit: float, random: np.random.Generator
) -> Float32:
    """Drop dark dots on a page."""
    _, height, width = picture.shape
    area = height * width / unit**2 / 1000
    count = random.poisson(effects.specks * random.random() * area)
    if not count:
        return picture
    dots = picture.copy()
    size = max(1, round(unit))
    for y, x, level in random.random((count, 3)).tolist():
        top, left = int(y * height), int(x * width)
        dots[:, top : top + size, left : left + size] *= np.float32(level)
    return dots


def blurred(
    picture: Float32, effects: Degradation, unit: float, random: np.random.Generator
) -> Float32:
    """Blur by a lens out of focus and by a moving camera."""
    focus = unit * effects.blur * random.random()
    motion = unit * effects.motion * random.random()
    direction = int(random.integers(2))
    deviations = [0, focus, focus]
    deviations[1 + direction] = math.hypot(focus, motion)
    if max(deviations) < LEAST_BLUR:
        return picture
    smooth: Float32 = ndimage.gaussian_filter(picture, deviations, mode="nearest", truncate=3)
    return smooth


def sensed(picture: Float32, effects: Degradation, random: np.random.Generator) -> UInt8:
    """Return the levels that a sensor reads, with noise, of which a part grows with the light.

    Returns:
        uint8 (H, W, channels).
    """
    levels = picture * np.float32(255)
    deviation = effects.noise * random.random()
    if deviation:
        noise = np.take(NORMAL_LEVELS, random.integers(256, size=picture.shape, dtype=np.uint8))
        variance = np.maximum(picture, 0) * np.float32(SHOT_NOISE * deviation**2)
        variance += np.float32((1 - SHOT_NOISE) * deviation**2)
        noise *= np.sqrt(variance, out=variance)
        levels += noise
    np.rint(levels.clip(0, 255, out=levels), out=levels)
    return np.ascontiguousarray(levels.astype(np.uint8).transpose(1, 2, 0))


def jpeg_file(picture: UInt8, effects: Degradation, random: np.random.Generator) -> bytes | None:
    """Return a picture (H, W) or (H, W, 3) as a JPEG file, or None where nothing may be lost."""
    if effects.jpeg >= BEST_QUALITY:
        return None
    quality = int(random.integers(effects.jpeg, BEST_QUALITY + 1))
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()
