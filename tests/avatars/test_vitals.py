import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avatars import vitals


@given(st.integers(0, 2**32 - 1))
def test_breath_and_pulse_stay_within_what_is_measured_on_people(seed):
    alive = vitals.course(3000, 25, np.random.default_rng(seed))
    assert alive.breath_mm.min() >= 0
    assert 0.35 < alive.breath_mm.max() < 1
    assert 0.002 < np.abs(alive.pulse[:, 1]).max() < 0.01
    assert (np.abs(alive.pulse[:, 1]) >= np.abs(alive.pulse[:, 0])).all()
    spectrum = np.abs(np.fft.rfft(alive.pulse[:, 1]))
    beats = 60 * 25 * spectrum.argmax() / 3000
    assert 59 < beats < 101
    spectrum = np.abs(np.fft.rfft(alive.breath_mm - alive.breath_mm.mean()))
    assert 11 < 60 * 25 * spectrum.argmax() / 3000 < 21


def test_one_seed_one_course_and_stillness_is_still():
    one, same, other = (
        vitals.course(8, 4, np.random.default_rng(seed)).breath_mm for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert not vitals.still(5).breath_mm.any()
    assert vitals.still(5).pulse.shape == (5, 3)
