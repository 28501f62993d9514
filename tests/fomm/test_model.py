"""The numpy door: what goes in, what comes out, what is refused."""

import numpy as np
import pytest
import torch

import fomm
from fomm.model import MotionModel, as_tensor


@pytest.fixture(scope="module")
def model(saved):
    return fomm.load_checkpoint(saved("compact-128", 14), "compact-128")


@pytest.fixture(scope="module")
def faces(golden):
    numbers = golden("c128_anim5_s14")
    return numbers["source_u8"], numbers["driving_u8"]


def test_one_frame_and_many_agree(model, faces):
    _, driving = faces
    many = model.keypoints(driving)
    one = model.keypoints(driving[3])
    assert many.value.shape == (5, 10, 2)
    assert many.jacobian.shape == (5, 10, 2, 2)
    torch.testing.assert_close(one.value, many.value[3:4], atol=1e-5, rtol=0)


def test_whole_numbers_and_fractions_agree(model, faces):
    source, _ = faces
    fractions = source.astype(np.float32) / 255
    assert torch.equal(model.keypoints(source).value, model.keypoints(fractions).value)


def test_uint8_animation_is_the_rounded_float_one(model, faces):
    source, driving = faces
    whole = model.animate(source, driving)
    exact = model.animate(source.astype(np.float32) / 255, driving)
    assert (whole.dtype, exact.dtype) == (np.uint8, np.float32)
    assert np.abs(whole - exact * 255).max() <= 0.501


def test_animation_is_generation_frame_by_frame(model, faces):
    source, driving = faces
    frames = model.animate(source.astype(np.float32) / 255, driving, relative=False)
    points = model.keypoints(driving)
    found = model.generate(source, model.keypoints(source), points)
    np.testing.assert_allclose(
        frames, found.prediction.permute(0, 2, 3, 1).numpy(), atol=1e-5, rtol=0
    )


def test_generated_shapes(model, faces):
    source, driving = faces
    points = model.keypoints(driving[:2])
    found = model.generate(source, model.keypoints(source), points)
    assert found.prediction.shape == found.deformed.shape == (2, 3, 128, 128)
    assert found.occlusion_map.shape == (2, 1, 64, 64)
    assert found.mask.shape == (2, 11, 64, 64)
    assert found.sparse_motion.shape == (2, 11, 64, 64, 2)
    assert found.deformation.shape == (2, 64, 64, 2)
    torch.testing.assert_close(found.mask.sum(1), torch.ones(2, 64, 64))


def test_no_motion_keeps_the_source_points(model, faces):
    source, driving = faces
    still = np.repeat(driving[:1], 2, axis=0)
    moved = model.animate(source, still)
    assert np.array_equal(moved[0], moved[1])


@pytest.mark.parametrize("size", [64, 256, 512])
def test_other_sizes(model, faces, size):
    source = np.zeros((size, size, 3), np.uint8) + np.arange(size, dtype=np.uint8)[:, None, None]
    points = model.keypoints(source)
    found = model.generate(source, points, points)
    assert found.prediction.shape == (1, 3, size, size)
    assert found.mask.shape == (1, 11, 64, 64)


def test_512_pixels_are_seen_at_an_eighth(model):
    """The authors' advice for 512 px: the Gaussian of scale 0.125, 29 x 29."""
    frame = torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(0))
    x = torch.arange(29) - 14.0
    line = torch.exp(-(x**2) / (2 * 3.5**2))
    kernel = torch.outer(line, line) / line.sum() ** 2
    small = model.kp_detector.down(frame)
    assert small.shape == (1, 3, 64, 64)
    around = frame[0, :, 160 - 14 : 160 + 15, 240 - 14 : 240 + 15]
    torch.testing.assert_close(small[0, :, 20, 30], (around * kernel).sum((1, 2)))


def test_running_out_of_memory_is_one_sentence(model, faces, monkeypatch):
    def greedy(x):
        return torch.empty(1 << 55)

    monkeypatch.setattr(model.kp_detector, "forward", greedy)
    for call in (lambda: model.keypoints(faces[1]), lambda: model.animate(*faces)):
        with pytest.raises(fomm.MotionError, match="memory ran out with 5 pictures of 128 x 128"):
            call()


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        (np.zeros((128, 128), np.uint8), "must be"),
        (np.zeros((128, 128, 4), np.uint8), "must be"),
        (np.zeros((0, 128, 128, 3), np.uint8), "must be"),
        (np.zeros((128, 128, 3), np.int64), "uint8 or float"),
        (np.full((128, 128, 3), 2.0, np.float32), "2 to 2"),
        (np.full((128, 128, 3), np.nan, np.float32), "NaN"),
        (np.zeros((128, 100, 3), np.uint8), "100 x 128 pixels"),
        (np.zeros((100, 100, 3), np.uint8), "multiple of 64"),
        (np.zeros((32, 32, 3), np.uint8), "multiple of 64"),
    ],
)
@pytest.mark.filterwarnings("ignore:All-NaN")
def test_unfit_frames_are_refused(model, frames, says):
    with pytest.raises(fomm.MotionError, match=says):
        model.keypoints(frames)


def test_a_clip_of_one_frame_is_refused(model, faces):
    source, driving = faces
    for one in (driving[0], driving[:1]):
        with pytest.raises(fomm.MotionError, match="T > 1"):
            model.animate(source, one)


def test_two_sources_are_refused(model, faces):
    _, driving = faces
    with pytest.raises(fomm.MotionError, match="one source"):
        model.animate(driving[:2], driving)


def test_unpaired_key_points_are_refused(model, faces):
    _, driving = faces
    points = model.keypoints(driving)
    with pytest.raises(fomm.MotionError, match="pair up"):
        model.generate(driving[:3], points[:1], points[:2])


def test_as_tensor_keeps_values():
    frames = np.arange(2 * 64 * 64 * 3, dtype=np.uint32).reshape(2, 64, 64, 3) % 256
    found = as_tensor(frames.astype(np.uint8))
    assert found.shape == (2, 3, 64, 64)
    np.testing.assert_array_equal(np.rint(found[1, 2].numpy() * 255), frames[1, :, :, 2])


def test_public_names():
    assert set(fomm.__all__) <= set(dir(fomm))
    assert issubclass(fomm.MotionError, ValueError)
    assert issubclass(fomm.CheckpointError, OSError)
    assert fomm.MotionModel is MotionModel
