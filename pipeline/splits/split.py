"""Two splits of the same windows: as published (over windows) and clean (over groups of people).

The published figure of 99.89 % has a resolution that only some 900 or more test units give, more
than 15 % of 176 clips can hold, so the split must have been over frames or windows: near copies of
one clip on both sides. `published` repeats that; `clean` moves whole groups (see `groups`).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from pipeline.errors import StageError
from pipeline.files import child_seed, read_jsonl, write_json, write_jsonl
from pipeline.params import SplitParams
from pipeline.records import PROTOCOLS, FaceTrack, Protocol, Sample, Side, short_id
from pipeline.splits.groups import draw_groups, group_clips
from pipeline.splits.proof import split_proof


def split_faces(faces: Path, out: Path, proof: Path, params: SplitParams, seed: int) -> None:
    """Read `faces`/faces.jsonl and its crops; write `out`/<protocol>.jsonl and the proof."""
    tracks = [FaceTrack.parse(row) for row in read_jsonl(faces / "faces.jsonl")]
    splits = split(tracks, params, seed)
    for protocol, samples in splits.items():
        write_jsonl(out / f"{protocol}.jsonl", [sample.row() for sample in samples])
    write_json(proof, split_proof(tracks, splits, faces))


def split(
    tracks: Sequence[FaceTrack], params: SplitParams, seed: int
) -> dict[Protocol, list[Sample]]:
    """The samples of each protocol, sorted by clip and start; the same windows, other sides.

    Raises StageError when there are too few clips, groups or frames to split.
    """
    tracks = sorted(tracks, key=lambda track: track.clip_id)
    groups = group_clips(tracks)
    windows = [w for track in tracks for w in _windows(track, groups[track.clip_id], params)]
    if not windows:
        raise StageError("no clip was kept, so there is nothing to split; see quarantine.jsonl")
    tested: dict[Protocol, set[str]] = {
        "published": _draw_windows(windows, params.test_fraction, child_seed(seed, "published")),
        "clean": _windows_of(
            windows, draw_groups(tracks, params.test_fraction, child_seed(seed, "clean"))
        ),
    }
    return {p: [_on_side(w, tested[p]) for w in windows] for p in PROTOCOLS}


def _windows(track: FaceTrack, group: str, params: SplitParams) -> list[Sample]:
    frames = len(track.boxes)
    if frames < params.window:
        raise StageError(
            f"split.window is {params.window} frames but clip {track.clip_id} has only {frames}"
        )
    starts = range(0, frames - params.window + 1, params.stride)
    return [_window(track, start, params.window, group) for start in starts]


def _window(track: FaceTrack, start: int, length: int, group: str) -> Sample:
    content = {"clip_id": track.clip_id, "start": start, "length": length}
    return Sample(
        sample_id=short_id("sample", content),
        clip_id=track.clip_id,
        start=start,
        length=length,
        label=track.label,
        group=group,
        side="train",
    )


def _draw_windows(windows: Sequence[Sample], fraction: float, seed: int) -> set[str]:
    labels = [window.label for window in windows]
    try:
        _, chosen = train_test_split(
            np.arange(len(windows)), test_size=fraction, stratify=labels, random_state=seed % 2**32
        )
    except ValueError as error:
        raise StageError(
            f"{len(windows)} windows of {len(set(labels))} classes are too few to split: {error}"
        ) from error
    return {windows[index].sample_id for index in chosen}


def _windows_of(windows: Sequence[Sample], groups: frozenset[str]) -> set[str]:
    return {window.sample_id for window in windows if window.group in groups}


def _on_side(window: Sample, tested: set[str]) -> Sample:
    side: Side = "test" if window.sample_id in tested else "train"
    return window.model_copy(update={"side": side})
