"""Pixel ranges, grids and picture files."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inkgan import images
from inkgan.errors import ArtifactError
from tests.fixtures.references import small_reference


def test_every_level_survives_the_round_trip() -> None:
    levels = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    floats = images.to_float(levels)
    assert floats.min() == -1
    assert floats.max() == 1
    assert torch.equal(images.to_uint8(floats), levels)


def test_floats_are_clamped_then_rounded_not_cut_off() -> None:
    floats = torch.tensor([-2.0, -1.0, -1 + 0.6 / 127.5, 0.999, 1.0, 7.0])
    assert images.to_uint8(floats).tolist() == [0, 0, 1, 255, 255, 255]


def test_arrays_have_the_layout_that_people_expect() -> None:
    gray, colour = torch.zeros(2, 1, 4, 5, dtype=torch.uint8), torch.zeros(2, 3, 4, 5).byte()
    colour[:, 2] = 9
    assert images.to_array(gray).shape == (2, 4, 5)
    assert images.to_array(colour).shape == (2, 4, 5, 3)
    assert images.to_array(colour)[0, 0, 0].tolist() == [0, 0, 9]


@pytest.mark.parametrize("tail", [(), (3,)])
def test_grid_places_row_by_row(tail: tuple[int, ...]) -> None:
    tiles = np.stack([np.full((4, 5, *tail), value, np.uint8) for value in range(100, 105)])
    sheet = images.grid(tiles, columns=3, scale=1)
    assert sheet.shape == (2 * 6 + 2, 3 * 7 + 2, *tail)
    assert (sheet[2:6, 2:7] == 100).all()
    assert (sheet[8:12, 9:14] == 104).all()
    assert (sheet[8:12, 16:21] == images.GUTTER).all()
    assert images.grid(tiles, columns=3, scale=2).shape[:2] == (28, 46)


def test_png_is_exact_and_carries_its_text(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (7, 9), dtype=np.uint8)
    images.save_png(tmp_path / "a.png", picture, {"seeds": "0-63"})
    assert (images.read_picture(tmp_path / "a.png") == picture).all()
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.info["seeds"] == "0-63"


def test_gif_keeps_all_frames_and_rests_on_the_last(tmp_path: Path) -> None:
    frames = [np.full((8, 8), value, np.uint8) for value in (0, 100, 200)]
    images.save_gif(tmp_path / "a.gif", frames)
    with Image.open(tmp_path / "a.gif") as opened:
        assert opened.n_frames == 3  # type: ignore[attr-defined]
        assert opened.info["loop"] == 0
        opened.seek(2)
        assert opened.info["duration"] == 2000


@pytest.mark.parametrize("shape", [(60, 400), (60, 400, 3)])
def test_caption_is_written_below_the_picture(shape: tuple[int, ...]) -> None:
    picture = np.full(shape, 7, np.uint8)
    captioned = images.caption(picture, "epoch 3")
    assert (captioned[:60] == 7).all()
    assert captioned[60:].max() > 200


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    images.save_png(path, np.zeros((4, 4), np.uint8))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        images.save_png(path, np.zeros((4, 4, 9), np.uint8))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    with pytest.raises(ArtifactError, match="cannot write"):
        images.save_png(path / "inside-a-file.png", np.zeros((4, 4), np.uint8))


def test_ink_and_paper_are_told_apart() -> None:
    digits = small_reference().train[:300]
    for seen in (digits, digits[:, 4:24, 4:24], digits // 3 + 20, digits[..., None]):
        assert not images.is_dark_on_light(seen)
        assert images.is_dark_on_light(255 - seen)
    assert images.is_dark_on_light(130 - digits // 3)  # gray paper
    noise = np.random.default_rng(0).integers(0, 256, (300, 28, 28), dtype=np.uint8)
    for nothing in (noise, noise * 0, noise * 0 + 255, digits[:0]):
        assert not images.is_dark_on_light(nothing)


@pytest.mark.parametrize(("inverted", "said"), [(0, False), (8, False), (90, True), (300, False)])
def test_mixed_ink_is_said(inverted: int, said: bool) -> None:
    random = np.random.default_rng(0)
    pixels = np.zeros((300, 28, 28), np.uint8)
    pixels[:, 6:22, 6:22] = random.integers(0, 256, (300, 16, 16))
    pixels[:inverted] = 255 - pixels[:inverted]
    note = images.mixed_ink_note(pixels)
    assert bool(note) == said
    if said:
        assert "about 30% of the images are dark on light, 70% light on dark" in note[0]


def test_noise_and_single_levels_are_not_mixed() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 28, 28)).astype(np.uint8)
    assert images.mixed_ink_note(noise) == ()
    assert images.mixed_ink_note(np.full((9, 28, 28), 7, np.uint8)) == ()
    assert images.mixed_ink_note(noise[:0]) == ()


@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (112, 280), (7, 4, 3), (6, 9, 4)])
def test_a_png_in_little_time_has_the_same_pixels(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with Image.open(io.BytesIO(images.png_bytes(picture, fast=True))) as opened:
        opened.verify()
    with Image.open(io.BytesIO(images.png_bytes(picture, fast=True))) as opened:
        assert (np.asarray(opened) == picture).all()
