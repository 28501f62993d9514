"""The trained classifier as an ONNX file that says what its columns are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from models import export_onnx, load
from models.errors import ModelError
from pipeline.errors import AssetError
from pipeline.files import writing


def write_onnx(model: Path, out: Path, doubt: Mapping[str, Any] | None = None) -> int:
    """Write the classifier of a model file to `out`; its size in bytes.

    `windows` (N, T, S, S) uint8 grey face crops > `probabilities` (N, classes), calibrated. The
    metadata key `pallor` holds JSON with `labels`, `window` (frames), `notice` and, where folds
    were measured, `doubt`: a class is in the set of an answer where 1 - its probability is at
    most `limit`, and the face is unknown where 1 - the largest one is above `unsure`.
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
                    **({"doubt": dict(doubt)} if doubt else {}),
                },
                sort_keys=True,
            ),
        )
        onnx.save(graph, part)
    return out.stat().st_size
