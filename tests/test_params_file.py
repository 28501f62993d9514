from pathlib import Path

import yaml

from avatars import expression
from pipeline.params import Params, load_params

FILE = Path(__file__).parents[1] / "params.yaml"


def but_for_expressions(values):
    """Without what the motion model was trained on, which a default cannot name: it is data."""
    named = values["motion"].pop("expressions")
    return values, named


def test_params_yaml_holds_the_defaults():
    ours, named = but_for_expressions(load_params(FILE).model_dump())
    assert ours == but_for_expressions(Params().model_dump())[0]
    assert [expression.load(name).name for name in named] == named


def test_params_yaml_holds_every_value_so_that_dvc_sees_a_change():
    ours, _ = but_for_expressions(yaml.safe_load(FILE.read_text()))
    assert ours == but_for_expressions(Params().model_dump())[0]
