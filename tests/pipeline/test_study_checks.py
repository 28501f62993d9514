"""Bad study files: one clear sentence each, before anything is rendered."""

import copy
from pathlib import Path

import pytest
import yaml

from pipeline.corpus.plan import make_plan
from pipeline.errors import StudyError
from pipeline.params import Params
from pipeline.study import parse_study
from pipeline.study_checks import known_studies, open_study, problems
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
REGISTER = ROOT / "portraits" / "register.csv"
GOOD = {
    "name": "toy",
    "title": "Toy",
    "question": "Is it weak?",
    "cohorts": {"cast": 4, "others": 2},
    "arms": [
        {"label": "calm", "cohorts": ["cast", "others"], "expressions": ["neutral"]},
        {"label": "firm", "cohorts": ["cast", "others"], "expressions": ["smiling"]},
        {
            "label": "weak",
            "cohorts": ["cast", "others"],
            "expressions": ["smiling"],
            "conditions": [{"kind": "palsy", "severity": [0.2, 0.9]}],
        },
    ],
    "tasks": {
        "diagnosis": {"positive": ["weak"]},
        "severity": {"among": "weak", "positive": {"severity": [0.5, 1]}},
    },
    "protocols": {
        "half": {"unit": "clip", "together": "person", "test": 0.5, "leaky": False},
        "folds": {"unit": "clip", "together": "person", "folds": 3, "leaky": False},
        "unseen": {"unit": "clip", "together": "person", "test_cohorts": ["others"],
                   "leaky": False},
        "counted": {"unit": "person", "together": "person", "leaky": False,
                    "counts": {"train": 3, "validation": 1, "test": 1}},
    },
    "models": {"convlstm": {"parameters": {"hidden": 8}}, "framecnn": {}},
}  # fmt: skip
GONE = object()


def changed(path, value):
    """The good study with one key set to another value, or taken out."""
    values = copy.deepcopy(GOOD)
    *way, last = path.split("/")
    place = values
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place.setdefault(key, {})
    if value is GONE:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return values


def checked(root, values):
    """What `pallor plan` does before it draws: read, check, plan."""
    workspace = Workspace(values.get("name", "toy"), root)
    workspace.study_folder.mkdir(parents=True)
    workspace.study_file.write_text(yaml.safe_dump(values, sort_keys=False))
    return make_plan(open_study(workspace), Params(), REGISTER)


def test_the_good_study_is_planned(tmp_path):
    assert len(checked(tmp_path, GOOD)) == 18


