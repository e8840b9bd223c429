"""The features of the real images are extracted once, and are those that would be extracted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inkgan import files
from inkgan.evaluation import reference as module
from inkgan.evaluation.reference import NEIGHBORS, ReferenceImages, ReferenceSet
from inkgan.metrics.features.extractors import Features, extract_features
from inkgan.metrics.prdc import radii
from tests.fixtures.references import small_reference

COUNT = 300


def some(first: int = 0) -> ReferenceImages:
    whole, rows = small_reference(), slice(first, first + COUNT)
    return replace(whole, test=whole.test[rows], test_labels=whole.test_labels[rows])


@pytest.fixture
def extracted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the images of each extraction, and keep the features of few images too."""
    counted: list[int] = []

    def extract(pixels: np.ndarray, *given: object) -> Features:
        counted.append(len(pixels))
        return extract_features(pixels, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "extract_features", extract)
    monkeypatch.setattr(module, "LEAST_KEPT", COUNT)
    return counted


def kept_files() -> dict[str, Path]:
    folder = files.cache_folder() / module.KEPT
    return {path.stem.split("-", 1)[1]: path for path in folder.iterdir()}


def test_features_and_radii_are_measured_once(extracted: list[int]) -> None:
    first, again = ReferenceSet(some()), ReferenceSet(some())
    expected = extract_features(some().test)
    for reference in (first, again):
        for found, array in zip(reference.features, expected, strict=True):
            np.testing.assert_array_equal(found, array)
        np.testing.assert_array_equal(reference.radii, radii(expected.e1, NEIGHBORS))
    assert extracted == [COUNT]
    assert kept_files().keys() == {"features", f"radii-{NEIGHBORS}"}


def test_radii_come_from_the_cache(extracted: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = ReferenceSet(some()).radii

    def fail(*_: object) -> None:
        raise AssertionError("the radii were measured again")

    monkeypatch.setattr(module, "radii", fail)
    np.testing.assert_array_equal(ReferenceSet(some()).radii, expected)


def other_method(monkeypatch: pytest.MonkeyPatch) -> ReferenceImages:
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    return some()


def other_networks(monkeypatch: pytest.MonkeyPatch) -> ReferenceImages:
    monkeypatch.setattr(module, "extractors_digest", lambda folder: "others")
    return some()


def other_torch(monkeypatch: pytest.MonkeyPatch) -> ReferenceImages:
    monkeypatch.setattr(torch, "__version__", "2.0.0")
    return some()


def other_processor(monkeypatch: pytest.MonkeyPatch) -> ReferenceImages:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "other")
    return some()


def other_threads(monkeypatch: pytest.MonkeyPatch) -> ReferenceImages:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    return some()


@pytest.mark.parametrize(
    "change",
    [
        lambda _: some(first=1),
        other_method,
        other_networks,
        other_torch,
        other_processor,
        other_threads,
    ],
    ids=["images", "method", "networks", "torch", "processor", "threads"],
)
def test_what_features_depend_on_names_their_file(
    extracted: list[int],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[pytest.MonkeyPatch], ReferenceImages],
) -> None:
    assert len(ReferenceSet(some()).features.e1) == COUNT
    assert len(ReferenceSet(change(monkeypatch)).features.e1) == COUNT
    assert extracted == [COUNT, COUNT]


def test_damaged_features_are_extracted_again(extracted: list[int]) -> None:
    expected = ReferenceSet(some()).features
    path = kept_files()["features"]
    path.write_bytes(path.read_bytes()[:-100])
    for _ in range(2):
        np.testing.assert_array_equal(ReferenceSet(some()).features.e1, expected.e1)
    assert extracted == [COUNT, COUNT]


def test_few_images_and_parts_are_not_kept(
    extracted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAST_KEPT", COUNT + 1)
    assert len(ReferenceSet(some()).radii) == COUNT
    monkeypatch.setattr(module, "LEAST_KEPT", 10)
    whole = ReferenceSet(some(), kept=False)
    assert len(whole.part_of_test(np.arange(100)).radii) == 100
    assert not (files.cache_folder() / module.KEPT).exists()
