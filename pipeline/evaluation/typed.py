"""How much typed words help a face, as the face gets stiffer: mood against hypomimia.

What a person types is drawn, for the corpus holds no text. So the figures say what the fusion is
worth if texts are as good as drawn here, and nothing about how people write.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from pipeline.evaluation.fusion import PLAIN, Sentiment, fused, sentiment

WORDS = 4.0  # mean number of words with a known mood: a sentence or two
HONEST = 0.6  # share of them that are of the person's mood; the others are of any
BANDS = ((0.0, 0.0), (0.0, 0.3), (0.3, 0.6), (0.6, 1.0))  # of severity, above low up to high

Row = Mapping[str, Any]


def typed(mood: str, lexicon: Mapping[str, int], rng: np.random.Generator) -> Sentiment:
    """The answer of a drawn text of a person in `mood`; for `other` every word is of any mood."""
    sides = {
        "negative": [word for word, value in lexicon.items() if value <= -PLAIN],
        "positive": [word for word, value in lexicon.items() if value >= PLAIN],
    }
    chosen = []
    for _ in range(int(rng.poisson(WORDS))):
        honest = mood in sides and rng.random() < HONEST
        side = mood if honest else ("negative", "positive")[int(rng.integers(2))]
        chosen.append(str(rng.choice(sides[side])))
    return sentiment(", ".join(chosen), lexicon)


def by_severity(
    rows: Sequence[Row],
    severities: Sequence[float],
    lexicon: Mapping[str, int],
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Weighted F1 of the face alone and fused with drawn text, a row a band of severity.

    `rows` are predictions (`label`, `probabilities` by class), `severities` of their clips, 0
    where there is no condition. Bands without a row are left out.
    """
    labels = sorted(rows[0]["probabilities"])
    face = np.array([[row["probabilities"][name] for name in labels] for row in rows])
    texts = [typed(row["label"], lexicon, rng) for row in rows]
    both = np.stack([fused(labels, one, text) for one, text in zip(face, texts, strict=True)])
    truth = np.array([labels.index(row["label"]) for row in rows])
    severity = np.asarray(severities)
    found = []
    for low, high in BANDS:
        inside = severity == 0 if high == 0 else (severity > low) & (severity <= high)
        if inside.any():
            figures = {
                name: round(_weighted_f1(truth[inside], said[inside]), 6)
                for name, said in (("face", face), ("fused", both))
            }
            found.append({"severity": [low, high], "n": int(inside.sum()), **figures})
    return found


def _weighted_f1(truth: np.ndarray, probabilities: np.ndarray) -> float:
    said = probabilities.argmax(1)
    return float(f1_score(truth, said, average="weighted", zero_division=0))
