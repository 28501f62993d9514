"""Who wears which hair."""

import dataclasses

import numpy as np
import pytest

from avatars import hairface, hairwear
from avatars.hairface import BEARDS
from avatars.hairstyles import STYLES
from avatars.identity import ETHNICITIES, SEXES

AGES = (20, 50, 80)


def draws(sex, group, age, count=60):
    rng = np.random.default_rng(11)
    return [hairwear.draw(sex, group, age, rng) for _ in range(count)]


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize("group", ETHNICITIES)
def test_every_group_draws_known_styles_and_more_than_two(sex, group):
    for age in AGES:
        found = draws(sex, group, age)
        styles = {row["hair"] for row in found}
        assert len(styles) > 2
        assert styles <= set(STYLES)
        assert {row["beard"] for row in found} <= set(BEARDS)


def test_all_styles_and_beards_are_worn_by_somebody():
    found = [row for s in SEXES for g in ETHNICITIES for a in AGES for row in draws(s, g, a, 200)]
    assert {row["hair"] for row in found} == set(STYLES)
    assert {row["beard"] for row in found} == set(BEARDS)


def test_coily_hair_is_african_and_beards_are_mens():
    for group in ("asian", "caucasian"):
        assert all(row["hair"] != "coily" for sex in SEXES for row in draws(sex, group, 30))
    assert {row["beard"] for row in draws("female", "african", 30)} == {"none"}


def test_hair_greys_and_thins_with_age():
    young, old = draws("male", "asian", 20), draws("male", "asian", 85)
    assert np.mean([row["hair_grey"] for row in young]) < 0.1
    assert np.mean([row["hair_grey"] for row in old]) > 0.8
    for field in ("hairline", "hair_density"):
        means = [np.mean([row[field] for row in rows]) for rows in (young, old)]
        assert (means[1] > means[0]) == (field == "hairline")


def test_young_people_are_not_balding():
    assert all(row["hair"] != "balding" for row in draws("male", "caucasian", 30, 200))


def test_a_brow_lies_where_its_numbers_say(identity):
    flat = {"thickness": 1.0, "height": 0.0, "arch": 0.0, "slant": 0.0, "apart": 0.0}

    def middle(**changed):
        worn = hairface.brow(dataclasses.replace(identity, brow=flat | changed))
        return np.mean([worn.top, worn.bottom], axis=0), worn

    (across, down), plain = middle()
    assert np.allclose(middle(height=2.0)[0][1], down - 2.0)
    assert np.allclose(middle(apart=1.5)[0][0], across + 1.5)
    slanted = middle(slant=-2.0)[0][1] - down
    assert np.allclose(slanted[[0, -1]], [-1.0, 1.0])  # the head up, the tail down
    arched = middle(arch=2.0)[0][1] - down
    assert arched.argmin() == np.abs(across - 42).argmin()
    assert arched.min() < -1.5
    thick = middle(thickness=1.5)[1]
    assert np.allclose(np.subtract(thick.bottom[1], thick.top[1]),
                       1.5 * np.subtract(plain.bottom[1], plain.top[1]))  # fmt: skip
