from pathlib import Path

import yaml

from pipeline.params import Params, load_params

FILE = Path(__file__).parents[1] / "params.yaml"


def test_params_yaml_holds_the_defaults():
    assert load_params(FILE) == Params()


def test_params_yaml_holds_every_value_so_that_dvc_sees_a_change():
    assert yaml.safe_load(FILE.read_text()) == Params().model_dump()
