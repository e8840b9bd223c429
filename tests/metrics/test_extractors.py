"""Features and classes of digits by the shipped networks."""

import numpy as np
import torch
from safetensors.torch import load_file

import inkgan
from inkgan.metrics.features.extractors import (
    CHUNK,
    classify,
    extract_features,
    load_network,
    weights_path,
)
from inkgan.metrics.features.networks import digit_classifier


def test_classifying_gives_the_probabilities_of_the_features() -> None:
    """E1 alone, to the last bit, whatever is classified beside."""
    pixels = np.random.default_rng(0).integers(0, 256, (CHUNK + 7, 28, 28)).astype(np.uint8)
    features, classified = extract_features(pixels), classify(pixels)
    assert np.array_equal(classified.probabilities, features.probabilities)
    assert np.array_equal(classified.predicted, features.predicted)
    assert np.array_equal(classify(pixels[-3:]).probabilities, features.probabilities[-3:])


def test_bfloat16_classifies_nearly_the_same() -> None:
    digits = inkgan.load("flagship").sample(range(10), seeds=range(10))
    exact, found = classify(digits), classify(digits, precision="bfloat16")
    assert np.array_equal(found.predicted, exact.predicted)
    assert 0 < np.abs(found.probabilities - exact.probabilities).max() < 0.02
    assert np.array_equal(classify(digits[-3:], precision="bfloat16")[0], found.probabilities[-3:])


def test_progress_counts_images() -> None:
    told: list[tuple[str, int, int]] = []
    classify(np.zeros((CHUNK + 1, 28, 28), np.uint8), lambda *values: told.append(values))
    assert told == [("classifying", CHUNK, CHUNK + 1), ("classifying", CHUNK + 1, CHUNK + 1)]


def test_convolving_in_parts_changes_no_bit() -> None:
    images = torch.rand(CHUNK, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    network = load_network("e1")
    with torch.no_grad():
        whole = network.features(network.body(images))  # type: ignore[operator]
        assert torch.equal(network.embed(images), whole)  # type: ignore[operator]


def test_folded_norms_change_no_feature() -> None:
    images = torch.rand(8, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    network = digit_classifier()
    network.load_state_dict({k: v.float() for k, v in load_file(weights_path("e1")).items()})
    network.eval().double()
    with torch.no_grad():
        expected = network.embed(images.double())
        network.fold_norms_()
        torch.testing.assert_close(network.embed(images.double()), expected)
        found = load_network("e1").embed(images)  # type: ignore[operator]
    torch.testing.assert_close(found, expected.float(), rtol=1e-4, atol=1e-4)
