"""The features of a study's corpus, sides apart, to measure other clips by (`afar`)."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models import Classifier, to_grey
from pipeline.errors import ClipError
from pipeline.evaluation.afar import features, looks
from pipeline.files import read_json
from pipeline.media.video import read_clip
from pipeline.splits.tables import read_samples

if TYPE_CHECKING:
    from pipeline.records import Sample
    from pipeline.workspace import Workspace

Kinds = dict[str, np.ndarray]


def corpus_features(
    workspace: "Workspace", draw: str, model: Classifier
) -> tuple[Kinds, Kinds] | None:
    """`looks` and `features` of the training side of a draw, and of its test side, a row a clip.

    None where the corpus does not lie here: neither its table nor its crops are in git.
    """
    table = workspace.samples(draw)
    if not table.is_file() or not workspace.faces.is_dir():
        return None
    samples = read_samples(table)
    sides = (
        [sample for sample in samples if sample.side != "test"],
        [sample for sample in samples if sample.side == "test"],
    )
    try:
        trained, strangers = (_kinds(side, workspace.faces, model) for side in sides)
    except ClipError:  # a table without its films
        return None
    return trained, strangers


def corpus_detector(workspace: "Workspace") -> str | None:
    """By what the faces of the corpus were found; None where its crops do not lie here."""
    path = workspace.faces / "detector.json"
    return str(read_json(path)["detector"]) if path.is_file() else None


def clip_features(crops: np.ndarray, windows: np.ndarray, model: Classifier) -> Kinds:
    """`looks` (1, F) of (T, S, S, 3) crops, `features` (1, F), the mean over windows."""
    return {
        "looks": looks([crops[0]]),
        "features": features(model, windows).mean(axis=0, keepdims=True),
    }


def joined(rows: list[Kinds]) -> Kinds:
    """The features of several clips, a row each."""
    return {kind: np.concatenate([row[kind] for row in rows]) for kind in rows[0]}


def _kinds(samples: "list[Sample]", faces: Path, model: Classifier) -> Kinds:
    starts: dict[str, list[int]] = {}
    for sample in samples:
        starts.setdefault(sample.clip_id, []).append(sample.start)
    rows = []
    for clip, mine in sorted(starts.items()):
        crops = read_clip(faces / f"{clip}.mp4")
        seen = crops if model.network.sizes.channels == 3 else to_grey(crops)
        windows = np.stack([seen[start : start + model.window] for start in sorted(set(mine))])
        rows.append(clip_features(crops, windows, model))
    return joined(rows) if rows else {"looks": np.zeros((0, 1)), "features": np.zeros((0, 1))}
