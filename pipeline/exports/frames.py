"""Parquet: a table of clips, one of windows, and one of frames with every number of the truth."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.corpus.render import read_truth
from pipeline.errors import ClipError
from pipeline.exports import arkit
from pipeline.exports.library import library
from pipeline.exports.source import Source
from pipeline.exports.tables import clip_rows, window_rows

Columns = dict[str, np.ndarray]
# Truth array > the names of its last axis, as columns.
_NAMED = {
    "head_deg": ("head_yaw_deg", "head_pitch_deg", "head_roll_deg"),
    "gaze_deg": ("gaze_yaw_deg", "gaze_pitch_deg"),
    "aperture_mm": ("aperture_left_mm", "aperture_right_mm"),
}
_SINGLE = ("mouth_mm", "head_shift_mm", "breath_mm")


def write_parquet(source: Source, folder: Path) -> None:
    """Fill `folder` with clips.parquet, windows.parquet and frames.parquet, a row group a clip.

    Raises AssetError without pyarrow, ClipError for a truth that cannot be read.
    """
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(clip_rows(source)), folder / "clips.parquet")
    parquet.write_table(arrow.Table.from_pylist(window_rows(source)), folder / "windows.parquet")
    writer = None
    try:
        for clip, columns in frames(source):
            table = arrow.table({"clip_id": [clip] * len(columns["frame"]), **columns})
            writer = writer or parquet.ParquetWriter(folder / "frames.parquet", table.schema)
            writer.write_table(table)
    finally:
        if writer:
            writer.close()


def frames(source: Source) -> Iterator[tuple[str, Columns]]:
    """Each kept avatar's clip and its columns of one row a frame, by clip_id."""
    for track in source.tracks:
        if path := source.truth(track):
            try:
                found = columns_of(read_truth(path), source.driver(track).fps)
            except ClipError as error:
                raise ClipError(f"{track.clip_id}: {error}") from error
            yield track.clip_id, found


def columns_of(truth: Mapping[str, Any], fps: int) -> Columns:
    """The columns of one clip: `frame`, `seconds`, units a side, head, gaze, openings, ARKit's."""
    coefficients = arkit.coefficients(truth)
    number = np.arange(len(coefficients))
    found: Columns = {"frame": number.astype(np.int32), "seconds": (number / fps).astype("f4")}
    for row, unit in enumerate(truth["units"].tolist()):
        for kind in ("executed", "intended"):
            for place, side in enumerate(("left", "right")):
                found[f"{kind}_{unit}_{side}"] = truth[kind][:, row, place].astype("f4")
    for array, names in _NAMED.items():
        found |= {name: truth[array][:, n].astype("f4") for n, name in enumerate(names)}
    found |= {name: truth[name].astype("f4") for name in _SINGLE}
    return found | {f"arkit_{name}": coefficients[:, n] for n, name in enumerate(arkit.NAMES)}
