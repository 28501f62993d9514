"""A classifier as one ONNX file, for runtimes outside Python.

`windows` (N, T, S, S) uint8 grey, or (N, T, S, S, C) of more channels > `probabilities`
(N, classes) float32; N is free. The file holds what `Classifier.probabilities` does: bytes to
[0, 1], the network, the temperature, softmax.
"""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from models.classifier import Classifier, channels_first

OPSET = 18  # the first whose GroupNormalization is torch's; read by every runtime since 2023


class _Whole(nn.Module):
    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network, self.temperature = classifier.network, classifier.temperature

    def forward(self, windows: Tensor) -> Tensor:
        scores = self.network(channels_first(windows).float() / 255)
        return (scores / self.temperature).softmax(1)


@torch.no_grad()
def export_onnx(classifier: Classifier, path: Path) -> None:
    """Write `path`, whole or not at all; windows have the classifier's own length and size."""
    sizes = classifier.network.sizes
    colours = (sizes.channels,) if sizes.channels > 1 else ()
    sample = torch.zeros(2, classifier.window, sizes.size, sizes.size, *colours, dtype=torch.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with warnings.catch_warnings():
        # torch would rather use its newer exporter, which needs a package more (onnxscript).
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Whole(classifier).eval(), (sample,), part, input_names=["windows"],
            output_names=["probabilities"], opset_version=OPSET, dynamo=False,
            dynamic_axes={"windows": {0: "N"}, "probabilities": {0: "N"}},
        )  # fmt: skip
    part.replace(path)
