"""Distortion against Pillow, closed forms, and what moves which way.

Angles, scales and shifts are drawn at random; the tests replay the generator to learn the draw,
and choose the amount so that the draw times the amount is the value they want.
"""

import math
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from inkgan.config import Augment
from inkgan.data.augment import augment

Kind = Literal["rotate", "scale", "shift", "down"]
KINDS: tuple[Kind, ...] = ("rotate", "scale", "shift", "down")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def replayed(seed: int, count: int = 1) -> torch.Tensor:
    """Return what one call draws: angle, scale, right and down, each from [-1, 1)."""
    return torch.rand(4, count, generator=seeded(seed)) * 2 - 1


def seed_with(kind: Kind, sign: int) -> tuple[int, float]:
    """Find a seed whose draw for this kind of distortion is large and of the wanted sign."""
    for seed in range(1000):
        draw = float(replayed(seed)[KINDS.index(kind), 0])
        if draw * sign > 0.6:
            return seed, abs(draw)
    raise AssertionError("no such seed")


def smooth_picture(height: int, width: int) -> torch.Tensor:
    """Give a picture (1, 1, H, W) without symmetry, with values all over [-1, 1]."""
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    return (0.6 * torch.sin(3 * x + 1) * torch.cos(2 * y) + 0.4 * y)[None, None]


def dot(height: int, width: int, row: int, column: int) -> torch.Tensor:
    images = torch.full((1, 1, height, width), -1.0)
    images[..., row, column] = 1.0
    return images


def centre_of_ink(images: torch.Tensor) -> tuple[float, float]:
    """Return the centre of mass (row, column) of one picture's ink."""
    ink = images[0, 0].double() + 1
    rows, columns = (torch.arange(n).double() for n in ink.shape)
    return (
        float((ink.sum(1) * rows).sum() / ink.sum()),
        float((ink.sum(0) * columns).sum() / ink.sum()),
    )


@pytest.mark.parametrize("shape", [(3, 1, 28, 28), (2, 3, 20, 33)])
def test_nothing_asked_is_nothing_done(shape: tuple[int, ...]) -> None:
    images = torch.rand(shape, generator=seeded(0)) * 2 - 1
    torch.testing.assert_close(augment(images, Augment(), seeded(1)), images, atol=1e-5, rtol=0)


@pytest.mark.parametrize("degrees", [20.0, -20.0, 45.0, -90.0])
@pytest.mark.parametrize("size", [(28, 28), (21, 34), (34, 21)], ids=str)
def test_rotation_is_pillows(degrees: float, size: tuple[int, int]) -> None:
    """Both turn about the middle, against the clock for positive angles, bilinearly."""
    seed, draw = seed_with("rotate", 1 if degrees > 0 else -1)
    images = smooth_picture(*size)
    turned = augment(images, Augment(rotate=abs(degrees) / draw), seeded(seed))[0, 0].numpy()
    picture = Image.fromarray(images[0, 0].numpy())
    expected = np.asarray(picture.rotate(degrees, Image.Resampling.BILINEAR, fillcolor=-1))
    mask = Image.fromarray(np.ones(size, np.float32)).rotate(degrees, Image.Resampling.BILINEAR)
    inside = np.asarray(mask) == 1
    # Pillow repeats the outermost half pixel where this lets the background in
    inside[1:-1, 1:-1] &= inside[:-2, 1:-1] & inside[2:, 1:-1]
    inside[1:-1, 1:-1] &= inside[1:-1, :-2] & inside[1:-1, 2:]
    inside[[0, -1]] = inside[:, [0, -1]] = False
    assert inside.mean() > 0.3
    np.testing.assert_allclose(turned[inside], expected[inside], atol=1e-3)


@pytest.mark.parametrize("degrees", [7.0, -20.0])
def test_nearest_rotation_is_pillows_and_keeps_the_values(degrees: float) -> None:
    seed, draw = seed_with("rotate", 1 if degrees > 0 else -1)
    images = (torch.rand(1, 1, 28, 28, generator=seeded(3)) > 0.5).float() * 2 - 1
    amount = Augment(rotate=abs(degrees) / draw, interpolation="nearest")
    turned = augment(images, amount, seeded(seed))[0, 0].numpy()
    assert set(np.unique(turned)) == {-1, 1}
    picture = Image.fromarray(images[0, 0].numpy())
    expected = np.asarray(picture.rotate(degrees, Image.Resampling.NEAREST, fillcolor=-1))
    assert (turned == expected).mean() > 0.99  # places exactly between two pixels may differ


