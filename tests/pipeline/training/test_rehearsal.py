from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from fomm.config import MOTION_SIZE
from pipeline.corpus.plan import make_plan
from pipeline.errors import AssetError, ParamsError
from pipeline.params import FaceParams, PlanParams, parse_params
from pipeline.study import parse_study
from pipeline.training import rehearsal

ROOT = Path(__file__).parents[3]
REGISTER = ROOT / "portraits" / "register.csv"
MAIN = yaml.safe_load((ROOT / "studies" / "deterioration" / "study.yaml").read_text())
SMALL = MAIN | {"cohorts": {"cast": 6}, "portraits": 6}
CLEAN, LEAKY = MAIN["protocols"]["clean"], MAIN["protocols"]["published"]


def rehearse(study=None, **sections):
    given = {"plan": {"size": 64}, "faces": {"detector": "haar"}}
    params = parse_params({n: given.get(n, {}) | sections.get(n, {}) for n in given | sections})
    made = parse_study(SMALL | (study or {}), "study.yaml")
    rehearsal.rehearse(make_plan(made, params, REGISTER), made, params)


def test_a_plan_that_every_stage_can_use_passes():
    rehearse()
    rehearse({"cohorts": {"cast": 3}})


def test_it_knows_the_size_that_the_motion_model_takes():
    assert rehearsal.MOTION_SIZE == MOTION_SIZE


@pytest.mark.parametrize(
    ("study", "sections", "said"),
    [
        ({"cohorts": {"cast": 2}}, {}, "raise the study's cohorts"),
        ({}, {"plan": {"size": 100}}, "plan.size is 100.*multiples of 64"),
        ({}, {"plan": {"size": 4096, "frames": 100}}, "may have 79 at most"),
        ({"protocols": {"leaky": LEAKY | {"test": 0.001}}}, {}, "windows of 5 classes are too few"),
        ({"protocols": {"leaky": LEAKY | {"test": 0.999}}}, {}, "windows of 5 classes are too few"),
        ({"protocols": {"clean": CLEAN | {"test": 0.999}}}, {}, "too few to validate on; raise"),
        (
            {},
            {"train": {"validation_fraction": 0.999}},
            "which no clip that is trained on shows|too few",
        ),
        (
            {},
            {"oversample": {"method": "smote", "neighbours": 900}},
            "lower oversample.neighbours",
        ),
    ],
)
def test_what_a_later_stage_could_not_do_is_said_at_the_plan(study, sections, said):
    with pytest.raises(ParamsError, match=said):
        rehearse(study, **sections)


def test_a_detector_without_weights_is_told_before_anything_is_rendered(monkeypatch, tmp_path):
    monkeypatch.setenv("PALLOR_FACE_WEIGHTS", str(tmp_path))
    with pytest.raises(AssetError, match="its weights are not at hand"):
        rehearse(faces={"detector": "face-alignment"})


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (FaceParams, {"margin": float("inf")}),
        (PlanParams, {"fps": 2000}),
        (PlanParams, {"size": 30}),
    ],
)
def test_what_no_stage_can_use_is_out_of_range(section, values):
    with pytest.raises(ValidationError):
        section(**values)
