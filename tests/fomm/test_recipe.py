"""The recipe's phases."""

from fomm.recipe import TrainConfig


def test_phases_come_in_their_order():
    config = TrainConfig(point_steps=1, flow_steps=2, picture_steps=3, steps=4)
    assert list(config.phases().items()) == [
        ("points", 1),
        ("flow", 2),
        ("picture", 3),
        ("whole", 4),
    ]