@pytest.mark.parametrize("sign", [1, -1])
def test_quarter_turns_are_exact(sign: int) -> None:
    seed, draw = seed_with("rotate", sign)
    images = smooth_picture(28, 28)
    turned = augment(images, Augment(rotate=90 / draw), seeded(seed))
    torch.testing.assert_close(turned, torch.rot90(images, sign, (2, 3)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(40, 20), (20, 40)], ids=str)
def test_squares_stay_square_in_oblong_pictures(size: tuple[int, int]) -> None:
    """A quarter turn about the middle brings a centred square back onto itself."""
    seed, draw = seed_with("rotate", 1)
    images = torch.full((1, 1, *size), -1.0)
    top, left = size[0] // 2 - 4, size[1] // 2 - 4
    images[..., top : top + 8, left : left + 8] = torch.linspace(-0.5, 1, 64).view(8, 8)
    turned = augment(images, Augment(rotate=90 / draw), seeded(seed))
    expected = torch.full_like(images, -1.0)
    inner = images[..., top : top + 8, left : left + 8]
    expected[..., top : top + 8, left : left + 8] = torch.rot90(inner, 1, (2, 3))
    torch.testing.assert_close(turned, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("kind", "axis"), [("shift", 3), ("down", 2)])
def test_shift_by_whole_pixels_is_exact(kind: Kind, axis: int, sign: int) -> None:
    """Positive draws move right and down; stripes along the other axis hide its draw."""
    seed, draw = seed_with(kind, sign)
    line = torch.linspace(-0.9, 1, 28).view((1, 1, 1, 28) if axis == 3 else (1, 1, 28, 1))
    moved = augment(line.expand(1, 1, 28, 28), Augment(shift=3 / draw), seeded(seed))
    expected = torch.roll(line, 3 * sign, axis)
    expected.narrow(axis, 0 if sign > 0 else 25, 3).fill_(-1.0)
    reach = math.ceil(3 / draw)
    inner = moved.narrow(5 - axis, reach, 28 - 2 * reach)
    torch.testing.assert_close(inner, expected.expand_as(inner), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(28, 28), (20, 33)], ids=str)
