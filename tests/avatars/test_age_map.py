"""The marks of age, measured as maps."""

import dataclasses

import numpy as np

from avatars import age_map


def at(identity, age):
    return age_map.paint(dataclasses.replace(identity, age=float(age)))


def test_young_skin_bears_no_mark(identity):
    marks = at(identity, 25)
    assert not marks.height.any()
    assert np.all(marks.tint == 1)


def test_marks_grow_with_the_years(identity):
    ages = [at(identity, age) for age in (40, 60, 80)]
    assert np.all(np.diff([m.tint.mean() for m in ages]) < -0.005)
    assert np.all(np.diff([np.abs(m.height).mean() for m in ages]) > 0)


def test_marks_darken_and_never_below_a_fifth(identity):
    tint = at(identity, 90).tint
    assert tint.max() <= 1
    assert tint.min() > 0.2


def test_marks_are_neutral_at_the_border(identity):
    """The shader goes on as the border is: over ears, scalp, neck and hands."""
    for picture, rest in zip(at(identity, 88), (0, 1), strict=True):
        edges = [picture[0], picture[-1], picture[:, 0], picture[:, -1]]
        assert all(np.allclose(edge, rest, atol=1e-3) for edge in edges)


def test_marks_repeat_and_are_the_persons_own(identity):
    first, other = at(identity, 70), at(dataclasses.replace(identity, tone=0.1), 70)
    assert np.array_equal(first.tint, at(identity, 70).tint)
    assert not np.array_equal(first.tint, other.tint)
