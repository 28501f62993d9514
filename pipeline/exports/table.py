"""A corpus read back as rows: from an exported dataset folder, or from a finished workspace."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.exports.dataset import CLIPS
from pipeline.exports.source import Release, Source
from pipeline.exports.tables import clip_rows
from pipeline.files import read_jsonl
from pipeline.study_checks import open_study
from pipeline.workspace import Workspace

FILES = ("video", "face", "truth")  # the columns that name files


def read_rows(folder: Path, study: str) -> list[dict[str, Any]]:
    """One row a clip, by clip_id, its files as whole paths.

    `folder` holds `clips.jsonl` (docs/formats/dataset.md) or is a workspace with a made `study`.
    Raises StageError where it is neither.
    """
    if (folder / CLIPS).is_file():
        return [_placed(row, folder) for row in read_jsonl(folder / CLIPS)]
    workspace = Workspace(study, folder)
    if not (workspace.faces / "faces.jsonl").is_file():
        raise StageError(
            f"{folder.resolve()} holds neither {CLIPS} nor a finished study '{study}'; name a "
            "folder that `pallor export croissant` wrote, or run `pallor run` in a clone"
        )
    return _of_workspace(workspace)


def _of_workspace(workspace: Workspace) -> list[dict[str, Any]]:
    # Read for its owner, not handed over: whose consent is in force is asked by every export.
    source = Source(workspace, open_study(workspace), Release(version("pallor"), None, ""))
    tracks = {track.clip_id: track for track in source.tracks}
    rows = clip_rows(source)
    for row in rows:
        track = tracks[row["clip_id"]]
        found = (source.video(track), source.crop(track), source.truth(track))
        row.update({k: str(p.resolve()) if p else None for k, p in zip(FILES, found, strict=True)})
    return rows


def _placed(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    paths = {name: str((folder / row[name]).resolve()) for name in FILES if row[name]}
    return {**row, **paths}
