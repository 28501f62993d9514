"""Late fusion of what a face and typed words say of a mood; web/app/fusion.js does the same.

The published system (MEAA) fuses both because rigid faces carry little mood; its rule is not
published. Ours is a logarithmic pool (Genest & Zidek 1986, Stat Sci 1:114-135), and words are
looked up in AFINN-165 (Nielsen 2011, arXiv:1103.2903).
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

REVERSE = frozenset(
    ["not", "no", "never", "cannot", "can't", "don't", "doesn't", "didn't", "isn't", "wasn't"]
)  # of the words that follow
REACH = 2  # words after one of REVERSE that it reverses
PLAIN = 1  # valence from which a word is more than neutral
MOST = 0.5  # share of the words at most: they are one voice of two
HALF = 4  # words of known mood at which they have half of that
LEAST = 1e-6  # of a probability: a zero would veto


class Sentiment(NamedTuple):
    """The words of known mood in a text, and its answer: mood > probability, sum 1."""

    words: list[str]
    moods: dict[str, float]


def sentiment(text: str, lexicon: Mapping[str, int]) -> Sentiment:
    """What a text says of a mood; `lexicon` is word > valence from -5 to 5."""
    words = [word.replace("’", "'") for word in re.findall(r"[a-z][a-z'’-]*", text.lower())]
    found = []
    for place, word in enumerate(words):
        if word in lexicon and word not in REVERSE:
            reversed_ = not REVERSE.isdisjoint(words[max(0, place - REACH) : place])
            found.append((word, -lexicon[word] if reversed_ else lexicon[word]))
    values = np.array([value for _, value in found])
    counts = {  # one of each beforehand: few words say little (Laplace)
        "negative": 1 + int((values <= -PLAIN).sum()),
        "neutral": 1 + int((np.abs(values) < PLAIN).sum()),
        "positive": 1 + int((values >= PLAIN).sum()),
    }
    total = sum(counts.values())
    return Sentiment([word for word, _ in found], {m: n / total for m, n in counts.items()})


def weight(words: int) -> float:
    """How much a text with so many words of known mood counts beside a face, 0 to MOST."""
    return MOST * words / (words + HALF)


def fused(labels: Sequence[str], face: np.ndarray, text: Sentiment) -> np.ndarray:
    """(classes,) probabilities of a face pooled with a text's answer.

    The words know nothing of classes beside theirs: there they agree with the face.
    """
    share = weight(len(text.words))
    known = np.array([label in text.moods for label in labels])
    said = np.array([text.moods.get(label, 0.0) for label in labels]) * face[known].sum()
    said = np.where(known, said, face)
    pooled = np.maximum(face, LEAST) ** (1 - share) * np.maximum(said, LEAST) ** share
    return np.asarray(pooled / pooled.sum())
