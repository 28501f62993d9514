"""Frames as rows, and ARKit's coefficients from units."""

import numpy as np
import pytest

from avatars.units import UNITS
from pipeline.corpus.render import read_truth
from pipeline.errors import ClipError
from pipeline.exports import arkit
from pipeline.exports.frames import write_parquet
from pipeline.exports.tables import clip_rows

parquet = pytest.importorskip("pyarrow.parquet")


def truth(**units):
    """One frame; AU12_left=1 and so on, the rest at rest."""
    executed = np.zeros((1, len(UNITS), 2), np.float32)
    for name, value in units.items():
        unit, side = name[2:].split("_")
        executed[0, list(UNITS).index(unit), ("left", "right").index(side)] = value
    return {"units": np.array(list(UNITS)), "executed": executed, "gaze_deg": np.zeros((1, 2))}


def said(found):
    return {name: round(float(v), 2) for name, v in zip(arkit.NAMES, found[0], strict=True) if v}


def test_there_are_fifty_two_and_every_unit_moves_one():
    assert len(arkit.NAMES) == len(set(arkit.NAMES)) == 52
    for unit in UNITS:
        assert said(arkit.coefficients(truth(**{f"au{unit}_left": 1.0, f"au{unit}_right": 1.0})))


def test_sides_are_the_persons_own_and_sums_end_at_one():
    assert said(arkit.coefficients(truth(au12_left=0.8))) == {"mouthSmileLeft": 0.8}
    assert said(arkit.coefficients(truth(au4_right=0.9, au9_right=0.6))) == {
        "browDownRight": 1.0, "noseSneerRight": 0.6,
    }  # fmt: skip
    looking = truth() | {"gaze_deg": np.array([[15.0, -28.0]])}
    assert said(arkit.coefficients(looking)) == {
        "eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0, "eyeLookInRight": 0.5,
        "eyeLookOutLeft": 0.5,
    }  # fmt: skip


def test_a_truth_without_units_is_one_sentence():
    with pytest.raises(ClipError, match="lacks units, executed; render it again"):
        arkit.coefficients({"gaze_deg": np.zeros((1, 2))})


def test_frames_are_the_truths(source, tmp_path):
    write_parquet(source, tmp_path)
    table = parquet.read_table(tmp_path / "frames.parquet").to_pylist()
    track = next(track for track in source.tracks if track.kind == "avatar")
    found = read_truth(source.truth(track))
    mine = [row for row in table if row["clip_id"] == track.clip_id]
    assert [row["frame"] for row in mine] == list(range(len(found["executed"])))
    assert mine[2]["seconds"] == pytest.approx(2 / 8)
    row = list(UNITS).index("12")
    assert mine[1]["executed_12_right"] == found["executed"][1, row, 1]
    assert mine[3]["arkit_eyeLookOutLeft"] == 1.0
    clips = parquet.read_table(tmp_path / "clips.parquet").to_pylist()
    assert [row["clip_id"] for row in clips] == [row["clip_id"] for row in clip_rows(source)]
