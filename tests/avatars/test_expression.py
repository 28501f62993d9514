import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatars import expression
from avatars.errors import AvatarError
from avatars.units import UNITS

ROWS = list(UNITS)


def performance(name, seed=0, frames=16, fps=8):
    return expression.perform(expression.load(name), frames, fps, np.random.default_rng(seed))


@pytest.mark.parametrize("name", expression.names())
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**63))
def test_every_performance_starts_neutral_and_stays_in_range(name, seed):
    given = performance(name, seed)
    assert not given.intended[0].any()
    assert not given.head_deg[0].any()
    assert given.intended.min() >= 0
    assert given.intended.max() <= 1


def test_displays_differ_in_lips_and_head_turn_only():
    apex = {name: performance(name) for name in ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")}
    for one in apex.values():
        assert one.intended[:, ROWS.index("43")].max() > 0.8
        assert one.intended[:, ROWS.index("15")].max() > 0.5
    parted = {n for n, g in apex.items() if g.intended[:, ROWS.index("25")].max() > 0.5}
    assert parted == {"FD1", "FD3-L", "FD3-R"}
    assert {n for n, g in apex.items() if g.head_deg[:, 0].max() > 20} == {"FD2-L", "FD3-L"}
    assert {n for n, g in apex.items() if g.head_deg[:, 0].min() < -20} == {"FD2-R", "FD3-R"}


def test_same_seed_same_performance():
    assert np.array_equal(performance("FD1", 7).intended, performance("FD1", 7).intended)
    assert not np.array_equal(performance("FD1", 7).intended, performance("FD1", 8).intended)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"unit": "99"}, "no action unit '99'"),
        ({"intensity": [0.2, 1.2]}, "intensity 1.2"),
        ({"intensity": [0.9, 0.4]}, r"intensities 0\.9 > 0\.4"),
        ({"side": "left", "unit": "25"}, "not paired"),
        ({"apex": 0.1}, "0 < onset < apex <= offset < end"),
        ({"speed": 3}, r"unknown fields \['speed'\]"),
    ],
)
def test_bad_files_are_one_sentence(change, sentence):
    unit = {"unit": "12", "side": "both", "intensity": [0.5, 1.0], "onset": 0.2, "apex": 0.5,
            "offset": 1.0, "end": 1.5}  # fmt: skip
    row = {"format": 1, "name": "x", "licence": "CC0-1.0", "source": "-", "units": [unit | change]}
    with pytest.raises(AvatarError, match=sentence):
        expression.parse(row, "x.json")


def test_expression_without_licence_is_refused():
    with pytest.raises(AvatarError, match=r"x\.json: an expression needs a licence"):
        expression.parse({"format": 1, "name": "x", "licence": "", "units": []}, "x.json")


def test_expression_without_units_is_refused():
    with pytest.raises(AvatarError, match=r"x\.json: an expression needs \['source', 'units'\]"):
        expression.parse({"format": 1, "name": "x", "licence": "CC0-1.0"}, "x.json")


def test_unknown_name_points_to_the_nearest():
    with pytest.raises(AvatarError, match="nearest is 'FD3-L'"):
        expression.load("FD3L")


def test_too_short_clip_is_refused():
    with pytest.raises(AvatarError, match=r"last 1\.00 s and cut FD1"):
        performance("FD1", frames=8, fps=8)


def test_zero_frames_are_refused():
    with pytest.raises(AvatarError, match="at least 1 frame, got 0"):
        performance("neutral", frames=0)


def test_stills_are_performed_exactly():
    still = {"12": [0.7, 0.0], "25": [0.5, 0.5], "51": [1.0, 1.0], "57": [0.4, 0.4]}
    given = expression.hold([{}, still])
    assert not given.intended[0].any()
    assert given.intended[1, ROWS.index("12")].tolist() == [0.7, 0.0]
    assert given.intended[1, ROWS.index("25")].tolist() == [0.5, 0.5]
    assert given.head_deg[1].tolist() == [38.0, 0.0, 0.0]
    assert given.shift_mm.tolist() == [0.0, pytest.approx(14.0)]
    assert not given.gaze_deg.any()


@pytest.mark.parametrize(
    ("still", "sentence"),
    [
        ({"99": [1, 1]}, "no action unit '99'"),
        ({"12": [0.5, 1.2]}, r"intensity 1\.2"),
        ({"25": [1, 0]}, "25 is not paired and takes no side"),
        ({"51": [1, 0]}, "51 is not paired"),
    ],
)
def test_impossible_stills_are_refused(still, sentence):
    with pytest.raises(AvatarError, match=sentence):
        expression.hold([still])


def test_an_expression_is_told_in_words():
    assert expression.load("smiling").in_words == "Duchenne smile"
    assert expression.load("happiness").in_words == "cheek raiser, lip corner puller"
    assert all(expression.load(name).in_words for name in expression.names())
