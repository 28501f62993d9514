import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.records import Partner, Sample
from pipeline.splits.validation import hold_out


def sample(number, group, origin=None, side="train", clip=None):
    return Sample(
        sample_id=f"sample-{number}", clip_id=f"clip-{number if clip is None else clip}", start=0,
        length=4, label="FD1", group=group, side=side, origin=origin,
    )  # fmt: skip


def partner_of(other):
    return Partner(sample_id=other.sample_id, clip_id=other.clip_id, start=0, share=0.5)


@st.composite
def tables(draw):
    groups = draw(st.lists(st.sampled_from("abcdef"), min_size=8, max_size=40))
    originals = [sample(number, group) for number, group in enumerate(groups)]
    copied = draw(st.lists(st.sampled_from(originals), max_size=20))
    copies = [
        sample(1000 + n, original.group, original.sample_id) for n, original in enumerate(copied)
    ]
    return [*originals, sample(5000, "tested", side="test"), *copies]


@given(tables(), st.integers(0, 2**63 - 1))
def test_nothing_validated_on_is_fitted_on(table, seed):
    fitted, held = hold_out(table, "nothing", 0.2, seed)
    known = {s.origin or s.sample_id for s in fitted}
    assert held
    assert not known & {s.sample_id for s in held}
    assert all(s.side == "train" for s in fitted + held)
    assert all(s.origin is None for s in held)


@pytest.mark.parametrize("together", ["person", "group"])
@given(tables(), st.integers(0, 2**63 - 1))
def test_people_held_together_stay_together(together, table, seed):
    if len({s.group for s in table if s.side == "train"}) < 2:
        return
    fitted, held = hold_out(table, together, 0.2, seed)
    assert held
    assert not {s.group for s in fitted} & {s.group for s in held}


def test_windows_of_a_clip_stay_together():
    table = [sample(n, "a", clip=n // 4) for n in range(24)]
    fitted, held = hold_out(table, "clip", 0.3, 3)
    assert not {s.clip_id for s in fitted} & {s.clip_id for s in held}
    assert len(held) == 8


@pytest.mark.parametrize("together", ["group", "nothing"])
def test_a_blend_with_what_is_validated_on_is_not_fitted_on(together):
    originals = [sample(number, group) for number, group in enumerate("abcdef")]
    blends = [
        sample(100 + n, one.group, one.sample_id).model_copy(update={"partner": partner_of(other)})
        for n, (one, other) in enumerate(itertools.permutations(originals, 2))
    ]
    fitted, held = hold_out(originals + blends, together, 0.2, 3)
    used = {s.origin for s in fitted} | {s.partner.sample_id for s in fitted if s.partner}
    assert len(held) == 1
    assert not used & {s.sample_id for s in held}
    assert len(fitted) == 5 + 5 * 4


def test_a_validation_side_is_taken_as_it_was_drawn():
    table = [sample(1, "a"), sample(2, "b", side="validation"), sample(3, "c", side="test")]
    assert hold_out(table, "group", 0.2, 3) == ([table[0]], [table[1]])


def test_one_group_cannot_be_held_out_of():
    with pytest.raises(StageError, match="the training side holds 1 groups, too few"):
        hold_out([sample(1, "a"), sample(2, "a")], "group", 0.1, 0)
