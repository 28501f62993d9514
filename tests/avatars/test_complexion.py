import dataclasses

import numpy as np
import pytest

from avatars import complexion, landmarks, signs
from avatars.crease_lines import SIZE
from avatars.errors import AvatarError


@pytest.fixture(scope="module")
def place(person):
    return complexion.regions(person.base)


@pytest.fixture(scope="module")
def skin(identity, place):
    return complexion.paint(identity, place)


def at(picture, place, region):
    """Mean of a picture over a region."""
    weight = getattr(place, region)
    return np.tensordot(weight, picture, axes=([0, 1], [0, 1])) / weight.sum()


def test_complexion_is_the_persons_own_and_repeats(identity, place, skin):
    assert skin.shape == (SIZE, SIZE, 4)
    assert skin.dtype == np.float32
    assert np.array_equal(skin, complexion.paint(identity, place))
    other = dataclasses.replace(identity, age=identity.age + 1)
    assert not np.array_equal(skin, complexion.paint(other, place))


def test_it_changes_the_mean_colour_little_and_ends_at_its_border(skin):
    assert np.allclose(skin[..., :3].mean(axis=(0, 1)), 1.0, atol=0.06)
    assert np.allclose(skin[0, :, :3], 1.0, atol=0.03)
    assert skin[..., 3].min() >= complexion.WET - 1e-6


def test_regions_lie_where_the_landmarks_are(person, place):
    across, down = (axis.ravel() for axis in complexion._grid())
    marks = complexion._marks(person.base)
    row = lambda mark: int(np.abs(across - mark[0]).argmin())  # noqa: E731
    column = lambda mark: int(np.abs(down - mark[1]).argmin())  # noqa: E731
    lip, tip = marks[[51, 57]].mean(axis=0), marks[30]
    assert place.lips[row(lip), column(lip)] > 0.9
    assert place.lips[row(tip), column(tip)] < 0.05
    assert place.nose[row(tip), column(tip)] > 0.9
    assert len(marks) == landmarks.COUNT


def test_no_sign_changes_nothing(skin, place):
    assert np.allclose(signs.paint(skin, {}, place), skin)
    assert np.allclose(signs.whole({}), 1)
    assert signs.saturation({}) == 1


@pytest.mark.parametrize("name", signs.SIGNS)
def test_each_sign_grows_with_its_value(name, skin, place):
    def away(value):
        painted = signs.paint(skin, {name: value}, place)
        whole = signs.whole({name: value}) - 1
        return np.abs(painted - skin).sum() + SIZE**2 * np.abs(whole).sum()

    assert 0 == away(0.0) < away(0.3) < away(0.6) < away(1.0)


def test_signs_are_where_bedside_books_say(skin, place):
    painted = {name: signs.paint(skin, {name: 1.0}, place) / skin for name in signs.SIGNS}
    blue = at(painted["cyanosis"], place, "lips")
    assert blue[2] > 0.95 > 0.7 > blue[0]
    assert at(painted["flush"], place, "cheeks")[1] < 0.85
    assert at(painted["dark_rings"], place, "below_eyes")[:3].max() < 0.8
    assert at(painted["sweat"], place, "forehead")[3] < 0.6
    assert np.allclose(at(painted["sweat"], place, "forehead")[:3], 1)


def test_albedo_tells_dark_from_light_skin(identity, assets):
    dark, light = (
        complexion.albedo(assets.skin(f"young_{group}_male"), identity)
        for group in ("african", "caucasian")
    )
    assert 0.02 < dark < 0.25 * light < 0.2


def test_unknown_sign_and_value_are_refused():
    with pytest.raises(AvatarError, match="no sign 'palor'; the nearest is 'pallor'"):
        signs.check({"palor": 0.5})
    with pytest.raises(AvatarError, match=r"sweat is 1.2; a sign must be in \[0, 1\]"):
        signs.check({"sweat": 1.2})


def test_a_cast_keeps_the_light_and_takes_redness_away(assets, identity):
    plain = dataclasses.replace(identity, warmth=0.0)
    luma = np.array([0.2126, 0.7152, 0.0722])
    for name in ("old_asian_male", "middleage_african_female", "young_caucasian_male"):
        texture = assets.skin(name)
        skin = np.array(complexion._texture(texture))
        worn = skin * complexion.cast(texture, plain)
        assert np.isclose(worn @ luma, skin @ luma)
        assert worn[0] / worn[2] <= 1.02 * skin[0] / skin[2]


def test_warmth_goes_from_rosy_to_golden(assets, identity):
    casts = [
        complexion.cast(assets.skin(identity.skin), dataclasses.replace(identity, warmth=warmth))
        for warmth in (-1.0, 0.0, 1.0)
    ]
    yellow = [cast[1] / cast[2] for cast in casts]
    assert yellow[0] < yellow[1] < yellow[2]


def test_womens_lips_are_darker(identity, place):
    sexes = [dataclasses.replace(identity, sex=sex) for sex in ("female", "male")]
    her, him = (complexion.paint(one, place) for one in sexes)
    assert at(her, place, "lips")[1] < at(him, place, "lips")[1] - 0.05
