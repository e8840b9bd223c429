"""The recognizer's benchmark: decoding, learning, and what it is tested on."""

import numpy as np
import pytest
import torch

from benchmarks.recognizer import (
    BLANK,
    HEIGHT,
    TESTED,
    TRAINED,
    Strings,
    batches,
    confusions,
    decode,
    interval,
    read,
    resized,
    sequence_accuracy,
    table,
    trained,
)
from inkgan.types import UInt8


def test_the_best_path_merges_repetitions_but_not_across_blanks() -> None:
    path = [BLANK, 1, 1, BLANK, 1, 7, 7, BLANK, 3, 3]
    logits = torch.nn.functional.one_hot(torch.tensor(path), BLANK + 1)[:, None]
    assert decode(logits, torch.tensor([10])) == ["1173"]
    assert decode(logits, torch.tensor([5])) == ["11"]


def striped(text: str) -> UInt8:
    """Draw a bar for each digit, the higher the larger."""
    image = np.full((HEIGHT, 16 * len(text)), 255, np.uint8)
    for place, character in enumerate(text):
        image[HEIGHT - 3 * int(character) - 3 :, 16 * place + 4 : 16 * place + 12] = 0
    return image


def test_it_learns_what_can_be_read() -> None:
    random = np.random.default_rng(0)
    texts = ["".join(map(str, random.choice([1, 5, 9], 2))) for _ in range(192)]
    strings = Strings([striped(text) for text in texts], texts)
    found = read(trained(strings, 14, seed=0), strings)
    assert sequence_accuracy(found, texts) > 0.9


def test_each_string_is_in_one_batch_of_an_epoch() -> None:
    texts = ["1" * (1 + place % 7) for place in range(150)]
    found = batches(Strings([striped(text) for text in texts], texts), np.random.default_rng(0))
    assert sorted(row for rows in found for row in rows) == list(range(150))
    widths = [len(set(map(len, (texts[row] for row in rows)))) for rows in found]
    assert max(widths) <= 3  # similar widths lie together


def test_confusions_name_what_is_read_instead() -> None:
    assert sequence_accuracy(["12", "7"], ["12", "1"]) == 0.5
    assert confusions(["127", "45", "88"], ["121", "465", "88"]) == {("1", "7"): 1, ("6", ""): 1}


def test_pictures_get_one_height() -> None:
    assert resized(np.zeros((64, 200, 3), np.uint8)).shape == (HEIGHT, 100)
    assert resized(np.zeros((48, 48), np.uint8)).shape == (HEIGHT, HEIGHT)


def test_no_training_string_has_the_paper_of_the_test() -> None:
    assert not set(TRAINED.paper.kinds) & set(TESTED.paper.kinds)


def test_the_table_compares_by_seed() -> None:
    assert interval([0.9, 0.9, 0.9]) == pytest.approx((0.9, 0))
    # three values with mean 2 and deviation 1: t = 4.3027, divided by the root of 3
    assert interval([1.0, 2.0, 3.0]) == pytest.approx((2, 2.4841), abs=1e-4)
    clean = [0.50, 0.52, 0.54]
    rows = table(
        {"generated": [0.90, 0.92, 0.94], "real": [0.91, 0.93, 0.95], "generated, clean": clean}
    )
    assert "| generated | 92.0% ± 5.0 | -1.0 ± 0.0 |  |" in rows
    assert "| generated, clean | 52.0% ± 5.0 | -41.0 ± 0.0 | -40.0 ± 0.0 |" in rows
