import numpy as np
import pytest

from avatars.clip import perform
from avatars.conditions import Condition, execute
from avatars.units import UNITS
from avatars.worker import parse_spec
from pipeline.corpus.measures import executed, measure, pspi
from pipeline.corpus.plan import plan_clip, population
from pipeline.params import Params

ROWS = list(UNITS)
SEDATED = {"kind": "hypomimia", "severity": 0.8, "side": "left"}


def clip(expression, given=(), number=0):
    params = Params()
    return plan_clip(params, population(params, "corpus", number), f"{number}/{expression}",
                     expression, 16, given)  # fmt: skip


def units(**levels):
    made = np.zeros((1, len(UNITS), 2))
    for name, level in levels.items():
        made[0, ROWS.index(name.removeprefix("au"))] = level
    return made


def test_pspi_is_the_papers_sum():
    assert pspi(units())[0] == 0
    assert pspi(units(au4=0.4, au6=0.2, au7=0.6, au9=0.2, au10=1.0))[0] == pytest.approx(10)
    assert pspi(units(au43=0.49))[0] == 0
    assert pspi(units(au4=1, au6=1, au7=1, au9=1, au10=1, au43=1))[0] == 16


def test_one_side_is_enough():
    one = units(au4=0.6)
    one[..., 1] = 0
    assert pspi(one)[0] == pytest.approx(3)


def test_levels_of_pain_lie_where_their_files_say():
    scores = {name: [measure("pspi", clip(name, number=n)) for n in range(6)]
              for name in ("pain-0", "pain-1", "pain-2")}  # fmt: skip
    assert max(scores["pain-0"]) == 0
    assert min(scores["pain-1"]) >= 4
    assert max(scores["pain-1"]) < min(scores["pain-2"])
    assert measure("pspi", clip("pain-2", [SEDATED])) < min(scores["pain-2"])


def test_the_plan_knows_what_the_truth_will_say():
    planned = clip("pain-2", [SEDATED])
    row = planned.row()
    spec = {name: row[name] for name in ("identity", "expression", "scene", "seed", "frames",
                                         "fps", "size", "samples", "conditions")}  # fmt: skip
    parsed = parse_spec(spec)
    intended = perform(parsed).intended
    truth = execute([Condition.parse(SEDATED)], intended, parsed.fps)
    np.testing.assert_array_equal(executed(planned), truth)
