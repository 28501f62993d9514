"""The plain dataset folder that Croissant, RO-Crate and the cards describe."""

import shutil
from pathlib import Path
from typing import Any

from pipeline.exports.source import Source
from pipeline.exports.tables import clip_rows, window_rows
from pipeline.files import write_jsonl

CLIPS = "clips.jsonl"
WINDOWS = "windows.jsonl"
QUARANTINE = "quarantine.jsonl"


def write_dataset(source: Source, folder: Path) -> list[dict[str, Any]]:
    """Fill an empty `folder` with tables, clips, crops and truth; the clip rows.

    `docs/formats/dataset.md` says what lies where. Same corpus, same bytes.
    """
    rows = clip_rows(source)
    for name in ("clips", "faces", "truth"):
        (folder / name).mkdir()
    for track, row in zip(source.tracks, rows, strict=True):
        shutil.copyfile(source.video(track), folder / row["video"])
        shutil.copyfile(source.crop(track), folder / row["face"])
        if truth := source.truth(track):
            shutil.copyfile(truth, folder / row["truth"])
    write_jsonl(folder / CLIPS, rows)
    write_jsonl(folder / WINDOWS, window_rows(source))
    write_jsonl(folder / QUARANTINE, source.quarantine)
    return rows
