"""What ONNX Runtime computes from the exported networks."""

import numpy as np
import onnxruntime
import pytest

import fomm
from fomm.export import export_onnx


@pytest.fixture(scope="module")
def model(saved):
    return fomm.load_checkpoint(saved("compact-128", 13), "compact-128")


def _sessions(model, folder):
    paths = export_onnx(model, folder)
    assert sorted(folder.iterdir()) == sorted(paths)
    return [
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in paths
    ]


@pytest.mark.parametrize("name", ["model", "committed"])
def test_parity(name, request, golden, tmp_path):
    model = request.getfixturevalue(name)
    sessions = _sessions(model, tmp_path)
    numbers = golden("c128_s13")
    frames = np.concatenate(
        [numbers["source_u8"][None], numbers["driving_u8"], numbers["driving_u8"][:1]]
    )
    images = frames.transpose(0, 3, 1, 2).astype(np.float32) / 255
    value, jacobian = sessions[0].run(None, {"frames": images})
    points = model.keypoints(frames)
    np.testing.assert_allclose(value, points.value, atol=2e-5, rtol=0)
    # 2e-5 as ever while Jacobians are small. A trained model's reach 6; there ONNX Runtime is 2e-5
    # from float64 networks (torch 4e-6), and motion is a quotient of two: their share counts.
    error = max(2e-5, 1e-5 * float(points.jacobian.abs().max()))
    np.testing.assert_allclose(jacobian, points.jacobian, atol=error, rtol=0)
    [prediction] = sessions[1].run(None, {
        "source": images[:1], "source_value": value[:1], "source_jacobian": jacobian[:1],
        "driving_value": value[1:], "driving_jacobian": jacobian[1:],
    })  # fmt: skip
    wanted = model.generate(frames[0], points[:1], points[1:]).prediction
    assert prediction.shape == (3, 3, 128, 128)
    error = np.abs(prediction - wanted.numpy())
    assert error.max() <= 2e-3
    assert error.mean() <= 2e-5
