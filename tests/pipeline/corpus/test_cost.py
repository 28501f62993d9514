from pathlib import Path

import pytest

from pipeline.corpus.cost import START, Cost, estimate
from pipeline.corpus.plan import make_plan
from pipeline.params import parse_params
from pipeline.study import read_study

ROOT = Path(__file__).parents[3]
MAIN = read_study(ROOT / "studies" / "deterioration" / "study.yaml")


def study_of(people=5, **changes):
    cohorts = dict.fromkeys(MAIN.cohorts, people)
    return MAIN.model_copy(update={"cohorts": cohorts, "portraits": 4, **changes})


def cost_of(study, **plan):
    params = parse_params({"plan": plan})
    return estimate(make_plan(study, params, ROOT / "portraits" / "register.csv"), study, params)


def test_twice_the_people_cost_twice_the_rendering():
    few, many = cost_of(study_of(10)), cost_of(study_of(20))
    assert many.seconds["render"] == pytest.approx(2 * few.seconds["render"])
    assert many.disk > few.disk


def test_twice_the_side_costs_four_times_the_pixels():
    small, large = cost_of(study_of()), cost_of(study_of(), size=256)
    assert 3 < large.disk / small.disk < 4  # the crops stay as they are
    assert 2 < large.seconds["render"] / small.seconds["render"] < 4


def test_the_text_is_for_the_cores_given():
    cost = Cost(seconds={"render": 240.0, "train": 20.0}, disk=2.5e9, rest=30.0, networks=2)
    assert cost.text(2).splitlines() == [
        "render     ~2.1 min",
        "train      ~15 s",
        "the rest   ~30 s",
        "in all     ~2.8 min on 2 cores, 2.50 GB",
    ]
    assert "~5.0 h" in Cost(seconds={"render": 18000.0}, disk=0).text(1)


def test_training_is_no_faster_on_more_cores_than_networks():
    cost = Cost(seconds={"render": 640.0, "train": 640.0}, disk=0, networks=2)
    assert cost.wall(64) == {"render": START + 10, "train": START + 320}


def test_every_task_model_and_fold_is_a_network():
    two = dict.fromkeys(("display", "again"), MAIN.tasks["display"])
    folds = MAIN.protocols["clean"].model_copy(update={"test": None, "folds": 5, "repeats": 2})
    alone = cost_of(study_of())
    many = cost_of(study_of(tasks=two, protocols={**MAIN.protocols, "folds": folds}))
    assert (alone.networks, many.networks) == (2, 2 * (2 + 10))
    assert many.seconds["train"] == pytest.approx(12 * alone.seconds["train"])


def test_a_task_among_some_costs_some():
    among = {"among": {"labels": ["FD1", "FD2-L"]}}
    tasks = {"display": MAIN.tasks["display"].model_validate(among)}
    part, whole = cost_of(study_of(tasks=tasks)), cost_of(study_of())
    assert part.seconds["train"] < whole.seconds["train"] / 2
    assert part.seconds["render"] == whole.seconds["render"]


def test_a_million_clips_are_estimated_in_core_hours():
    """Rendering is linear in people, so a sample of the plan stands for the whole."""
    [small, large] = (cost_of(study_of(n)).seconds["render"] for n in (20, 200))
    assert large == pytest.approx(10 * small, rel=0.01)


def test_passes_cost_time_and_disk_of_the_clips_that_have_them():
    plain, measured = cost_of(study_of()), cost_of(study_of(), passes=["flow"])
    assert plain.seconds["render"] < measured.seconds["render"] < 1.5 * plain.seconds["render"]
    assert measured.disk > 2 * plain.disk
    assert measured.seconds["transfer"] == plain.seconds["transfer"]


def test_folds_cost_what_they_teach():
    ask = MAIN.folds
    more = {"seeds": 10, "networks": [], "whole": 0}
    few, none = cost_of(study_of()), cost_of(study_of(folds=None))
    alone = cost_of(study_of(folds=ask.model_copy(update=more | {"seeds": 5})))
    twice = cost_of(study_of(folds=ask.model_copy(update=more)))
    assert none.wall(2).keys() == few.wall(2).keys() - {"folds"}
    assert few.seconds["folds"] > 2 * alone.seconds["folds"] > 0  # three networks beside it
    assert twice.seconds["folds"] == pytest.approx(2 * alone.seconds["folds"])
    assert (few.folds, alone.folds, twice.folds) == (26, 25, 50)


def test_the_folds_of_the_main_study_cost_between_what_two_machines_took():
    """1,470 core-seconds of a free EPYC with bf16 units, 37 minutes of two busy cores without."""
    assert 1470 < cost_of(MAIN).seconds["folds"] < 2 * 37 * 60
