"""The proof of a split: what its two sides share, by name and by look."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.errors import StageError
from pipeline.media.likeness import SAME
from pipeline.media.video import Frames, read_clip
from pipeline.records import FaceTrack, Sample
from pipeline.splits.copies import straddling
from pipeline.splits.groups import SHAREABLE, group_clips, ties
from pipeline.splits.twins import Pair, face, nearest_pairs
from pipeline.study import Protocol

HASH_SIDE = 8  # bits a side: 64 a frame


def split_proof(
    tracks: Sequence[FaceTrack],
    splits: Mapping[str, Sequence[Sample]],
    protocols: Mapping[str, Protocol],
    faces: Path,
) -> dict[str, dict[str, Any]]:
    """What train and test share in each draw; a sound split shares nothing it holds together.

    `faces` is the folder of crops <clip_id>.mp4, read for what they show. The nearest neighbour is
    the share of differing hash bits (0: the same look, 0.5: unrelated); `faces` the pair of
    different groups that is most alike (`pipeline.splits.twins`), and how many are one face.

    Raises StageError when a draw of a protocol that is not leaky has people or, under whatever
    names, one face on both sides; it names two samples.
    """
    groups, hashes, seen = group_clips(tracks), {}, {}
    for track in tracks:
        frames = read_clip(faces / f"{track.clip_id}.mp4")
        hashes[track.clip_id], seen[track.clip_id] = frame_hashes(frames), face(frames)
    proof = {}
    for draw, samples in splits.items():
        pairs = nearest_pairs(samples, seen)
        proof[draw] = _overlap(tracks, samples, groups) | {
            "nearest": _nearest(samples, hashes), "faces": _faces(pairs),
        }  # fmt: skip
        if protocols[draw].copies:
            proof[draw]["copies"] = straddling(samples)
        if protocols[draw].leaky:  # known to share faces: reported, not refused
            continue
        if pairs and pairs[0].twins:
            raise StageError(_accusation(draw, pairs[0], tracks))
        kind = "groups" if protocols[draw].together == "group" else "person"
        if shared := proof[draw][kind]["shared"]:
            raise StageError(
                f"the draw {draw} has {shared} people on both sides, though its protocol says "
                f"that it holds {protocols[draw].together} together"
            )
    return proof


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
    samples = [s.model_copy(update={"side": _learnt(s.side)}) for s in samples]
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
        "person": _intersection(*(
            {track.person.identity_id for track in held[side]} for side in ("train", "test")
        )),
    }  # fmt: skip
    for kind in SHAREABLE:
        train, test = (set().union(*(ties(t)[kind] for t in held[s])) for s in ("train", "test"))
        report[kind] = _intersection(train, test)
    return report


def _learnt(side: str) -> str:
    return "test" if side == "test" else "train"  # validation decides weights too


def _faces(pairs: Sequence[Pair]) -> dict[str, Any]:
    twins = sum(pair.twins for pair in pairs)
    if not pairs:
        return {"twins": 0}
    best = pairs[0]
    names = {"test": best.test.sample_id, "train": best.train.sample_id}
    return {"twins": twins, "likeness": best.nearness, **names}


def _accusation(draw: str, pair: Pair, tracks: Sequence[FaceTrack]) -> str:
    seen = {t.clip_id: t.portrait_id or t.identity_id for t in tracks}
    test, train = (
        f"{sample.sample_id} ({sample.clip_id}, {seen[sample.clip_id]})"
        for sample in (pair.test, pair.train)
    )
    return (
        f"the {draw} split has one face on both sides: test {test} and train {train} are alike "
        f"by {pair.likeness:.3f} (one picture above {SAME}); take one out of the register, "
        "give both one name in its column person, or draw a rendered one anew (plan.reseed)"
    )


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
