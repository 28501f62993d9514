import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.fusion import MOST, fused, sentiment, weight

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


@given(shares, st.integers(1, 50))
def test_what_is_pooled_lies_between_face_and_words(face, count):
    text = sentiment("happy " * count, LEXICON)
    pooled = fused(LABELS, face, text)
    assert pooled.sum() == pytest.approx(1)
    assert weight(count) < MOST
    odds, of_face = pooled[3] / pooled[0], face[3] / face[0]
    of_text = text.moods["positive"] / text.moods["negative"]
    assert min(of_face, of_text) * 0.999 <= odds <= max(of_face, of_text) * 1.001
