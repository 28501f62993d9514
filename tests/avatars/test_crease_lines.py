"""The lines of the creases, measured as height maps."""

import dataclasses

import numpy as np
import pytest

from avatars import crease_lines


@pytest.fixture(scope="module")
def young(identity):
    return dataclasses.replace(identity, age=22.0)


@pytest.fixture(scope="module")
def old(identity):
    return dataclasses.replace(identity, age=85.0)


def test_age_deepens_the_folds_and_adds_lines(young, old):
    shallow, deep = crease_lines.paint(young), crease_lines.paint(old)
    assert deep.min() < 1.5 * shallow.min() < -0.3
    assert (deep < -0.15).sum() > 1.5 * (shallow < -0.15).sum()


def test_maps_repeat_and_differ_between_people(identity):
    again = crease_lines.paint(identity)
    assert np.array_equal(crease_lines.paint(identity), again)
    other = dataclasses.replace(identity, tone=identity.tone + 0.01)
    assert not np.array_equal(crease_lines.paint(other), again)


def test_maps_end_flat_at_their_border(old):
    heights = crease_lines.paint(old)
    edges = [heights[0], heights[-1], heights[:, 0], heights[:, -1]]
    assert max(np.abs(edge).max() for edge in edges) == 0


def test_what_lies_beyond_the_chart_is_cut():
    heights = np.zeros((crease_lines.SIZE, crease_lines.SIZE), np.float32)
    beyond = np.array([[90.0, 100.0], [140.0, 160.0]])
    crease_lines.press(heights, beyond, 1.0, 2.0, np.random.default_rng(1))
    assert heights.min() < -0.1
