"""The networks as ONNX files, for runtimes outside Python.

`key_points.onnx`: frames (N, 3, H, W) > value (N, K, 2), jacobian (N, K, 2, 2).
`generator.onnx`: source (1, 3, H, W), its key points (1, K, ...) and N driving ones > prediction
(N, 3, H, W). H x W is the size the model was trained at; N is free.
"""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from fomm.generator import Moved
from fomm.keypoints import KeyPoints
from fomm.model import MotionModel

OPSET = 20  # the first whose GridSample knows every mode that torch means
PAIR = ("value", "jacobian")


class _Detector(nn.Module):
    def __init__(self, model: MotionModel):
        super().__init__()
        self.network = model.kp_detector

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        found = self.network(frames)
        return found.value, found.jacobian


class _Generator(nn.Module):
    def __init__(self, model: MotionModel):
        super().__init__()
        self.network, self.align_corners = model.generator, model.align_corners

    def forward(self, source: Tensor, *points: Tensor) -> Tensor:
        at, to = KeyPoints(*points[:2]), KeyPoints(*points[2:])
        count = to.value.shape[0]
        dense = self.network.dense_motion_network
        at = KeyPoints(at.value.expand(count, -1, -1), at.jacobian.expand(count, -1, -1, -1))
        small = dense.down(source).expand(count, -1, -1, -1)
        motion = dense(small, at, to, self.align_corners)
        features = self.network.encode(source).expand(count, -1, -1, -1)
        image = source.expand(count, -1, -1, -1)
        moved = Moved(motion, at, to)
        return self.network.decode(image, features, moved, self.align_corners).prediction


@torch.no_grad()
def export_onnx(model: MotionModel, folder: Path) -> list[Path]:
    """Write `key_points.onnx` and `generator.onnx` of a (not prepared) model into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = torch.rand(2, 3, model.config.size, model.config.size)
    points = model.kp_detector(frames)
    one, two = points[:1], points
    inputs = [f"{whose}_{part}" for whose in ("source", "driving") for part in PAIR]
    pairs = (one.value, one.jacobian, two.value, two.jacobian)
    paths = [folder / "key_points.onnx", folder / "generator.onnx"]
    _write(_Detector(model), (frames,), paths[0], ["frames"], list(PAIR), ["frames"])
    _write(
        _Generator(model), (frames[:1], *pairs), paths[1], ["source", *inputs], ["prediction"],
        inputs[2:],
    )  # fmt: skip
    return paths


def _write(
    network: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: list[str],
    outputs: list[str], free: list[str],
) -> None:  # fmt: skip
    part = path.with_name(f".{path.name}.part")
    with warnings.catch_warnings():
        # torch would rather use its newer exporter, which needs a package more (onnxscript).
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(), inputs, part, input_names=names, output_names=outputs,
            opset_version=OPSET, dynamo=False,
            dynamic_axes={name: {0: "N"} for name in (*free, *outputs)},
        )  # fmt: skip
    part.replace(path)