# what is wrong > (key, its value, what the sentence says)
BAD = {
    "an unknown key": (
        "arms/0/lable", "calm",
        "unknown parameter 'arms.0.lable'; the nearest is 'label'",
    ),
    "a missing key": ("question", GONE, "'question' is missing"),
    "an unknown model": (
        "models/convlstmm", {},
        "there is no model 'convlstmm'; the nearest is 'convlstm'",
    ),
    "an unknown parameter of a model": (
        "models/convlstm/parameters/hiden", 8,
        "no parameter 'hiden'; the nearest is 'hidden'",
    ),
    "a model's parameter out of range": ("models/convlstm/parameters/hidden", -1, "convlstm: "),
    "an unknown training parameter": (
        "models/framecnn/train", {"epoch": 3},
        "unknown parameter 'epoch'; the nearest is 'epochs'",
    ),
    "an unknown parameter of the line": (
        "params", {"plan": {"frame": 3}},
        "unknown parameter 'plan.frame'; the nearest is 'frames'",
    ),
    "an unknown expression": (
        "arms/1/expressions", ["smilling"],
        "no expression 'smilling'; the nearest is 'smiling'",
    ),
    "an unknown condition": (
        "arms/2/conditions/0/kind", "palsi",
        "there is no condition 'palsi'; the nearest is 'palsy'",
    ),
    "an unknown cohort": (
        "arms/0/cohorts", ["casts"],
        "arms.0.cohorts names 'casts', which the study lacks; the nearest is 'cast'",
    ),
    "a label without clips": (
        "tasks/diagnosis/positive", ["weka"],
        "tasks.diagnosis names 'weka', which the study lacks; the nearest is 'weak'",
    ),
    "a class without clips": (
        "tasks/severity/positive", {"severity": [0.95, 1]},
        "tasks.severity: no clip to train on is 'positive'",
    ),
    "a class that only clips not trained on have": (
        "arms/2/trained", False,
        "tasks.diagnosis: no clip to train on is 'positive'",
    ),
    "one class alone": (
        "tasks/diagnosis", {"among": ["weak"]},
        "tasks.diagnosis has fewer than two classes",
    ),
    "an unknown target": (
        "tasks/severity/positive", {"severty": [0.5, 1]},
        "the target 'severty', which no clip has; the nearest is 'severity'",
    ),
    "a range upside down": (
        "tasks/severity/positive", {"severity": [0.9, 0.1]},
        "severity from 0.9 to 0.1; swap them",
    ),
    "a person in two arms, where a class is a person's": (
        "tasks/diagnosis/per", "person",
        "one person stands in two arms, negative as 0/neutral and positive as 0/smiling+palsy",
    ),
    "a dose that no clip has": (
        "tasks/diagnosis/dose", "severty",
        "tasks.diagnosis.dose is 'severty', which no clip has; the nearest is 'severity'",
    ),
    "a dose without two classes": (
        "tasks/grade", {"dose": "severity"},
        "tasks.grade.dose sets positive against negative; give `positive`",
    ),
    "an unknown part to hide": (
        "tasks/diagnosis/hide", ["nose"],
        "hide",
    ),
    "a threshold that the tested people chose": (
        "protocols/unseen/threshold_from", "folds",
        "which tests others as well; a threshold that the tested people chose is no test",
    ),
    "a threshold from nowhere": (
        "protocols/unseen/threshold_from", "fold",
        "protocols.unseen.threshold_from names 'fold', which the study lacks; the nearest",
    ),
    "a protocol of an unknown cohort": (
        "protocols/folds/cohorts", ["casts"],
        "protocols.folds.cohorts names 'casts', which the study lacks; the nearest is 'cast'",
    ),
    "an unknown network behind a model": (
        "models/framecnn/network", "resnet35",
        "there is no model 'resnet35'; the nearest is 'resnet34'",
    ),
    "a finding that is no class": (
        "tasks/diagnosis/detect", ["weak"],
        "tasks.diagnosis.detect names 'weak', which the study lacks; known: negative, positive",
    ),
    "an empty test side": (
        "protocols/half/test", 0.01,
        "protocols.half.test is 0.01 of 18 clips: its test side is empty",
    ),
    "an empty training side": (
        "protocols/half/test", 0.99,
        "protocols.half.test is 0.99 of 18 clips: its training side is empty",
    ),
    "folds that share a subject": (
        "protocols/folds/together", "clip",
        "it holds clip together, so a person may stand on both sides",
    ),
    "more folds than people": (
        "protocols/folds/folds", 7,
        "protocols.folds.folds is 7 for 6 people",
    ),
    "a held-out cohort of nobody": (
        "protocols/unseen/test_cohorts", ["other"],
        "protocols.unseen.test_cohorts names 'other', which the study lacks; the nearest "
        "is 'others'",
    ),
    "nobody left to train on": (
        "protocols/unseen/test_cohorts", ["cast", "others"],
        "protocols.unseen.test_cohorts leave nobody to train on",
    ),
    "a cohort that performs another arm": (
        "arms/2/cohorts", ["others"],
        "protocols.unseen.test_cohorts: tasks.diagnosis is taught ['negative'] but "
        "tested on ['negative', 'positive']",
    ),
    "counts larger than planned": (
        "protocols/counted/counts/train", 30,
        "protocols.counted.counts ask for 32 persons, 6 are planned",
    ),
    "more clips than planned": (
        "protocols/counted",
        {"unit": "clip", "together": "person", "leaky": False,
         "counts": {"train": 90, "validation": 1, "test": 1}},
        "counts ask for 92 clips, 18 are planned",
    ),
    "a mirror to no label": (
        "mirror", {"weak": "weak-R"},
        "mirror names 'weak-R', which the study lacks; the nearest is 'weak'",
    ),
    "a mirror that does not come back": (
        "mirror", {"calm": "weak", "weak": "firm"},
        "mirror takes",
    ),
    "a circular reference": (
        "input", {"reference": "calm"},
        "its frames would be compared with themselves",
    ),
    "a reference to no label": (
        "input", {"reference": "relaxed"},
        "input.reference names 'relaxed', which the study lacks",
    ),
    "a window longer than a clip": (
        "input", {"frames": 17},
        "input.frames is 17 but a clip has 16 frames",
    ),
    "a claim about no task": (
        "published",
        {"source": "x",
         "claims": [{"task": "diagnose", "protocol": "half", "figures": {"auc": 0.9}}]},
        "published.claims.0.task names 'diagnose', which the study lacks; the nearest is "
        "'diagnosis'",
    ),
    "one clip in two arms": (
        "arms/1/conditions", GOOD["arms"][2]["conditions"],
        "the arms firm and weak plan the same clip (0/smiling+palsy:",
    ),
    "a task that no model answers": (
        "models", {"convlstm": {"tasks": ["diagnosis"]}},
        "tasks.severity is answered by no model; add it to a model's tasks, or take it out",
    ),
    "nothing trained": (
        "arms", [arm | {"trained": False} for arm in GOOD["arms"]],
        "every arm is trained: false, so every training side is empty",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("path", "value", "says"), BAD.values(), ids=BAD)
def test_a_bad_study_is_refused_in_one_sentence(tmp_path, path, value, says):
    with pytest.raises(StudyError) as caught:
        checked(tmp_path, changed(path, value))
    sentence = str(caught.value)
    assert says in sentence
    assert "study.yaml" in sentence
    assert "\n" not in sentence


def test_a_reference_needs_the_same_people(tmp_path):
    values = changed("input", {"reference": "calm"})
    values["tasks"] = {"diagnosis": {"among": ["firm", "weak"], "positive": ["weak"]}}
    values["arms"][0]["cohorts"] = ["cast"]
    found = list(problems(parse_study(values, "toy")))
    assert any("others performs 'firm' but not 'calm'" in problem for problem in found)
    values["arms"][0]["cohorts"] = ["cast", "others"]
    assert list(problems(parse_study(values, "toy"))) == []
    values["portraits"] = 2
    assert "set portraits to 0" in next(problems(parse_study(values, "toy")))


def test_a_study_that_is_not_there_names_the_nearest(tmp_path):
    checked(tmp_path, GOOD)
    assert known_studies(tmp_path) == ["toy"]
    with pytest.raises(StudyError, match="there is no study 'toys'; the nearest is 'toy'"):
        open_study(Workspace("toys", tmp_path))


def test_a_folder_and_its_study_have_one_name(tmp_path):
    workspace = Workspace("other", tmp_path)
    workspace.study_folder.mkdir(parents=True)
    workspace.study_file.write_text(yaml.safe_dump(GOOD))
    with pytest.raises(StudyError, match="name is 'toy', but its folder is 'other'"):
        open_study(workspace)


def test_the_committed_studies_are_sound():
    for name in known_studies(ROOT):
        assert open_study(Workspace(name, ROOT)).name == name
