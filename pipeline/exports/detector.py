"""Our own BlazeFace as one ONNX file, so that a page finds faces as the line does.

`picture` (1, 128, 128, 3) uint8 RGB > `finds` (896, 17) float32: ymin, xmin, ymax, xmax and six
points (x, y), as shares of the side, then the score in [0, 1]. What overlaps is not merged yet.
"""

import warnings
from pathlib import Path

import numpy as np
import torch
from face_alignment.detection.blazeface.net_blazeface import BlazeFace
from torch import Tensor, nn

from pipeline.errors import AssetError
from pipeline.faces.alignment import INPUT
from pipeline.faces.detect import OWN
from pipeline.files import writing

OPSET = 18  # as the classifiers'
THRESHOLD = 0.5  # score of a find that counts: face-alignment's own for BlazeFace


class _Decoded(nn.Module):
    """The network with the library's own steps before and after it."""

    def __init__(self, network: BlazeFace, anchors: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("anchors", anchors)

    def forward(self, picture: Tensor) -> Tensor:
        found, scores = self.network(self.network._preprocess(picture.permute(0, 3, 1, 2)))
        finds = self.network._decode_boxes(found, self.anchors)
        return torch.cat([finds, scores.sigmoid()], 2)[0]


@torch.no_grad()
def export_detector(out: Path, weights: Path = OWN) -> None:
    """Write the BlazeFace of the folder `weights` to `out`, whole or not at all.

    Raises AssetError when the folder does not hold it.
    """
    files = weights / "blazeface.pth", weights / "anchors.npy"
    if not all(path.is_file() for path in files):
        raise AssetError(
            f"{weights}/ does not hold blazeface.pth and anchors.npy; check out its files again "
            "or train them with `make facenets`"
        )
    network = BlazeFace()
    network.load_state_dict(torch.load(files[0], map_location="cpu", weights_only=True))
    decoded = _Decoded(network, torch.from_numpy(np.load(files[1]))).eval()
    picture = torch.zeros(1, INPUT, INPUT, 3, dtype=torch.uint8)
    with writing(out) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in models/export.py
        torch.onnx.export(
            decoded, (picture,), part, input_names=["picture"], output_names=["finds"],
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
