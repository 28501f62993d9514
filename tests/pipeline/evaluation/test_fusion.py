import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.fusion import MOST, RIGHT, fused, sentiment

LEXICON = {"happy": 3, "sad": -2, "good": 3, "no": -1, "some kind": 0, "fine": 2, "okay": 0}
LABELS = ["negative", "neutral", "other", "positive"]
shares = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(
    lambda values: np.array(values) / sum(values)
)


def test_a_text_without_known_words_says_nothing():
    found = sentiment("the table stands here", LEXICON)
    assert found.words == []
    assert set(found.moods.values()) == {1 / 3}


@pytest.mark.parametrize(
    ("text", "likeliest"),
    [("Happy, good!", "positive"), ("I am sad", "negative"), ("okay", "neutral"),
     ("I am not happy", "negative"), ("I don’t feel good", "negative"),
     ("not at all a happy day", "positive")],
)  # fmt: skip
def test_words_speak_by_their_valence_and_turn_after_a_not(text, likeliest):
    moods = sentiment(text, LEXICON).moods
    assert max(moods, key=lambda mood: moods[mood]) == likeliest


@given(shares)
def test_without_words_the_face_alone_counts(face):
    assert fused(LABELS, face, sentiment("", LEXICON)) == pytest.approx(face)


@given(shares, st.integers(1, MOST))
def test_each_word_turns_the_odds_by_the_same_factor(face, count):
    after = fused(LABELS, face, sentiment("happy " * count, LEXICON))
    assert after.sum() == pytest.approx(1)
    odds = after[3] / after[0] / (face[3] / face[0])
    assert odds == pytest.approx((RIGHT / (1 - RIGHT)) ** count)
    assert after[2] / after[1] == pytest.approx(face[2] / face[1])


@given(shares, st.integers(MOST, 50))
def test_a_long_text_counts_no_more_than_its_most(face, count):
    most, more = (fused(LABELS, face, sentiment("sad " * n, LEXICON)) for n in (MOST, count))
    assert more == pytest.approx(most)


def test_words_for_and_against_leave_the_face_its_say():
    face = np.array([0.1, 0.2, 0.1, 0.6])
    after = fused(LABELS, face, sentiment("happy, but sad", LEXICON))
    assert after[3] / after[0] == pytest.approx(6)
