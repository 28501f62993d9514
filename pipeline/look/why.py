"""Why the study's main model says what it says of a clip, for the clip's own page."""

from typing import Any

from models import load, to_grey
from models.errors import ModelError
from pipeline.errors import AssetError, StageError
from pipeline.evaluation.occlusion import explain
from pipeline.lineage.database import Index, Row
from pipeline.media.video import read_clip
from pipeline.study import Study
from pipeline.workspace import Workspace

_STARTS = """
    SELECT DISTINCT sample.start FROM sample JOIN side ON side.sample = sample.id
    WHERE sample.clip = $clip AND sample.origin IS NULL AND side.task = '' AND side.draw = $draw
    ORDER BY 1
"""


def why(files: Workspace, study: Study, index: Index, row: Row, draw: str) -> dict[str, Any]:
    """`label`, `share`, `frames`, `parts`, `sentence` as `occlusion.Why` has them, and the `draw`.

    Raises StageError for a clip without windows and for a study that compares windows, AssetError
    without a trained model, ClipError when the crops are gone.
    """
    if study.input.reference != "none":
        raise StageError(
            f"{study.name} compares each window with one of '{study.input.reference}', and what "
            "counts in a comparison is not asked here"
        )
    starts = index.column(_STARTS, clip=row["id"], draw=draw)
    if not starts:
        raise StageError(f"{row['id']} has no window in the draw '{draw}', so no model was asked")
    [main] = index.rows("SELECT * FROM main")
    try:
        model = load(files.model(main["task"], main["model"], draw))
    except ModelError as error:
        raise AssetError(str(error)) from error
    crops = read_clip(files.faces / f"{row['id']}.mp4")
    found = explain(model, crops if study.input.channels == 3 else to_grey(crops), starts)
    return {
        "draw": draw, "model": f"{main['task']} {main['model']}", "label": found.label,
        "share": found.share, "frames": found.frames.round(4).tolist(),
        "parts": found.parts.round(4).tolist(), "sentence": found.sentence(),
    }  # fmt: skip
