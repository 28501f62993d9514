import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatars.conditions import KINDS, Condition, execute, house_brackmann
from avatars.errors import AvatarError
from avatars.units import UNITS

ROWS = {name: row for row, name in enumerate(UNITS)}
FPS = 8.0
LEFT, RIGHT = 0, 1


def held(*names, frames=16):
    units = np.zeros((frames, len(UNITS), 2))
    units[1:, [ROWS[name] for name in names]] = 0.9
    return units


def apex(kind, severity, *names, side="left"):
    return execute([Condition(kind, severity, side)], held(*names), FPS)[4]


@pytest.mark.parametrize("kind", KINDS)
def test_no_severity_changes_nothing(kind):
    units = held("12", "43", "1", "9")
    assert np.allclose(execute([Condition(kind, 0.0)], units, FPS), units)


@given(
    kinds=st.lists(st.sampled_from(sorted(KINDS)), max_size=3),
    severity=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_executed_units_stay_in_range_however_composed(kinds, severity, seed):
    units = np.random.default_rng(seed).random((6, len(UNITS), 2))
    executed = execute([Condition(kind, severity, "right") for kind in kinds], units, FPS)
    assert executed.min() >= 0
    assert executed.max() <= 1


def test_palsy_weakens_one_side_and_spares_the_jaw():
    units = apex("palsy", house_brackmann(4), "12", "26", "5", "43")
    assert units[ROWS["12"], LEFT] < 0.5 * units[ROWS["12"], RIGHT]
    assert units[ROWS["26"], LEFT] == units[ROWS["5"], LEFT] == 0.9
    assert units[ROWS["43"], LEFT] < units[ROWS["43"], RIGHT] == 0.9


def test_eye_closes_at_grade_three_and_face_droops_at_grade_six():
    assert apex("palsy", house_brackmann(3), "43")[ROWS["43"], LEFT] == 0.9
    assert execute([Condition("palsy", 1.0)], held(), FPS)[0, ROWS["15"], LEFT] == pytest.approx(
        0.3
    )


def test_synkinesis_closes_the_eye_of_the_smiling_side():
    units = apex("synkinesis", 1.0, "12")
    assert units[ROWS["7"], LEFT] > 0.3 > units[ROWS["7"], RIGHT] == 0
    assert units[ROWS["1"], LEFT] < units[ROWS["7"], LEFT]


def test_myasthenia_keeps_the_snarl_droops_the_lid_and_tires():
    executed = execute([Condition("myasthenia", 1.0)], held("12", "10"), FPS)
    assert executed[3, ROWS["12"], LEFT] < 0.5 * executed[3, ROWS["10"], LEFT]
    assert executed[3, ROWS["41"], LEFT] > executed[3, ROWS["41"], RIGHT] > 0
    assert executed[-1, ROWS["10"], LEFT] < executed[3, ROWS["10"], LEFT]


def test_hypomimia_is_small_and_slow():
    executed = execute([Condition("hypomimia", 0.8)], held("12"), FPS)[:, ROWS["12"], LEFT]
    assert executed.max() < 0.5
    assert executed[2] < 0.5 * executed.max()


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (Condition("gout", 0.5), "no condition 'gout'; known: palsy"),
        (Condition("palsy", 1.5), r"severity 1\.5; it must be in \[0, 1\]"),
        (Condition("palsy", 0.5, "both"), "side 'both'; use left or right"),
    ],
)
def test_bad_conditions_are_one_sentence(condition, sentence):
    with pytest.raises(AvatarError, match=sentence):
        execute([condition], held(), FPS)


def test_grade_outside_the_scale_is_refused():
    with pytest.raises(AvatarError, match="from 1 to 6, got 7"):
        house_brackmann(7)
