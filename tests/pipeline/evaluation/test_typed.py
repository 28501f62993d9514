import numpy as np

from pipeline.evaluation.typed import by_severity, typed

LEXICON = {"good": 3, "lovely": 3, "fine": 2, "bad": -3, "awful": -3, "sad": -2, "okay": 0}
MOODS = ("negative", "neutral", "other", "positive")


def predictions(count, rng):
    """A face that says less and less of its mood as its severity rises."""
    rows, severities = [], []
    for _ in range(count):
        mood, severity = MOODS[int(rng.integers(4))], float(rng.uniform(0, 1))
        said = (1 - severity) * np.array([m == mood for m in MOODS]) + severity * rng.dirichlet(
            np.ones(4)
        )
        rows.append({"label": mood, "probabilities": dict(zip(MOODS, said, strict=True))})
        severities.append(severity)
    return rows, severities


def test_drawn_texts_lean_to_their_mood():
    rng = np.random.default_rng(2)
    lean = {
        mood: np.mean(
            [
                text.moods["positive"] - text.moods["negative"]
                for text in (typed(mood, LEXICON, rng) for _ in range(200))
            ]
        )
        for mood in MOODS
    }
    assert lean["positive"] > 0.15 > -0.15 > lean["negative"]
    assert abs(lean["neutral"]) < 0.1
    assert abs(lean["other"]) < 0.1


def test_words_help_most_where_the_face_says_least():
    rows, severities = predictions(600, np.random.default_rng(3))
    table = by_severity(rows, severities, LEXICON, np.random.default_rng(4))
    gains = [row["fused"] - row["face"] for row in table]
    assert [row["severity"] for row in table] == [[0.0, 0.3], [0.3, 0.6], [0.6, 1.0]]
    assert sum(row["n"] for row in table) == 600
    assert gains[-1] > 0
    assert gains[-1] > gains[0]


def test_same_draws_same_figures():
    rows, severities = predictions(50, np.random.default_rng(3))
    one, other = (
        by_severity(rows, severities, LEXICON, np.random.default_rng(4)) for _ in range(2)
    )
    assert one == other


def test_health_is_a_band_of_its_own():
    rows, _ = predictions(20, np.random.default_rng(3))
    (row,) = by_severity(rows, [0.0] * 20, LEXICON, np.random.default_rng(4))
    assert row["severity"] == [0.0, 0.0]
    assert row["n"] == 20
    assert 0 <= row["face"] <= 1
