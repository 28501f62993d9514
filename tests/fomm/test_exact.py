import numpy as np
import torch
from torch.nn import functional as F

from fomm.data import Performances, draw_batch
from fomm.exact import GROWN, Surfaces

SIZE, SIDE = 64, 32
SMALL = 0.15  # of a picture's width: how far the sheets move


def sheets(people=2, length=3):
    """Smooth pictures on sheets that are moved, turned and sheared, and the surfaces of that."""
    rng = np.random.default_rng(3)
    count = people * length
    maps = np.eye(3) + np.concatenate(
        [SMALL * rng.normal(size=(count, 2, 3)), np.zeros((count, 1, 3))], 1
    )
    to_pixels = np.array(
        [[(SIZE - 1) / 2, 0, SIZE / 2], [0, (SIZE - 1) / 2, SIZE / 2], [0, 0, 1.0]]
    )
    pictures = np.stack([picture(SIZE, found) for found in maps])
    rest = np.stack([resting(SIDE, found) for found in maps]).reshape(people, -1, 3)
    tracks = np.stack([rest[n // length] @ (to_pixels @ found).T for n, found in enumerate(maps)])
    where = np.zeros((count, SIDE, SIDE, 3), np.float32)
    numbers = np.arange(length * SIDE**2).reshape(length, SIDE, SIDE)
    where[..., 0] = np.concatenate([numbers] * people)
    surfaces = Surfaces(
        cells=np.full((count, SIDE, SIDE), GROWN, np.int32),
        where=where,
        corners=np.zeros((1, 3), np.int32),
        screen=np.zeros((count, 1, 3), np.float32),
        tracks=tracks.astype(np.float32),
        depth=np.ones((count, SIZE, SIZE), np.float32),
    )
    frames = pictures.reshape(people, 1, length, SIZE, SIZE, 3)
    return Performances(frames, np.full((people, 1, length, 68, 2), 30, np.float32), surfaces)


def resting(side, moved):
    """(side, side, 3) point of the sheet that each pixel centre shows."""
    axis = np.linspace(-1, 1, side)
    at = np.stack([*np.meshgrid(axis, axis), np.ones((side, side))], axis=-1)
    return at @ np.linalg.inv(moved).T


def picture(side, moved):
    x, y, _ = np.moveaxis(resting(side, moved), -1, 0)
    waves = [np.sin(3 * x + 2 * y), np.cos(4 * y - x), np.sin(2 * x * y + x)]
    return (127 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def off(batch):
    """Mean difference of truth and warped source where seen, and of truth and source itself."""
    flow = F.interpolate(
        batch.flow.where.permute(0, 3, 1, 2), SIZE, mode="bilinear", align_corners=True
    )
    seen = F.interpolate(batch.flow.visible, SIZE, mode="nearest")
    inside = seen * (flow.abs().amax(1, keepdim=True) < 0.9)
    source, truth = batch.frames["source"], batch.frames["truth"]
    warped = F.grid_sample(source, flow.permute(0, 2, 3, 1), align_corners=True)
    return [
        float(((x - truth).abs() * inside).sum() / (3 * inside.sum())) for x in (warped, source)
    ]


def test_flow_leads_back_to_the_source():
    warped, still = off(draw_batch(sheets(), 12, 0.5, np.random.default_rng(1), augment=False))
    assert warped < 0.002
    assert still > 20 * warped


def test_flow_is_mirrored_and_placed_as_the_pictures_are():
    # Light is changed alike in both, so the warped source still is the truth.
    warped, still = off(draw_batch(sheets(), 12, 0.5, np.random.default_rng(2)))
    assert warped < 0.002
    assert still > 20 * warped


def test_people_keep_their_surfaces():
    data = sheets(people=3)
    some = data.people(slice(1, None))
    assert np.array_equal(some.surfaces.cells, data.surfaces.cells[3:])
    assert np.array_equal(some.surfaces.corners, data.surfaces.corners)


def test_exact_losses_fall_where_the_flow_is_right():
    from fomm.dense_motion import Motion
    from fomm.losses import exact_losses

    flow = draw_batch(sheets(), 4, 0.0, np.random.default_rng(1), augment=False).flow
    face = torch.ones(4, 1, SIDE, SIDE)
    right = Motion(flow.where, flow.visible, torch.ones(0), torch.ones(0))
    wrong = Motion(flow.where + 0.1, 1 - flow.visible, torch.ones(0), torch.ones(0))
    off_right, hidden_right = exact_losses(right, flow, face)
    off_wrong, hidden_wrong = exact_losses(wrong, flow, face)
    assert off_right == 0
    assert abs(float(off_wrong) - 0.2) < 1e-4
    assert hidden_right < 0.01 < hidden_wrong
