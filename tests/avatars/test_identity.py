from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatars.errors import AvatarError
from avatars.identity import AGE_BANDS, Identity, sample_identity, stratum


def people(seed, count):
    for number in range(count):
        order = np.random.default_rng(seed)
        yield sample_identity(number, order, np.random.default_rng([seed, number]))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 40))
def test_margins_are_within_one_of_even(seed, count):
    strata = [stratum(number, np.random.default_rng(seed)) for number in range(count)]
    for margin, kinds in zip(zip(*strata, strict=True), (2, 3, 3), strict=True):
        counts = Counter(margin)
        low = min(counts.values()) if len(counts) == kinds else 0
        assert max(counts.values()) - low <= 1


def test_eighteen_people_hold_every_combination_once():
    strata = {stratum(number, np.random.default_rng(9)) for number in range(18)}
    assert len(strata) == 18


def test_age_lies_in_the_band():
    for person in people(4, 18):
        assert any(low <= person.age <= high for low, high in AGE_BANDS)


def test_same_seed_same_person_and_another_number_shifts_nobody():
    first = list(people(3, 4))
    assert first == list(people(3, 6))[:4]


def test_row_survives_a_round_trip(identity):
    assert Identity.parse(identity.row()) == identity


def test_unknown_field_is_named(identity):
    with pytest.raises(AvatarError, match="shoe_size"):
        Identity.parse({**identity.row(), "shoe_size": 42})


def test_all_used_targets_exist(assets):
    from avatars.shape import macro_weights
    from avatars.targets import Targets

    targets = Targets(assets.targets())
    for person in people(1, 12):
        for name in {**macro_weights(person), **person.details}:
            assert name in targets, name
