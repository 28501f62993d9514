"""Who wears which hair."""

import numpy as np
import pytest

from avatars import hairwear
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
