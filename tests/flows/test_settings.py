import re
import shutil
from pathlib import Path

import pytest
import yaml

from flows.settings import overridden, write_settings
from pipeline.errors import PallorError, ParamsError
from pipeline.params import load_params
from pipeline.study import read_study
from pipeline.workspace import MAIN, Workspace

ROOT = Path(__file__).parents[2]
BOTH = ("params.yaml", f"studies/{MAIN}/study.yaml")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A folder with the parameters and the main study."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / BOTH[1]).parent.mkdir(parents=True)
    shutil.copy(ROOT / BOTH[1], tmp_path / BOTH[1])
    return tmp_path


def texts(root):
    return [(root / name).read_text() for name in BOTH]


def test_an_override_is_checked_and_leaves_the_files_alone(clone):
    asked = ["study.cohorts.cast=6", "faces.detector=haar", "study.arms.0.repeats=2"]
    study, params = overridden(asked, Workspace())
    assert (study.people, study.arms[0].repeats, params.faces.detector) == (6, 2, "haar")
    assert texts(clone) == texts(ROOT)


def test_written_settings_keep_every_other_line(clone):
    write_settings(["study.cohorts.cast=6", "plan.reseed.3=1", "plan.frames=20"])
    assert load_params().plan.reseed == {3: 1}
    assert read_study(Path(BOTH[1])).people == 6
    for name in BOTH:
        before, after = ((root / name).read_text().splitlines() for root in (ROOT, clone))
        assert len(set(before) - set(after)) <= 2
        assert [line for line in after if line.startswith("#")] == [
            line for line in before if line.startswith("#")
        ]


def test_a_list_of_another_study_is_not_set_entry_by_entry(clone):
    folder = clone / "studies" / "child"
    folder.mkdir()
    (folder / "study.yaml").write_text(f"{{name: child, like: {MAIN}}}\n")
    study, _ = overridden(["study.cohorts.cast=6"], Workspace("child"))
    assert (study.name, study.people) == ("child", 6)
    with pytest.raises(ParamsError, match=f"'arms' of child is a list of the study {MAIN}"):
        overridden(["study.arms.0.repeats=2"], Workspace("child"))


def test_what_it_writes_dvc_reads_as_the_same_values(clone):
    write_settings(["train.learning_rate=1e-3", "render.samples=4"])
    assert yaml.safe_load(Path("params.yaml").read_text())["train"]["learning_rate"] == 0.001


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("plan.frams=6", "unknown parameter 'plan.frams'; the nearest is 'frames'"),
        ("plann.frames=6", "unknown parameter 'plann'; the nearest is 'plan'"),
        ("plan.frames=one", "'plan.frames' is 'one'"),
        ("plan.frames", "--set takes section.key=value"),
        ("seed.x=1", "'seed' holds one value"),
        ("faces.detector=[haar", "is not YAML"),
        ("study.cohort.cast=6", "unknown parameter 'cohort'; the nearest is 'cohorts'"),
        ("study.cohorts.cast=0", "'cohorts.cast' is 0"),
        ("study.arms.9.repeats=2", "there are entries 0 to 4, got '9'"),
        ("study.arms.0.cohorts=[crew]", "names 'crew', which the study lacks"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_writes_nothing(clone, assignment, sentence):
    with pytest.raises(PallorError, match=re.escape(sentence)) as caught:
        write_settings(["plan.frames=20", "study.portraits=6", assignment])
    assert "\n" not in str(caught.value)
    assert texts(clone) == texts(ROOT)


def test_a_parameter_that_the_study_sets_itself_is_set_there(clone):
    with (clone / BOTH[1]).open("a") as stream:
        stream.write("\nparams: {plan: {frames: 24}}\n")
    with pytest.raises(ParamsError, match=r"set study\.params\.plan\.frames instead"):
        write_settings(["plan.frames=20"])
    write_settings(["study.params.plan.frames=20"])
    assert overridden([], Workspace())[1].plan.frames == 20


def test_a_studys_key_is_of_one_study(clone):
    with pytest.raises(ParamsError, match="name one study with --study"):
        write_settings(["study.portraits=6"], [MAIN, "other"])
