"""Scores on the way: the variety inside each class."""

import pytest
import torch

from inkgan.metrics.checkpoint_scorer import VARIETY, CheckpointScorer

LABELS = torch.arange(3).repeat_interleave(40)


def strokes(seed: int) -> torch.Tensor:
    """Give images that differ inside each class."""
    noise = torch.Generator().manual_seed(seed)
    images = torch.zeros(120, 1, 28, 28)
    for image, label in zip(images, LABELS, strict=True):
        x = int(torch.randint(4, 20, (1,), generator=noise))
        image[:, 4:24, x : x + 2 + int(label)] = 255
    return images.to(torch.uint8)


def test_equal_sets_have_the_same_variety() -> None:
    scores = CheckpointScorer(strokes(0), LABELS).score(strokes(0), LABELS)
    assert scores[VARIETY] == pytest.approx(1)
    assert scores["e3_distance"] == pytest.approx(0, abs=1e-6)


def test_one_image_again_and_again_is_found_in_its_class() -> None:
    fakes = strokes(1)
    fakes[LABELS == 1] = fakes[50].clone()
    scores = CheckpointScorer(strokes(0), LABELS).score(fakes, LABELS)
    assert scores[VARIETY] == pytest.approx(0, abs=1e-6)
    assert scores["least_varied"] == 1
    assert CheckpointScorer(strokes(0), LABELS).score(strokes(1), LABELS)[VARIETY] > 0.7


def test_without_labels_there_is_nothing_to_say_of_classes() -> None:
    assert VARIETY not in CheckpointScorer(strokes(0)).score(strokes(1), LABELS)
    assert VARIETY not in CheckpointScorer(strokes(0), LABELS).score(strokes(1))
