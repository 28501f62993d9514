"""A Hugging Face dataset folder: Parquet tables that `datasets.load_dataset` opens offline.

The configuration `clips` holds every kept clip with its bytes, on the sides of one draw; one for
each draw holds its windows by clip_id.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.exports.library import library
from pipeline.exports.source import Source
from pipeline.exports.tables import (
    COLUMNS,
    UNPLACED,
    WINDOW_COLUMNS,
    clip_rows,
    window_rows,
    with_targets,
)

Rows = Sequence[Mapping[str, Any]]


def write_huggingface(source: Source, folder: Path) -> None:
    """Fill `folder` with clips/ and a folder a draw, a Parquet file a side in each.

    The dataset card beside them (`pipeline.exports.cards`) names the configurations. Raises
    AssetError without datasets.
    """
    by_id = {track.clip_id: track for track in source.tracks}
    for side, rows in _by_side(clip_rows(source)).items():
        clips = [_with_bytes(source, by_id[row["clip_id"]], row) for row in rows]
        _write(folder / "clips" / f"{side}.parquet", clips, _clip_features(source))
    for draw, windows in _by_draw(source).items():
        for side, rows in _by_side(windows).items():
            _write(folder / draw / f"{side}.parquet", rows, _window_features(source))


def configurations(rows: Rows, source: Source) -> list[dict[str, Any]]:
    """The card's `configs`: which file holds which side of which table; `rows` are the clips'."""
    tables = {"clips": rows, **_by_draw(source)}
    return [
        {
            "config_name": name,
            "default": name == "clips",
            "data_files": [
                {"split": side, "path": f"{name}/{side}.parquet"} for side in _by_side(table)
            ],
        }
        for name, table in tables.items()
    ]


def _by_side(rows: Rows) -> dict[str, list[Mapping[str, Any]]]:
    sides: dict[str, list[Mapping[str, Any]]] = {"train": []}  # what is fitted on comes first
    for row in rows:
        sides.setdefault(row["side"] or UNPLACED, []).append(row)
    return {side: found for side, found in sides.items() if found}


def _by_draw(source: Source) -> dict[str, Rows]:
    rows = window_rows(source)
    return {draw: [row for row in rows if row["draw"] == draw] for draw in source.splits}


def _with_bytes(source: Source, track: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    truth = source.truth(track)
    media = {
        "video": {"bytes": source.video(track).read_bytes(), "path": f"{track.clip_id}.mp4"},
        "face": {"bytes": source.crop(track).read_bytes(), "path": f"{track.clip_id}-face.mp4"},
        "truth": truth.read_bytes() if truth else None,
    }
    return {**row, **media}


def _clip_features(source: Source) -> Any:
    hf = library("datasets")
    columns = _features(with_targets(COLUMNS, source))
    # Undecoded: decoding needs torchcodec, and whoever has it casts to Video().
    media = dict.fromkeys(("video", "face"), hf.Video(decode=False))
    return hf.Features({**columns, **media, "truth": hf.Value("binary")})


def _window_features(source: Source) -> Any:
    return library("datasets").Features(_features(with_targets(WINDOW_COLUMNS, source)))


def _features(columns: Mapping[str, tuple[type, str]]) -> dict[str, Any]:
    hf, kinds = library("datasets"), {str: "string", int: "int64", float: "float64"}
    return {name: hf.Value(kinds[kind]) for name, (kind, _) in columns.items()}


def _write(path: Path, rows: Sequence[Mapping[str, Any]], features: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    hf = library("datasets")
    hf.disable_progress_bars()
    hf.Dataset.from_list(list(rows), features=features).to_parquet(path)
