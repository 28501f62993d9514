"""Late fusion of what a face and typed words say of a mood; web/app/fusion.js does the same.

The published system (MEAA) fuses both because rigid faces carry little mood; its rule is not
published. Ours is Bayes' rule: the face's answer is the belief before the words are read, and each
word is evidence of its own. Words are looked up in AFINN-165 (Nielsen 2011, arXiv:1103.2903).
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
MOODS = ("negative", "neutral", "positive")
RIGHT = 0.7  # share of a person's words that are of the person's mood; people also write of others
MOST = 5  # words that count: those of one text repeat each other


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
    counts = [
        int((values <= -PLAIN).sum()),
        int((np.abs(values) < PLAIN).sum()),
        int((values >= PLAIN).sum()),
    ]
    return Sentiment([word for word, _ in found], _moods(counts))


def fused(labels: Sequence[str], face: np.ndarray, text: Sentiment) -> np.ndarray:
    """(classes,) probabilities of a face, `face` (classes,), once the words are read.

    A class that words cannot name, such as `other`, goes with words as a neutral person does.
    """
    said = np.array([text.moods.get(label, text.moods["neutral"]) for label in labels])
    pooled = face * said
    return np.asarray(pooled / pooled.sum())


def _moods(counts: Sequence[int]) -> dict[str, float]:
    """What numbers of negative, neutral and positive words say, all moods alike before them."""
    wrong = 1 - RIGHT
    likelihood = np.array([  # a row a mood: of words of each kind; a neutral person writes both
        [RIGHT, wrong, wrong],
        [0.5, RIGHT, 0.5],
        [wrong, wrong, RIGHT],
    ])  # fmt: skip
    share = min(1.0, MOST / max(1, sum(counts)))
    moods = np.exp(share * np.log(likelihood) @ np.array(counts))
    return dict(zip(MOODS, (moods / moods.sum()).tolist(), strict=True))
