"""What the outside judge keeps, on faces that are given; its networks are no part of the line."""

import json

import numpy as np
import outside_judge
import pytest
from judges import Face

from pipeline.records import Person
from pipeline.report.outside import outside_lines

SHAPES = ("mouthSmileLeft", "mouthSmileRight", "jawOpen")


def film(number, label):
    """Six frames of a person: one smiles on the left alone, one opens the jaw."""
    rng = np.random.default_rng(number)
    level = np.linspace(0, 1, 6)
    person = Person(
        identity_id=f"p{number % 8}", age=30.0 + 8 * (number % 8),
        sex=("female", "male")[number % 2], ethnicity="asian",
    )  # fmt: skip
    smile = label == "smile"
    held = (
        {"12": np.stack([level, 0 * level], axis=1)} if smile else {"26": np.stack([level] * 2, 1)}
    )
    faces = []
    for value in level:
        shapes = dict.fromkeys(SHAPES, 0.0) | {"mouthSmileLeft" if smile else "jawOpen": value}
        noisy = {name: float(x + rng.normal(0, 0.02)) for name, x in shapes.items()}
        faces.append(Face(noisy, np.zeros((478, 2))))
    shown = outside_judge.Film(person, np.zeros((6, 8, 8, 3), np.uint8), held, label)
    return outside_judge.Seen(shown, faces, None, None)


@pytest.fixture(scope="module")
def seen():
    return [film(n, ("smile", "open")[n // 8]) for n in range(16)]


def test_a_unit_is_told_side_by_side_and_by_group(seen):
    row = outside_judge.unit_row(seen, "26", 0.02)
    assert row["films"] == 8
    assert row["rises"] == 1
    assert min(row["rho_sides"]) > 0.9
    assert set(row["groups"]) == {"female", "male", "asian", "under 40", "40 to 59", "60+"}
    left, right = outside_judge.unit_row(seen, "12", 0.02) or ([None], [None])
    assert (left, right) == ([None], [None])  # held on one side alone: no film at its apex


def test_displays_are_told_from_its_outputs_alone(seen):
    found = outside_judge.displays(seen)
    assert found["accuracy"] == 1
    assert (found["n"], found["n_people"], found["classes"]) == (16, 8, 2)
    assert outside_judge.displays(seen[:4]) is None


def test_what_is_kept_is_what_the_report_tells(seen):
    rows = {"26": outside_judge.unit_row(seen, "26", 0.02)}
    rows["26"]["auc"][0] = float("nan")
    found = json.loads(json.dumps(outside_judge.kept(rows, {}, outside_judge.displays(seen))))
    assert found["units"]["26"]["auc"][0] is None
    said = "\n".join(outside_lines(found))
    assert "units that it cannot see: 6, 9, 14" in said
    assert "16 clips of 8 people it never met: 100 (100 to 100)" in said
    assert list(outside_lines(None)) == []
