"""The proof of a split: what its two sides share, by name and by look."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.media.video import Frames, read_clip
from pipeline.records import FaceTrack, Protocol, Sample
from pipeline.splits.groups import SHAREABLE, group_clips, ties

HASH_SIDE = 8  # bits a side: 64 a frame


def split_proof(
    tracks: Sequence[FaceTrack], splits: Mapping[Protocol, Sequence[Sample]], faces: Path
) -> dict[Protocol, dict[str, Any]]:
    """What train and test share under each protocol; a sound split has `shared_groups` 0.

    `faces` is the folder of crops <clip_id>.mp4, read for the perceptual hashes. The nearest
    neighbour is the share of differing hash bits (0: the same look, 0.5: unrelated).
    """
    groups = group_clips(tracks)
    hashes = {
        track.clip_id: frame_hashes(read_clip(faces / f"{track.clip_id}.mp4")) for track in tracks
    }
    return {
        protocol: _overlap(tracks, samples, groups) | {"nearest": _nearest(samples, hashes)}
        for protocol, samples in splits.items()
    }


def frame_hashes(frames: Frames) -> np.ndarray:
    """(T, H, W, 3) uint8 RGB > (T, 64) bool: is a cell brighter than the one left of it (dHash)?"""
    size = (HASH_SIDE + 1, HASH_SIDE)  # cv2: width, height
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    cells = np.stack([cv2.resize(g, size, interpolation=cv2.INTER_AREA) for g in grey])
    return (np.diff(cells.astype(np.int16), axis=2) > 0).reshape(len(frames), -1)


def _overlap(
    tracks: Sequence[FaceTrack], samples: Sequence[Sample], groups: dict[str, str]
) -> dict[str, Any]:
    sides: dict[str, set[str]] = {"train": set(), "test": set()}
    for sample in samples:
        sides[sample.side].add(sample.clip_id)
    held = {side: [t for t in tracks if t.clip_id in clips] for side, clips in sides.items()}
    group_sides = {side: {groups[t.clip_id] for t in held[side]} for side in held}
    report: dict[str, Any] = {
        "samples": {side: sum(s.side == side for s in samples) for side in sides},
        "clips": _intersection(sides["train"], sides["test"]),
        "groups": _intersection(group_sides["train"], group_sides["test"]),
        "shared_groups": len(group_sides["train"] & group_sides["test"]),
        "shared_frames": _shared_frames(samples),
    }
    for kind in SHAREABLE:
        train, test = (set().union(*(ties(t)[kind] for t in held[s])) for s in ("train", "test"))
        report[kind] = _intersection(train, test)
    return report


def _intersection(train: set[str], test: set[str]) -> dict[str, int]:
    return {"train": len(train), "test": len(test), "shared": len(train & test)}


def _shared_frames(samples: Sequence[Sample]) -> int:
    # Test frames that a training window holds too: the plainest leak of all.
    frames: dict[str, set[tuple[str, int]]] = {"train": set(), "test": set()}
    for sample in samples:
        span = range(sample.start, sample.start + sample.length)
        frames[sample.side].update((sample.clip_id, frame) for frame in span)
    return len(frames["train"] & frames["test"])


def _nearest(samples: Sequence[Sample], hashes: Mapping[str, np.ndarray]) -> dict[str, float]:
    train, test = (
        _signatures([s for s in samples if s.side == side], hashes) for side in ("train", "test")
    )
    # For bits as +-1 the differing share is (1 - mean product) / 2.
    distance = (1 - test @ train.T / train.shape[1]) / 2
    nearest = distance.min(axis=1)
    return {
        "smallest": round(float(nearest.min()), 4),
        "median": round(float(np.median(nearest)), 4),
        "largest": round(float(nearest.max()), 4),
    }


def _signatures(samples: Sequence[Sample], hashes: Mapping[str, np.ndarray]) -> np.ndarray:
    # (samples, length * 64) float32 of -1 and 1.
    bits = [hashes[s.clip_id][s.start : s.start + s.length].reshape(-1) for s in samples]
    return np.stack(bits).astype(np.float32) * 2 - 1