def test_shift_moves_the_centre_of_ink_by_what_was_drawn(size: tuple[int, int]) -> None:
    """Bilinear interpolation keeps the centre of mass, whatever the fraction of a pixel."""
    for seed in range(5):
        _, _, right, down = (float(draw) for draw in replayed(seed)[:, 0])
        row, column = centre_of_ink(augment(dot(*size, 9, 12), Augment(shift=4), seeded(seed)))
        assert row == pytest.approx(9 + 4 * down, abs=1e-3)
        assert column == pytest.approx(12 + 4 * right, abs=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_scale_grows_or_shrinks_ink_by_its_square(sign: int) -> None:
    seed, draw = seed_with("scale", sign)
    images = torch.full((1, 1, 64, 64), -1.0)
    images[..., 22:42, 22:42] = 1.0
    scaled = augment(images, Augment(scale=0.25 / draw), seeded(seed))
    ratio = float((scaled + 1).sum() / (images + 1).sum())
    assert ratio == pytest.approx((1 + 0.25 * sign) ** 2, rel=0.02)
    assert centre_of_ink(scaled) == pytest.approx((31.5, 31.5), abs=1e-3)


def test_what_enters_at_the_borders_is_background() -> None:
    white = torch.ones(16, 1, 28, 28)
    for seed in range(3):
        shifted = augment(white, Augment(shift=8), seeded(seed))
        assert shifted.min() == -1
        assert shifted.max() <= 1 + 1e-6
        turned = augment(white, Augment(rotate=45), seeded(seed))
        wide = replayed(seed, 16)[0].abs() > 0.5
        assert torch.equal(turned[wide, 0, 0, 0], torch.full((int(wide.sum()),), -1.0))


def test_background_stays_background() -> None:
    black = torch.full((4, 1, 28, 28), -1.0)
    amount = Augment(rotate=30, shift=3, scale=0.2, elastic=2)
    torch.testing.assert_close(augment(black, amount, seeded(0)), black)


def test_the_generator_decides_alone() -> None:
    images = smooth_picture(28, 28).expand(8, 1, 28, 28)
    amount = Augment(rotate=15, shift=2, scale=0.1, elastic=1)
    kept = images.clone()
    first, second = augment(images, amount, seeded(3)), augment(images, amount, seeded(3))
    assert torch.equal(first, second)
    assert torch.equal(images, kept), "the input was changed"
    assert not torch.allclose(first, augment(images, amount, seeded(4)))
    assert len({image.numpy().tobytes() for image in first}) == 8, "all of a batch moved alike"


def test_draws_fill_the_range_evenly() -> None:
    """Centres of 4,000 shifted dots: uniform on [-5, 5] has variance 25 / 3."""
    images = dot(21, 21, 10, 10).expand(4000, 1, 21, 21)
    moved = augment(images, Augment(shift=5), seeded(0))[:, 0].double() + 1
    places = torch.arange(21).double() - 10
    columns = (moved.sum(1) * places).sum(1) / moved.sum((1, 2))
    assert columns.abs().max() <= 5 + 1e-4
    assert float(columns.mean()) == pytest.approx(0, abs=0.2)
    assert float(columns.var()) == pytest.approx(25 / 3, rel=0.1)


def displacements(pixels: float, size: tuple[int, int]) -> torch.Tensor:
    """Read how far elastic warping moves each inner pixel (n, 2, h, w), off two linear ramps.

    Bilinear sampling of a ramp returns the very position that was sampled.
    """
    height, width = size
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    ramps = torch.stack([y / height, x / width])
    bent = augment(ramps.expand(64, 2, height, width), Augment(elastic=pixels), seeded(0))
    moved = (bent - ramps) * torch.tensor([height, width]).view(2, 1, 1)
    edge = math.ceil(6 * pixels)
    return moved[..., edge : height - edge, edge : width - edge]


@pytest.mark.parametrize("size", [(64, 64), (48, 96)], ids=str)
def test_elastic_moves_pixels_smoothly_by_about_its_sigma(size: tuple[int, int]) -> None:
    moved = displacements(2.0, size)
    assert moved.abs().max() < 6 * 2.0
    for along in (moved[:, 0], moved[:, 1]):
        assert float(along.mean()) == pytest.approx(0, abs=0.3)
        assert 1.0 < float(along.std()) < 2.2
    assert moved.diff(dim=3).abs().max() < 2.0
    assert moved.diff(dim=2).abs().max() < 2.0


def test_elastic_keeps_the_range_and_the_ink_near() -> None:
    noise = torch.rand(32, 1, 28, 28, generator=seeded(0)) * 2 - 1
    bent = augment(noise, Augment(elastic=3), seeded(1))
    assert bent.abs().max() <= 1 + 1e-6
    block = torch.full((32, 1, 28, 28), -1.0)
    block[..., 12:16, 12:16] = 1.0
    moved = augment(block, Augment(elastic=1), seeded(2))
    assert not torch.allclose(moved, block)
    assert (moved[..., :6, :] == -1).all()
    assert (moved[..., 22:, :] == -1).all()


def test_elastic_comes_on_top_of_the_affine_part() -> None:
    """An elastic field of almost nothing leaves the rotation as it is."""
    images = smooth_picture(28, 28)
    alone = augment(images, Augment(rotate=30), seeded(0))
    both = augment(images, Augment(rotate=30, elastic=1e-5), seeded(0))
    torch.testing.assert_close(alone, both, atol=1e-3, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_move_together(channels: int) -> None:
    images = smooth_picture(28, 28).expand(1, channels, 28, 28)
    bent = augment(images, Augment(rotate=20, elastic=2), seeded(0))
    assert torch.equal(bent, bent[:, :1].expand_as(bent))
