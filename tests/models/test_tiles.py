import pytest
import torch
from torch.nn import functional

from models import tiles


def test_transformed_multiplied_and_back_is_the_convolution(monkeypatch):
    torch.manual_seed(1)
    monkeypatch.setattr(tiles, "TILES", 4)  # three pieces of one row
    picture, weight = torch.randn(14, 18, 3), torch.randn(5, 3, 3, 3)  # 12 x 16 with its border
    made = torch.empty(12, 16, 5)
    for tile, place in zip(tiles.inputs(picture), tiles.outputs(made), strict=True):
        points = tiles.analysis() @ tile.reshape(36, -1)
        products = points.view(36, -1, 3) @ tiles.transformed(weight)
        place.copy_((tiles.synthesis() @ products.view(36, -1)).view(place.shape))
    direct = functional.conv2d(picture.permute(2, 0, 1)[None], weight)[0].permute(1, 2, 0)
    torch.testing.assert_close(made, direct, atol=1e-4, rtol=0)


def test_outputs_are_views_of_a_picture_within_a_border(monkeypatch):
    monkeypatch.setattr(tiles, "TILES", 4)  # two pieces of one row
    picture = torch.zeros(10, 14, 2)
    for tile in tiles.outputs(picture[1:-1, 1:-1]):
        tile.fill_(1)
    assert picture.sum() == 8 * 12 * 2
    assert picture[1:-1, 1:-1].all()


def test_quarters_reach_every_input_of_a_tile_once():
    tile = torch.zeros(6, 6, 2, 3, 1)
    for quarter in tiles.quarters(tile):
        quarter.add_(1)
    assert (tile == 1).all()


@pytest.mark.parametrize(
    ("down", "across", "rows"), [(16, 16, 8), (12, 16, 6), (9, 10, 9), (7, 40, 1), (4, 199, 1)]
)
def test_a_piece_has_as_many_whole_rows_as_fit(down, across, rows):
    assert tiles.rows_of(down, across) == rows
