"""WebDataset shards: tar files that training loops stream (github.com/webdataset/webdataset).

One shard series a side of `Source.draw`. Same corpus, same bytes: entries are sorted and carry
no time, user or group of this machine.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.exports.library import library
from pipeline.exports.source import Source
from pipeline.exports.tables import UNPLACED, clip_rows, window_rows
from pipeline.files import file_digest, write_json

CLIPS_A_SHARD = 256  # some tens of MB at the default clip size: small enough to shuffle
OWNER = "pallor"


def write_shards(source: Source, folder: Path, clips_a_shard: int = CLIPS_A_SHARD) -> None:
    """Fill `folder` with pallor-<side>-<number>.tar and index.json (`docs/formats/webdataset.md`).

    Raises AssetError without webdataset.
    """
    counts: Counter[str] = Counter()
    for side, samples in _by_side(source).items():
        for number, start in enumerate(range(0, len(samples), clips_a_shard)):
            name = f"pallor-{side}-{number:06}.tar"
            batch = samples[start : start + clips_a_shard]
            _write_shard(folder / name, (_sample(source, *item) for item in batch))
            counts[name] = len(batch)
    index = {
        name: {"clips": count, "sha256": file_digest(folder / name)}
        for name, count in counts.items()
    }
    write_json(folder / "index.json", index)


def _by_side(source: Source) -> dict[str, list[tuple[Any, dict[str, Any]]]]:
    windows: dict[str, list[dict[str, Any]]] = {}
    for row in window_rows(source):
        windows.setdefault(row["clip_id"], []).append(row)
    sides: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
    for track, row in zip(source.tracks, clip_rows(source), strict=True):
        row["windows"] = windows.get(track.clip_id, [])
        sides.setdefault(row["side"] or UNPLACED, []).append((track, row))
    return sides


def _sample(source: Source, track: Any, row: dict[str, Any]) -> dict[str, Any]:
    sample = {
        "__key__": track.clip_id,
        "face.mp4": source.crop(track).read_bytes(),
        "json": row,
        "mp4": source.video(track).read_bytes(),
    }
    if truth := source.truth(track):
        sample["npz"] = truth.read_bytes()
    return sample


def _write_shard(path: Path, samples: Iterable[dict[str, Any]]) -> None:
    webdataset = library("webdataset")
    with path.open("wb") as stream:
        writer = webdataset.TarWriter(stream, user=OWNER, group=OWNER, mtime=0, compress=False)
        for sample in samples:
            writer.write(sample)
        writer.close()
