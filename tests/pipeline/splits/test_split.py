from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.params import SplitParams
from pipeline.records import FaceTrack, Person
from pipeline.splits.split import split

DISPLAYS = ["FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R"]


def clips(identities=12, frames=16):
    tracks = []
    for number in range(identities):
        person = Person(identity_id=f"id-{number:02}", age=50, sex="male", ethnicity="asian")
        tracks += [
            FaceTrack(
                clip_id=f"clip-{number:02}-{label}", kind="avatar", label=label,
                identity_id=person.identity_id, portrait_id=None, driving_clip_id=label,
                person=person, detector="haar", boxes=[[0, 0, 9, 9]] * frames,
            ).model_copy(update={"driving_clip_id": f"clip-{number:02}-{label}"})
            for label in DISPLAYS
        ]  # fmt: skip
    return tracks


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**62), st.integers(4, 16), st.integers(1, 8), st.integers(7, 9))
def test_both_protocols_hold_the_same_windows_once(seed, window, stride, identities):
    params = SplitParams(window=window, stride=stride)
    splits = split(clips(identities), params, seed)
    keys = {p: [(s.sample_id, s.clip_id, s.start) for s in rows] for p, rows in splits.items()}
    assert keys["published"] == keys["clean"]
    assert len(set(keys["clean"])) == len(keys["clean"])
    assert len(keys["clean"]) == 5 * identities * len(range(0, 16 - window + 1, stride))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**62), st.integers(2, 8))
def test_clean_shares_no_group_and_fills_both_sides(seed, identities):
    rows = split(clips(identities), SplitParams(), seed)["clean"]
    train, test = ({s.group for s in rows if s.side == side} for side in ("train", "test"))
    assert train
    assert test
    assert not train & test


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**62))
def test_published_is_stratified_over_windows(seed):
    rows = split(clips(), SplitParams(), seed)["published"]
    counts = Counter(s.label for s in rows if s.side == "test")
    assert sum(counts.values()) == 81  # 15 % of 540
    assert set(counts.values()) <= {16, 17}


def test_windows_fit_their_clip():
    for sample in split(clips(), SplitParams(stride=3), 1)["clean"]:
        assert sample.start % 3 == 0
        assert 0 <= sample.start <= 16 - sample.length


def test_same_seed_same_rows_whatever_the_order_of_clips():
    assert split(clips()[::-1], SplitParams(), 5) == split(clips(), SplitParams(), 5)
    assert split(clips(), SplitParams(), 6) != split(clips(), SplitParams(), 5)


@pytest.mark.parametrize(
    ("tracks", "says"),
    [
        ([], "no clip was kept"),
        (clips(1), "two unrelated groups"),
        (clips(frames=6), "has only 6"),
        (clips(2, frames=8)[:6], "too few to split"),
    ],
)
def test_too_little_is_said_in_one_sentence(tracks, says):
    with pytest.raises(StageError, match=says):
        split(tracks, SplitParams(), 0)
