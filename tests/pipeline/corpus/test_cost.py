from pathlib import Path

import pytest

from pipeline.corpus.cost import START, Cost, estimate
from pipeline.corpus.plan import make_plan
from pipeline.params import parse_params

REGISTER = Path(__file__).parents[3] / "portraits" / "register.csv"


def cost_of(**plan):
    params = parse_params({"plan": plan, "portraits": {"count": 4}})
    return estimate(make_plan(params, REGISTER), params)


def test_twice_the_people_cost_twice_the_rendering():
    few, many = cost_of(identities=10), cost_of(identities=20)
    assert many.seconds["render"] == pytest.approx(2 * few.seconds["render"])
    assert many.disk > few.disk


def test_twice_the_side_costs_four_times_the_pixels():
    small, large = cost_of(identities=5), cost_of(identities=5, size=256)
    assert 3 < large.disk / small.disk < 4  # the crops stay as they are
    assert 2 < large.seconds["render"] / small.seconds["render"] < 4


def test_the_text_is_for_the_cores_given():
    cost = Cost(seconds={"render": 240.0, "train": 20.0}, disk=2.5e9, rest=30.0)
    assert cost.text(2).splitlines() == [
        "render     ~2.1 min",
        "train      ~15 s",
        "the rest   ~30 s",
        "in all     ~2.8 min on 2 cores, 2.50 GB",
    ]
    assert "~5.0 h" in Cost(seconds={"render": 18000.0}, disk=0).text(1)


def test_training_is_no_faster_on_more_cores_than_protocols():
    cost = Cost(seconds={"render": 640.0, "train": 640.0}, disk=0)
    assert cost.wall(64) == {"render": START + 10, "train": START + 320}


def test_a_million_clips_are_estimated_in_core_hours():
    """Rendering is linear in people, so a sample of the plan stands for the whole."""
    [small, large] = (cost_of(identities=n).seconds["render"] for n in (20, 200))
    assert large == pytest.approx(10 * small, rel=0.01)
