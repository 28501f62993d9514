"""The recipe's automatic choice carries its reason."""

import torch

from fomm.recipe import TrainConfig, precision


def test_precision_says_why():
    cpu = torch.device("cpu")
    assert precision(True, cpu) == (True, "bf16: asked for")
    assert precision(False, cpu) == (False, "float32: asked for")
    chosen, why = precision(None, cpu)
    assert why.startswith("bf16" if chosen else "float32")
    assert "units" in why


def test_phases_come_in_their_order():
    config = TrainConfig(point_steps=1, flow_steps=2, picture_steps=3, steps=4)
    assert list(config.phases().items()) == [
        ("points", 1),
        ("flow", 2),
        ("picture", 3),
        ("whole", 4),
    ]
