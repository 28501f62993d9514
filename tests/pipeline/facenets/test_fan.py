import numpy as np
import pytest
import torch
from face_alignment.models import FAN
from hypothesis import given
from hypothesis import strategies as st

from pipeline.facenets import fan, training
from pipeline.facenets.views import MIRROR
from pipeline.faces.alignment import landmark_box
from pipeline.faces.track import overlap
from pipeline.params import FacenetParams

PARAMS = FacenetParams(
    fan_small_steps=2, fan_small_batch=2, fan_steps=1, fan_batch=1, fan_rate=1e-4
)


@pytest.mark.parametrize("side", [128, 256])
def test_a_batch_is_crops_and_their_maps(stills, bank, side):
    crops, maps = fan.batch(stills, bank, side, 3, np.random.default_rng(0))
    assert crops.shape == (3, 3, side, side)
    assert maps.shape == (3, 68, side // 4, side // 4)
    assert 0 <= crops.min() < crops.max() <= 1


def test_some_crops_are_faceless_and_their_maps_flat(stills, bank):
    _, maps = fan.batch(stills, bank, 32, 60, np.random.default_rng(0))
    highest = maps.amax(dim=(1, 2, 3))
    assert 0 < (highest == 0).sum() < 15


def test_both_sizes_are_trained(stills, bank):
    with training.repeatable(0):
        task = fan.task(stills, bank, PARAMS)
    sides = [task.draw(step, np.random.default_rng(step))[0].shape[-1] for step in range(3)]
    assert sides == [128, 128, 256]
    assert task.steps == 3


@given(seed=st.integers(0, 2**32))
def test_an_erring_box_still_holds_most_of_the_face(seed):
    box = np.array([30.0, 30.0, 100.0, 100.0])
    found = fan.erring(box, np.random.default_rng(seed))
    assert overlap(found, box) > 0.2
    assert found[2] - found[0] == pytest.approx(found[3] - found[1])


def test_mirroring_twice_changes_nothing(stills):
    points = stills.landmarks[3].astype(float)
    once = fan.mirrored(points, 128)
    np.testing.assert_allclose(fan.mirrored(once, 128), points)
    assert once[36, 0] < once[45, 0]
    assert (once[:, 1] == points[MIRROR, 1]).all()


def test_a_sample_frames_the_face_as_a_box_that_errs_would(stills, bank):
    _, points = fan.sample(stills, bank, 0, 256, np.random.default_rng(0))
    box = landmark_box(points)
    assert 0.35 * 256 < box[2] - box[0] < 0.75 * 256
    assert np.abs((box[:2] + box[2:]) / 2 - 128).max() < 64


def test_missing_a_peak_costs_more_than_a_ghost_as_high():
    maps = torch.zeros(1, 68, 8, 8)
    maps[0, 0, 4, 4] = 1.0

    class Blind(torch.nn.Module):
        def forward(self, crops):
            return [crops]

    missed = fan.loss(Blind(), (torch.zeros_like(maps), maps))
    ghost = fan.loss(Blind(), (maps, torch.zeros_like(maps)))
    assert missed > 10 * ghost


def test_weights_are_stored_in_half_and_load_into_float32(stills, bank, tmp_path):
    with training.repeatable(0):
        task = fan.task(stills, bank, PARAMS)
    fan.save(tmp_path / "2DFAN1.pth.tar", task.net)
    assert (tmp_path / "2DFAN1.pth.tar").stat().st_size < 13e6
    fan.save(tmp_path / "again.tar", task.net)
    assert (tmp_path / "again.tar").read_bytes() == (tmp_path / "2DFAN1.pth.tar").read_bytes()
    net = FAN(1)
    net.load_state_dict(torch.load(tmp_path / "2DFAN1.pth.tar", weights_only=True))
    assert net.conv1.weight.dtype == torch.float32
    torch.testing.assert_close(net.conv1.weight, task.net.conv1.weight, atol=1e-3, rtol=1e-3)
