"""The networks give the published model's numbers."""

import numpy as np
import pytest
import torch

import fomm
from fomm.dense_motion import heatmaps, warp_each
from fomm.keypoints import movement_scale, relative_motion

CASES = [("vox-256", "vox256_s11", 11), ("vox-adv-256", "voxadv256_s12", 12),
         ("compact-128", "c128_s13", 13)]  # fmt: skip
COMPACT = CASES[2]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case[0])
def case(request, saved, golden):
    config, name, seed = request.param
    return fomm.load_checkpoint(saved(config, seed), config), golden(name)


def points(numbers, name):
    """The KeyPoints of a golden file's pair of arrays."""
    pair = (numbers[f"{name}_{part}"] for part in ("value", "jacobian"))
    return fomm.KeyPoints(*map(torch.from_numpy, pair))


def close(found, wanted, most, mean=None):
    wanted = np.asarray(wanted) / (65535 if wanted.dtype == np.uint16 else 1)
    error = np.abs(np.asarray(found) - wanted)
    assert error.max() <= most
    assert mean is None or error.mean() <= mean


def moved(case, name="kp_norm_relative_adapt"):
    model, numbers = case
    return model.generate(numbers["source_u8"], points(numbers, "kp_source"), points(numbers, name))


def test_key_points(case):
    model, numbers = case
    for name, frame in [("kp_source", numbers["source_u8"]),
                        ("kp_driving_initial", numbers["driving_u8"][0]),
                        ("kp_driving", numbers["driving_u8"][1])]:  # fmt: skip
        found = model.keypoints(frame)
        close(found.value, numbers[f"{name}_value"], 2e-5)
        close(found.jacobian, numbers[f"{name}_jacobian"], 2e-5)


def test_heat_map_logits(case):
    model, numbers = case
    image = torch.from_numpy(numbers["source_u8"]).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        logits, _ = model.kp_detector.heads(image)
    close(logits, numbers["kp_logits_source"], 1e-4)


@pytest.mark.parametrize("adapt", [True, False])
def test_relative_motion(case, adapt):
    _, numbers = case
    names = ("kp_source", "kp_driving_initial", "kp_driving")
    found = relative_motion(*(points(numbers, name) for name in names), adapt_scale=adapt)
    name = "kp_norm_relative_adapt" if adapt else "kp_norm_relative"
    close(found.value, numbers[f"{name}_value"], 2e-5)
    close(found.jacobian, numbers[f"{name}_jacobian"], 2e-5)


def test_movement_scale(case):
    _, numbers = case
    found = movement_scale(points(numbers, "kp_source"), points(numbers, "kp_driving_initial"))
    close(found, numbers["movement_scale"], 1e-6)


def test_dense_motion(case):
    _, numbers = case
    found = moved(case)
    close(found.sparse_motion, numbers["sparse_motion"], 1e-4)
    close(found.deformation, numbers["deformation"], 1e-4)
    close(found.mask, numbers["mask"], 2e-4)
    close(found.occlusion_map, numbers["occlusion_map"], 2e-4)


def test_inputs_of_dense_motion(case):
    model, numbers = case
    pair = points(numbers, "kp_source"), points(numbers, "kp_norm_relative_adapt")
    close(heatmaps(*pair, 64, 64)[0], numbers["heatmap"], 2e-5)
    image = torch.from_numpy(numbers["source_u8"]).permute(2, 0, 1)[None] / 255
    small = model.generator.dense_motion_network.down(image)
    warped = warp_each(small, torch.from_numpy(numbers["sparse_motion"]), align_corners=True)
    close(warped, numbers["sparse_deformed_u16"], 2e-3, 2e-5)


def test_source_features(case):
    model, numbers = case
    image = torch.from_numpy(numbers["source_u8"]).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        features = model.generator.encode(image)
    close(features[:, ::16, ::2, ::2], numbers["source_features_sub"], 1e-4)


def test_prediction(case):
    _, numbers = case
    found = moved(case)
    close(found.prediction, numbers["prediction_u16"], 2e-3, 2e-5)
    close(found.prediction[..., ::4, ::4], numbers["prediction_sub4"], 2e-3, 2e-5)
    close(found.deformed, numbers["deformed_u16"], 2e-3, 2e-5)


def test_absolute_prediction(case):
    found = moved(case, "kp_driving")
    close(found.prediction[..., ::2, ::2], case[1]["prediction_absolute_even_u16"], 2e-3, 2e-5)


def test_prediction_without_aligned_corners(case):
    model, numbers = case
    assert model.align_corners
    model.align_corners = False
    try:
        found = moved(case)
    finally:
        model.align_corners = True
    close(found.prediction[..., ::2, ::2], numbers["ac0_prediction_even_u16"], 2e-3, 2e-5)
    close(found.deformed[..., ::2, ::2], numbers["ac0_deformed_even_u16"], 2e-3, 2e-5)


def test_animation(saved, golden):
    model = fomm.load_checkpoint(saved("compact-128", 14), "compact-128")
    numbers = golden("c128_anim5_s14")
    source, driving = (numbers[name].astype(np.float32) / 255
                       for name in ("source_u8", "driving_u8"))  # fmt: skip
    frames = model.animate(source, driving)
    assert frames.shape == driving.shape
    assert frames.dtype == np.float32
    frames = frames.transpose(0, 3, 1, 2)
    close(frames[:, :, 3::8, 5::8], numbers["prediction_sub_3_5_8"], 2e-3, 2e-5)
    close(frames[-1:], numbers["prediction_last_u16"], 2e-3, 2e-5)


def test_animated_key_points(saved, golden):
    model = fomm.load_checkpoint(saved("compact-128", 14), "compact-128")
    numbers = golden("c128_anim5_s14")
    driving = model.keypoints(numbers["driving_u8"])
    close(driving.value, numbers["kp_driving_value"], 2e-5)
    found = relative_motion(model.keypoints(numbers["source_u8"]), driving[:1], driving)
    close(found.value, numbers["kp_norm_value"], 2e-5)
    close(found.jacobian, numbers["kp_norm_jacobian"], 2e-5)
