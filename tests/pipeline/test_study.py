import copy
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StudyError
from pipeline.study import Input, Study, parse_study, read_study
from pipeline.task import Selection, Task

SMALL = {
    "name": "small",
    "title": "Small",
    "question": "Is it weak?",
    "cohorts": {"first": 3, "second": 2},
    "arms": [
        {"label": "calm", "cohorts": ["first"], "expressions": ["smiling"], "repeats": 2},
        {"label": "weak-L", "cohorts": ["first", "second"], "expressions": ["smiling", "blink"]},
        {"label": "weak-R", "cohorts": ["second"], "expressions": ["smiling"]},
    ],
    "mirror": {"weak-L": "weak-R"},
    "tasks": {"all": {}, "weak": {"positive": ["weak-L", "weak-R"]}},
    "protocols": {
        "half": {"unit": "clip", "together": "person", "test": 0.5, "leaky": False},
        "folds": {"unit": "clip", "together": "person", "folds": 2, "repeats": 3, "leaky": False},
    },
    "models": {"convlstm": {}, "cnn3d": {"tasks": ["weak"]}},
}


def small(**changes) -> Study:
    return parse_study(copy.deepcopy(SMALL) | changes, "small")


def refused(**changes) -> str:
    with pytest.raises(StudyError) as caught:
        small(**changes)
    return str(caught.value)


def test_people_are_numbered_through_the_cohorts():
    study = small()
    assert (study.numbers("first"), study.numbers("second")) == (range(3), range(3, 5))
    assert (study.people, study.labels) == (5, ["calm", "weak-L", "weak-R"])
    with pytest.raises(StudyError, match="there is no cohort 'third'"):
        study.numbers("third")


def test_planned_clips_count_people_expressions_repeats_and_portraits():
    assert small().planned_clips == 3 * 2 + 5 * 2 + 2
    assert small(portraits=4).planned_clips == 3 * 2 + 5 * 2 + 2 + 4


def test_every_task_is_asked_of_its_models_under_every_protocol():
    assert small().trials() == [
        ("all", "convlstm", "half"), ("all", "convlstm", "folds"),
        ("weak", "convlstm", "half"), ("weak", "convlstm", "folds"),
        ("weak", "cnn3d", "half"), ("weak", "cnn3d", "folds"),
    ]  # fmt: skip


def test_repeated_folds_are_draws_of_one_protocol():
    draws = small().draws()
    assert draws == [("half", "half"), *(("folds", f"folds-{n}") for n in range(1, 7))]


def test_a_task_without_more_asks_for_the_label():
    assert Task().class_of("calm", {}) == "calm"
    assert Task(among=Selection(labels=["weak"])).class_of("calm", {}) is None


def test_a_range_of_a_target_includes_both_ends():
    task = Task.model_validate({"among": "weak", "positive": {"severity": [0.5, 1]}})
    said = [task.class_of("weak", {"severity": s}) for s in (0.499, 0.5, 1.0)]
    assert said == ["negative", "positive", "positive"]
    assert task.class_of("weak", {}) == "negative"  # a clip without the target is not in the range
    assert task.class_of("calm", {"severity": 0.7}) is None


def test_the_first_class_that_holds_decides():
    classes = {"mild": {"severity": [0, 0.5]}, "any": ["weak"], "rest": {"labels": ["calm"]}}
    task = Task.model_validate({"classes": classes})
    assert task.class_of("weak", {"severity": 0.2}) == "mild"
    assert task.class_of("weak", {"severity": 0.9}) == "any"
    assert task.class_of("calm", {}) == "rest"
    assert task.class_of("odd", {}) is None


@given(st.floats(0, 1), st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_labels_and_targets_must_both_hold(severity, ends):
    choice = Selection.model_validate({"labels": ["weak"], "targets": {"severity": ends}})
    assert choice.holds("weak", {"severity": severity}) == (ends[0] <= severity <= ends[1])
    assert not choice.holds("calm", {"severity": severity})


def test_a_mirror_is_said_in_one_direction():
    study = small()
    assert [study.mirrored(label) for label in study.labels] == ["calm", "weak-R", "weak-L"]
    assert study.mirror_of("all") == {"calm": "calm", "weak-L": "weak-R", "weak-R": "weak-L"}
    assert study.mirror_of("weak") == {"negative": "negative", "positive": "positive"}


def test_a_class_whose_mirror_image_is_two_classes_is_not_mirrored():
    split = small(tasks={"left": {"positive": ["weak-L"]}})
    assert split.mirror_of("left") == {"positive": "negative"}
    gone = small(tasks={"left": {"among": ["calm", "weak-L"]}})
    assert gone.mirror_of("left") == {"calm": "calm"}


def test_a_class_of_a_target_is_mirrored_only_where_every_label_is_its_own_image():
    task = {"depth": {"positive": {"severity": [0.5, 1]}}}
    assert small(tasks=task).mirror_of("depth") == {}
    assert small(tasks=task, mirror={}).mirror_of("depth") == {
        "negative": "negative", "positive": "positive",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"test": 0.5, "folds": 2}, "give one of test, folds, test_cohorts, counts; got"),
        ({}, "give one of test, folds, test_cohorts, counts; got none"),
        ({"test": 0.5, "together": "clip"}, "a person may stand on both sides: set leaky to true"),
        ({"folds": 2, "together": "nothing"}, "a person may stand on both sides"),
        ({"test": 1.5}, "less than 1"),
        ({"folds": 1}, "greater than or equal to 2"),
        ({"tset": 0.5}, "unknown parameter 'protocols.p.tset'; the nearest is 'test'"),
    ],
)
def test_a_protocol_says_one_way_and_what_it_leaks(rules, says):
    given = {"unit": "clip", "together": "person", "leaky": False} | rules
    assert says in refused(protocols={"p": given})


