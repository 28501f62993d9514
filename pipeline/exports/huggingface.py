"""A Hugging Face dataset folder: Parquet tables that `datasets.load_dataset` opens offline.

Three configurations: `clips` holds every kept clip with its bytes, on the sides of the clean
split; `clean` and `published` hold the windows of either protocol by clip_id.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.exports.library import library
from pipeline.exports.source import Source
from pipeline.exports.tables import clip_rows, window_rows

PATHS = ("video", "face", "truth")  # of the dataset folder; here the bytes stand in the table
SIDES = ("train", "test")


def write_huggingface(source: Source, folder: Path) -> None:
    """Fill `folder` with clips/, clean/ and published/, a Parquet file a side in each.

    The dataset card beside them (`pipeline.exports.cards`) names the configurations. Raises
    AssetError without datasets.
    """
    rows = clip_rows(source)
    by_id = {track.clip_id: track for track in source.tracks}
    for side in SIDES:
        clips = [_with_bytes(source, by_id[row["clip_id"]], row)
                 for row in rows if row["side"] == side]  # fmt: skip
        _write(folder / "clips" / f"{side}.parquet", clips, _clip_features())
    for protocol in source.corpus.splits:
        windows = [row for row in window_rows(source) if row["protocol"] == protocol]
        for side in SIDES:
            chosen = [row for row in windows if row["side"] == side]
            _write(folder / protocol / f"{side}.parquet", chosen, _window_features())


def configurations() -> list[dict[str, Any]]:
    """The card's `configs`: which file holds which side of which table."""
    return [
        {
            "config_name": name,
            "default": name == "clips",
            "data_files": [{"split": side, "path": f"{name}/{side}.parquet"} for side in SIDES],
        }
        for name in ("clips", "clean", "published")
    ]


def _with_bytes(source: Source, track: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    truth = source.truth(track)
    media = {
        "video": {"bytes": source.video(track).read_bytes(), "path": f"{track.clip_id}.mp4"},
        "face": {"bytes": source.crop(track).read_bytes(), "path": f"{track.clip_id}-face.mp4"},
        "truth": truth.read_bytes() if truth else None,
    }
    return {**row, **media}


def _clip_features() -> Any:
    hf = library("datasets")
    text, number = hf.Value("string"), hf.Value("int64")
    texts = ("clip_id", "kind", "label", "side", "group", "identity_id", "driving_clip_id",
             "portrait_id", "person_id", "sex", "ethnicity", "licence", "consent", "origin",
             *(f"{name}_sha256" for name in PATHS))  # fmt: skip
    return hf.Features(
        dict.fromkeys(texts, text)
        | dict.fromkeys(("seed", "frames", "fps", "size"), number)
        | {"age": hf.Value("float64"), "truth": hf.Value("binary")}
        # Undecoded: decoding needs torchcodec, and whoever has it casts to Video().
        | dict.fromkeys(("video", "face"), hf.Video(decode=False))
    )


def _window_features() -> Any:
    hf = library("datasets")
    texts = ("protocol", "sample_id", "clip_id", "label", "group", "side")
    return hf.Features(
        {name: hf.Value("string") for name in texts}
        | {name: hf.Value("int64") for name in ("start", "length")}
    )


def _write(path: Path, rows: Sequence[Mapping[str, Any]], features: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    hf = library("datasets")
    hf.disable_progress_bars()
    hf.Dataset.from_list(list(rows), features=features).to_parquet(path)
