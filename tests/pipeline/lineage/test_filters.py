"""The attributes that clips are found by: against the tables, and what is said of a wrong one."""

import json
import shutil
from contextlib import closing

import numpy as np
import pytest

from avatars.clip import ClipSpec, perform
from avatars.conditions import Condition, execute
from avatars.identity import Identity
from avatars.scene import Scene
from avatars.units import UNITS
from pipeline.errors import StageError
from pipeline.files import read_jsonl
from pipeline.lineage import measures
from pipeline.lineage.filters import choices, clause, find, meant
from pipeline.lineage.index import main_trial, open_index
from pipeline.workspace import Workspace


@pytest.fixture(scope="module")
def files(toy, tmp_path_factory):
    """The toy study with units in its truth, as a render writes them."""
    root = tmp_path_factory.mktemp("filters") / "toy"
    shutil.copytree(toy.workspace.root, root)
    files = Workspace(toy.study.name, root)
    for clip in toy.plan.clips:
        np.savez(files.clips / f"{clip.clip_id}.npz", units=list(UNITS), executed=executed(clip))
    return files


def executed(clip):
    """(T, U, 2) that the clip's face shows."""
    conditions = tuple(Condition.parse(row) for row in clip.conditions)
    spec = ClipSpec(
        Identity.parse(clip.identity), clip.expression, Scene.parse(clip.scene), clip.seed,
        clip.frames, clip.fps, clip.size, clip.samples, conditions,
    )  # fmt: skip
    return execute(conditions, perform(spec).intended, clip.fps).astype(np.float32)


@pytest.fixture(scope="module")
def index(files, toy, tmp_path_factory):
    with closing(open_index(files, toy.study, tmp_path_factory.mktemp("i") / "i.duckdb")) as made:
        yield made


def test_units_conditions_and_error_are_those_of_the_tables(index, files, toy):
    most = {clip.clip_id: executed(clip).max(axis=0) for clip in toy.plan.clips}
    most |= {row.clip_id: most[row.driving_clip_id] for row in toy.plan.transfers}
    lips = list(UNITS).index("15")
    left = sorted(name for name, peak in most.items() if peak[lips, 0] >= 0.3)
    assert 0 < len(left) < len(most)
    assert find(index, meant(index, {"unit": "15L=0.3:"})) == left
    either = sorted(name for name, peak in most.items() if peak[lips].max() >= 0.3)
    assert find(index, meant(index, {"unit": "15=0.3:"})) == either
    worst = sorted(c.clip_id for c in toy.plan.clips if c.targets.get("severity", 0) >= 0.8)
    assert find(index, meant(index, {"condition": "palsy", "severity": "0.8:"})) == worst
    task, model, protocol = main_trial(toy.study)
    draws = toy.study.protocols[protocol].draws(protocol)
    rows = [row for draw in draws for row in read_jsonl(files.answers(task, model, draw))]
    doubt = {}
    for row in rows:
        doubt.setdefault(row["clip_id"], []).append(1 - row["probabilities"][row["label"]])
    wrong = sorted(name for name, found in doubt.items() if np.mean(found) >= 0.5)
    assert find(index, meant(index, {"error": "0.5:"})) == wrong


def test_what_is_chosen_from_is_what_there_is(index, toy):
    found = choices(index)
    assert found["label"] == sorted(toy.study.labels)
    assert found["condition"] == ["palsy"]
    assert found["unit"][:3] == ["1", "2", "4"]
    assert set(found["tone"]) <= {"dark", "medium", "light"}
    assert found["reason"] == ["blurred"]
    both = find(index, {"band": found["band"][0], "kind": "avatar"})
    assert set(both) <= set(find(index, {"kind": "avatar"}))


def test_a_person_is_found_by_number_as_render_takes_it(index, toy):
    """`pallor render --identity 0`; the number is the first part of a clip's key."""
    clip = toy.plan.clips[0]
    number = clip.key.partition("/")[0]
    by_number = find(index, meant(index, {"identity": number}))
    assert by_number == find(index, {"identity": clip.person.identity_id})
    assert clip.clip_id in by_number


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"lable": "weak"}, "'lable' is no attribute of a clip; the nearest is 'label'"),
        ({"unit": "12"}, "'12' is no unit with a range; write 12=0.5:"),
        ({"unit": "99=0.5:"}, "'99' is no unit of this corpus"),
        ({"severity": "much"}, "'much' is no range"),
        ({"condition": "palsi"}, "'palsi' is no condition of this corpus; the nearest is 'palsy'"),
        ({"tone": "pale"}, "'pale' is no tone of this corpus"),
        ({"band": "old"}, "'old' is no band of age"),
        ({"identity": "99"}, "no clip is of person 99; this corpus has avatars from 0 to"),
    ],
)
def test_a_wrong_one_is_one_sentence(index, asked, sentence):
    with pytest.raises(StageError, match=sentence):
        clause(meant(index, asked))


def test_what_was_measured_is_not_measured_again(files, toy, tmp_path, monkeypatch):
    path = tmp_path / "i.duckdb"
    open_index(files, toy.study, path).close()
    opened = []
    monkeypatch.setattr(measures, "_peaks", lambda at: opened.append(at.name) or [])
    changed = toy.plan.clips[0].clip_id
    truth = files.clips / f"{changed}.npz"
    np.savez(truth, units=["1"], executed=np.ones((2, 1, 2)))
    study = toy.study.model_copy(update={"title": json.dumps("other")})
    open_index(files, study, path).close()
    assert opened == [truth.name]