def test_a_leaky_protocol_may_hold_nothing_together():
    rules = {"unit": "window", "together": "nothing", "leaky": True, "test": 0.2}
    assert small(protocols={"p": rules}).protocols["p"].draws("p") == ["p"]


@pytest.mark.parametrize("severity", [1.2, -0.1, [0.9, 0.1], [0, 2]])
def test_a_severity_lies_in_its_range(severity):
    arm = SMALL["arms"][0] | {"conditions": [{"kind": "palsy", "severity": severity}]}
    assert "severity must lie in [0, 1], low before high" in refused(arms=[arm])


def test_the_main_studys_file_is_read_as_it_is_written(tmp_path):
    (tmp_path / "study.yaml").write_text("name: [")
    with pytest.raises(StudyError, match=r"study\.yaml is not YAML"):
        read_study(tmp_path / "study.yaml")
    with pytest.raises(StudyError, match=r"none\.yaml is missing; docs/add-a-study\.md"):
        read_study(tmp_path / "none.yaml")
    (tmp_path / "study.yaml").write_text("- 1\n")
    with pytest.raises(StudyError, match="must hold sections, got list"):
        read_study(tmp_path / "study.yaml")


def test_an_input_is_single_pictures_or_windows_of_whole_blocks():
    assert Input(frames=1).frames == 1
    assert "multiple of 16" in refused(input={"size": 50})
    assert "'input.channels'" in refused(input={"channels": 2})


def filmed_from(*cameras):
    arm = SMALL["arms"][0] | {"cameras": list(cameras)}
    return {"arms": [arm, *SMALL["arms"][1:]]}


def test_cameras_are_named_fixed_or_ranges_and_counted():
    study = small(**filmed_from("half-right", {"azimuth": 30}, {"elevation": [-5, 20]}))
    cameras = study.arms[0].cameras
    assert [(c.azimuth, c.elevation) for c in cameras] == [(-45, 0), (30, 0), (0, (-5, 20))]
    assert study.planned_clips == 3 * 2 * 3 + 5 * 2 + 2


@pytest.mark.parametrize(
    ("camera", "sentence"),
    [
        ({"azimuth": 120}, "a camera at azimuth 120 degrees sees too little of a face; use -90"),
        ({"elevation": [-30, 0]}, "a camera at elevation -30 degrees .* use -20 to 20"),
        ({"azimuth": [40, -40]}, "a range goes from low to high, got 40 to -40"),
        ("half-lift", "there is no camera 'half-lift'; the nearest is 'half-left'"),
    ],
)
def test_impossible_cameras_are_one_sentence(camera, sentence):
    said = refused(**filmed_from(camera))
    assert "arms.0.cameras.0" in said
    assert re.search(sentence, said)


def put(root, name, values):
    folder = root / "studies" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(yaml.safe_dump(values))
    return folder / "study.yaml"


def test_a_study_is_laid_over_the_one_that_it_is_like(tmp_path):
    put(tmp_path, "small", SMALL)
    own = {"name": "other", "like": "small", "cohorts": {"second": 9}, "mirror": {},
           "arms": [{"label": "calm", "cohorts": ["first"], "expressions": ["blink"]}]}  # fmt: skip
    study = read_study(put(tmp_path, "other", own))
    assert (study.name, study.title) == ("other", "Small")
    assert study.cohorts == {"first": 3, "second": 9}
    assert [arm.expressions for arm in study.arms] == [["blink"]]
    assert study.protocols == small().protocols


def test_a_study_is_like_one_other_study(tmp_path):
    put(tmp_path, "small", SMALL)
    for like, sentence in (
        ("smal", "like is 'smal', but there is no such study; the nearest is 'small'"),
        ("other", "like is 'other', the study itself; name another one"),
        (["small"], "there is no such study"),
    ):
        path = put(tmp_path, "other", {"name": "other", "like": like})
        with pytest.raises(StudyError, match=re.escape(sentence)):
            read_study(path)
    put(tmp_path, "other", {"name": "other", "like": "small"})
    third = put(tmp_path, "third", {"name": "third", "like": "other"})
    with pytest.raises(StudyError, match="'other', which is itself like 'small'; name that one"):
        read_study(third)
