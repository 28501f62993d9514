"""Strands in the z-buffer against coverage that is known."""

from dataclasses import dataclass

import numpy as np
import pytest

from avatars import hairpass
from avatars.passes import LABELS, Buffers

SIZE = 32
# Looks along +y from the origin; at 1 m a metre is 32 px.
CAMERA = np.array([[SIZE, SIZE / 2, 0, 0], [0, SIZE / 2, -SIZE, 0], [0, 1, 0, 0.0]])


@dataclass
class Growth:
    radii: np.ndarray
    name: str = "hair"


def empty(depth=np.inf):
    return Buffers(np.zeros((SIZE, SIZE), np.uint8), np.full((SIZE, SIZE), depth, np.float32))


def across(rows, depth=1.0, width_px=0.25, count=4):
    """`count` strands a row across the whole picture, each `width_px` wide."""
    heights = (SIZE / 2 - np.repeat(rows, count) - 0.5) / SIZE
    points = np.zeros((len(heights), 2, 3))
    points[:, 0, 0], points[:, 1, 0] = -0.5, 0.5
    points[..., 1], points[..., 2] = 1.0, heights[:, None]
    return Growth(np.full(2, width_px / 2 / SIZE)), points * depth


def lay(buffers, *grown):
    return hairpass.lay(buffers, [g for g, _ in grown], [p for _, p in grown], CAMERA)


def test_rows_of_many_strands_are_hair_and_single_strands_are_not():
    labels, depth = lay(empty(), across([8]), across([20], count=1))
    assert (labels[8] == LABELS.index("hair")).all()
    assert (labels[20] == 0).all()
    assert depth[8, 5] == pytest.approx(1.0)
    assert np.isinf(depth[20]).all()


def test_hair_behind_a_surface_is_not_seen():
    labels, depth = lay(empty(0.9), across([8]))
    assert not labels.any()
    assert (depth == np.float32(0.9)).all()


def test_the_depth_is_where_strands_have_covered_enough():
    thin = across([8], depth=0.5, width_px=0.05, count=1)
    thick = across([8], depth=0.8, width_px=0.2)
    _, depth = lay(empty(), thin, thick)
    assert depth[8, 5] == pytest.approx(0.8)


def test_the_given_buffers_are_left_alone():
    before = empty()
    lay(before, across([8]))
    assert not before.labels.any()
