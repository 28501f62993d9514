import json

import pytest

from pipeline.errors import StageError
from pipeline.facenets.train import HELD_OUT, train_facenets
from pipeline.faces.detect import choose_detector
from pipeline.params import FacenetParams

BRIEF = FacenetParams(
    identities=40, stills=1, blazeface_steps=2, blazeface_batch=2, fan_small_steps=1,
    fan_small_batch=1, fan_steps=1, fan_batch=1,
)  # fmt: skip


def test_the_set_loads_as_our_own_and_the_record_tells(stills, tmp_path):
    said = []
    out, state = tmp_path / "facenets", tmp_path / "state"
    record = train_facenets(stills, BRIEF, 5, out, state, say=said.append)
    assert json.loads((out / "record.json").read_text()) == record
    assert record["steps"] == {"blazeface": 2, "fan": 2}
    assert record["people"] == {"trained on": 4, "held out": HELD_OUT}
    assert record["held_out"]["all"]["frames"] == HELD_OUT
    assert choose_detector("own", own=out).load().find(stills.frames[0]).shape[1] == 4
    assert [line.split()[0] for line in said] == ["blazeface", "fan"]
    assert {path.name for path in state.iterdir()} == {"blazeface.pt", "fan.pt"}


def test_too_few_people(stills, tmp_path):
    few = stills.part(slice(None, 36))
    with pytest.raises(StageError, match="36 people are too few"):
        train_facenets(few, BRIEF, 5, tmp_path, tmp_path)
