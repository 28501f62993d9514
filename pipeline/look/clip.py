"""All about one clip: who and what it shows, its truth, what was said of it, what it is beside."""

import mmap
from pathlib import Path
from typing import Any

import numpy as np

from avatars.units import UNITS
from pipeline.corpus.render import read_truth
from pipeline.errors import ClipError, StageError
from pipeline.files import canonical
from pipeline.lineage import query
from pipeline.lineage.database import Index, Row
from pipeline.look.beside import beside
from pipeline.records import FaceTrack
from pipeline.workspace import Workspace

# Arrays of the truth that the page draws, and the digits that its lines need.
_DRAWN = {"executed": 3, "intended": 3, "landmarks_px": 2, "head_deg": 1, "gaze_deg": 1}
_SAID = """
    SELECT answer.task, answer.model, answer.protocol, answer.draw, sample.start, answer.label,
           answer.predicted, answer.sure
    FROM answer LEFT JOIN sample ON sample.id = answer.sample
    WHERE answer.clip = $clip ORDER BY ALL
"""


def about(files: Workspace, index: Index, name: str) -> dict[str, Any]:
    """`clip` (a row of `seen`), `conditions`, `film`, `truth`, `boxes`, `answers` and `beside`.

    What cannot be shown has an `error` sentence in its place. Raises StageError for a clip that
    the corpus lacks, with the nearest id.
    """
    row = row_of(index, name)
    return {
        "clip": row | {"seed": str(row["seed"]) if row["seed"] else None},  # JavaScript has 53 bits
        "conditions": index.rows(
            "SELECT kind, severity, side FROM condition WHERE clip = $clip", clip=name
        ),
        "truth": _truth(files, row),
        "boxes": boxes(files, name),
        "answers": index.rows(_SAID, clip=name),
        "beside": beside(index, row),
    }


def row_of(index: Index, name: str) -> Row:
    """The row of a clip in `seen`, by its id or key; StageError names the nearest id."""
    name = query.resolve(index, name)
    row = index.one("SELECT * FROM seen WHERE id = $id", id=name)
    if row is None:
        kind = query.kind_of(index, name)  # says so when it is nothing at all
        raise StageError(f"'{name}' is a {kind} and no clip; `pallor explain {name}` leads to its")
    return row


def film(files: Workspace, row: Row) -> Path:
    """Where the whole frames of a clip lie, there or not."""
    folder = files.clips if row["kind"] == "avatar" else files.transferred
    return folder / f"{row['id']}.mp4"


def boxes(files: Workspace, name: str) -> list[list[float]]:
    """The (T, 4) crop boxes of a kept clip, in pixels of the frame; none for another.

    The table's one line is sought as bytes: to read all of 100,000 rows takes seconds.
    """
    line = _line(files.faces / "faces.jsonl", f'"clip_id":{canonical(name)}'.encode())
    return FaceTrack.model_validate_json(line).boxes if line else []


def _line(path: Path, text: bytes) -> bytes | None:
    if not path.is_file() or not path.stat().st_size:
        return None
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as table:
        at = table.find(text)
        if at < 0:
            return None
        end = table.find(b"\n", at)
        return table[table.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(table)]


def _truth(files: Workspace, row: Row) -> dict[str, Any]:
    """What an avatar's truth file says, or of a transferred clip its driver's units."""
    path = files.clips / f"{row['driving']}.npz"
    if not path.is_file():
        return {"error": f"{path} is missing; `dvc checkout` or `pallor run` brings it back"}
    return drawn_truth(path, own=row["kind"] == "avatar")


def drawn_truth(path: Path, own: bool) -> dict[str, Any]:
    """What the page draws of a truth file, or the `error`; of a driver's (not `own`) the units."""
    try:
        return _drawn(read_truth(path), own)
    except (ClipError, KeyError) as error:
        return {"error": f"{path} cannot be drawn: {error}"}


def _drawn(truth: dict[str, np.ndarray], own: bool) -> dict[str, Any]:
    names = [str(name) for name in truth["units"]]
    found: dict[str, Any] = {
        name: np.round(truth[name].astype(float), digits).tolist()
        for name, digits in _DRAWN.items()
        if name in truth and (own or name in ("executed", "intended"))
    }
    if own and "landmarks_visible" in truth:
        found["landmarks_visible"] = truth["landmarks_visible"].tolist()
    units = [{"unit": n, "meaning": UNITS[n].meaning if n in UNITS else ""} for n in names]
    return {"units": units, "own": own, **found}
