"""The trained classifier as an ONNX file that says what its columns are."""

import json
from pathlib import Path

import onnx

from models import export_onnx, load
from models.errors import ModelError
from pipeline.errors import AssetError
from pipeline.files import writing


def write_onnx(model: Path, out: Path) -> int:
    """Write the classifier of a model file to `out`; its size in bytes.

    `windows` (N, T, S, S) uint8 grey face crops > `probabilities` (N, classes), calibrated. The
    metadata key `pallor` holds JSON with `labels`, `window` (frames) and `notice`.
    Raises AssetError when the model does not load.
    """
    try:
        classifier = load(model)
    except ModelError as error:
        raise AssetError(str(error)) from error
    with writing(out) as part:
        export_onnx(classifier, part)
        graph = onnx.load(part)
        entry = graph.metadata_props.add()
        entry.key, entry.value = (
            "pallor",
            json.dumps(
                {
                    "labels": list(classifier.labels),
                    "window": classifier.window,
                    "notice": "Not a medical device.",
                },
                sort_keys=True,
            ),
        )
        onnx.save(graph, part)
    return out.stat().st_size
