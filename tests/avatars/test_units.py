import pytest

from avatars.errors import AvatarError
from avatars.units import require


@pytest.mark.parametrize(
    ("unit", "side", "intensity", "sentence"),
    [
        ("99", "both", 1.0, "there is no action unit '99'"),
        ("12", "both", 1.2, r"intensity 1.2; it must be in \[0, 1\]"),
        ("25", "left", 1.0, "25 is not paired and takes no side"),
        ("51", "right", 1.0, "51 is not paired"),
        ("12", "up", 1.0, "side 'up'; use left, right or both"),
    ],
)
def test_bad_units_are_one_sentence(unit, side, intensity, sentence):
    with pytest.raises(AvatarError, match=sentence):
        require(unit, side, intensity)
