"""Optical flow of known motions, and the network that sees it."""

import numpy as np
import onnxruntime
import pytest
import torch

from models import Classifier, ModelError, build, export_onnx
from models.flow import blurred, moved, optical_flow, own_motion
from models.flowcnn import mirrored, motion_field


def speckles(seed, size=64, count=1):
    """Smooth noise in [0, 1]: texture at every place."""
    noise = torch.rand(count, 1, size, size, generator=torch.Generator().manual_seed(seed))
    smooth = blurred(noise, 3.0)
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


def even(across, down, size=64):
    return torch.tensor([across, down]).view(1, 2, 1, 1).expand(1, 2, size, size)


@pytest.mark.parametrize(("across", "down"), [(0.0, 0.0), (0.4, -0.7), (3.0, 1.5), (-5.0, 2.0)])
def test_a_shift_is_found_to_a_tenth_of_a_pixel(across, down):
    second = speckles(1)
    first = moved(second, even(across, down), 64)
    found = optical_flow(first, second, 64)[..., 8:-8, 8:-8]  # what is shifted in is not known
    told = even(across, down)[..., 8:-8, 8:-8]
    assert (found - told).abs().median() < 0.1


def test_skin_without_texture_stays_where_it_is():
    flat = torch.full((1, 1, 32, 32), 0.5)
    assert not optical_flow(flat, flat, 32).any()


def test_shift_zoom_and_roll_of_the_head_are_no_motion_of_the_face():
    line = torch.arange(64.0) - 31.5
    x, y = line.expand(64, 64), line[:, None].expand(64, 64)
    head = torch.stack([2 + 0.03 * x - 0.05 * y, -1 + 0.03 * y + 0.05 * x])[None]
    face = torch.zeros(1, 2, 64, 64)
    face[:, 1, 40:46, 36:44] = -2  # one corner of the mouth is pulled up
    assert own_motion(head, 64).abs().max() < 1e-4
    assert torch.allclose(own_motion(head + face, 64), own_motion(face, 64), atol=1e-4)


def test_the_mirrored_face_has_the_mirrored_field():
    first, second = speckles(2), speckles(3)
    there = motion_field(first, second, 64)
    back = motion_field(first.flip(-1), second.flip(-1), 64)
    assert torch.allclose(mirrored(back), there, atol=1e-3)
    assert torch.equal(mirrored(mirrored(there)), there)


def test_a_window_of_one_frame_has_no_motion():
    with pytest.raises(ModelError, match="'frames' must be a whole number from 2 on, got 1"):
        build("flowcnn", classes=2, channels=1, size=32, frames=1)


def test_the_exported_network_answers_alike(tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build("flowcnn", classes=3, channels=3, size=64, frames=2).eval()
    classifier = Classifier("flowcnn", network, ("a", "b", "c"), 2)
    export_onnx(classifier, tmp_path / "model.onnx")
    pictures = torch.stack([speckles(4, count=2), speckles(5, count=2)], 1)  # (N, T, 1, S, S)
    windows = (255 * pictures).permute(0, 1, 3, 4, 2).expand(-1, -1, -1, -1, 3)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    told = {"windows": windows.to(torch.uint8).numpy()}
    (found,) = session.run(None, told)
    assert np.abs(found - classifier.probabilities(told["windows"])).max() < 1e-5
