"""Outlines of ink: exactly its pixels, whatever their shape, as pycocotools fills them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco_mask

from inkgan.synthesis.formats.outlines import outline_polygons
from inkgan.types import Bool


def filled(polygons: list[list[int]], shape: tuple[int, int]) -> Bool:
    return np.asarray(
        coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygons, *shape))) > 0
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools
@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))).filter(np.any))
@settings(deadline=None, max_examples=200)
def test_polygons_cover_exactly_the_mask(mask: Bool) -> None:
    polygons = outline_polygons(mask)
    assert np.array_equal(filled(polygons, mask.shape), mask)
    corners = [np.reshape(polygon, (-1, 2)) for polygon in polygons]
    areas = [np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2 for x, y in (c.T for c in corners)]
    assert abs(sum(areas)) == mask.sum()  # all run the same way round, so none is a hole


@pytest.mark.parametrize(
    ("mask", "polygons"),
    [
        ([[1]], [{(0, 0), (1, 0), (1, 1), (0, 1)}]),
        ([[1, 1], [1, 0]], [{(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)}]),
    ],
)
def test_small_masks(mask: list[list[int]], polygons: list[set[tuple[int, int]]]) -> None:
    found = outline_polygons(np.array(mask, dtype=np.bool_))
    assert [set(zip(p[::2], p[1::2], strict=True)) for p in found] == polygons
