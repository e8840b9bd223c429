"""Which images the extractors are fitted to: half of them, whatever part of a set is looked at."""

import numpy as np

from inkgan.metrics.features.fitting_split import VALIDATION_PART, fitting_images, scorer_images
from tests.fixtures.references import small_reference


def test_half_of_the_images_are_fitted_to() -> None:
    chosen = fitting_images(small_reference().train)
    count = len(chosen)
    assert abs(int(chosen.sum()) - count / 2) < 4 * np.sqrt(count) / 2
    digits = small_reference().train_labels
    for digit in range(10):
        of_digit = chosen[digits == digit]
        assert abs(of_digit.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(of_digit)), digit


def test_the_half_depends_on_the_image_alone() -> None:
    pixels = small_reference().train
    order = np.random.default_rng(0).permutation(len(pixels))
    assert (fitting_images(pixels[order]) == fitting_images(pixels)[order]).all()
    assert (fitting_images(pixels[:, None]) == fitting_images(pixels)).all()
    assert (fitting_images(np.asfortranarray(pixels)) == fitting_images(pixels)).all()
    assert len(fitting_images(pixels[:0])) == 0


def test_a_known_image_is_in_a_known_half() -> None:
    """CRC-32 of 784 zeros is even or odd for ever: shipped baselines depend on it."""
    blank, full = np.zeros((1, 28, 28), np.uint8), np.full((1, 28, 28), 255, np.uint8)
    assert [bool(fitting_images(image)[0]) for image in (blank, full)] == [False, True]


def test_e3_sees_no_validation_image() -> None:
    pixels = small_reference().train
    chosen = scorer_images(pixels)
    reserved = len(pixels) // VALIDATION_PART
    assert not chosen[-reserved:].any()
    assert (chosen[:-reserved] == fitting_images(pixels)[:-reserved]).all()
    assert 60_000 // VALIDATION_PART == 5_000
