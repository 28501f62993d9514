"""How the sides of a protocol's draws are drawn: a fraction, folds, a cohort, or counts."""

from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, train_test_split

from pipeline.errors import StageError
from pipeline.files import child_seed
from pipeline.records import FaceTrack, Sample, Side
from pipeline.splits.groups import draw_families, families
from pipeline.study import Protocol

Sides = dict[str, Side]  # sample_id > side; a sample without one is in no table


def draw_sides(
    tracks: Sequence[FaceTrack], windows: Sequence[Sample], protocol: Protocol, seed: int
) -> list[Sides]:
    """The sides of each draw of a protocol; clips that are not trained on take part later."""
    trained = [track for track in tracks if track.trained and takes_part(track, protocol)]
    known = {track.clip_id for track in trained}
    windows = [window for window in windows if window.clip_id in known]
    if protocol.folds is not None:
        return [
            sides
            for repeat in range(protocol.repeats)
            for sides in draw_folds(trained, windows, protocol, child_seed(seed, "repeat", repeat))
        ]
    if protocol.test_cohorts is not None:
        held = {track.clip_id for track in trained if track.cohort in protocol.test_cohorts}
        return [_sides(windows, held)]
    if protocol.counts is not None:
        return [_counted(trained, windows, protocol, seed)]
    if protocol.together == "nothing":
        return [_drawn_windows(windows, protocol.test or 0.0, seed)]
    family = families(trained, protocol.together)
    chosen = draw_families(trained, family, protocol.test or 0.0, seed)
    return [_sides(windows, {clip for clip, name in family.items() if name in chosen})]


def takes_part(track: FaceTrack, protocol: Protocol) -> bool:
    """Is the clip's performer of a cohort that the protocol asks?"""
    return protocol.cohorts is None or track.cohort in protocol.cohorts


def _drawn_windows(windows: Sequence[Sample], fraction: float, seed: int) -> Sides:
    labels = [window.label for window in windows]
    try:
        _, chosen = train_test_split(
            np.arange(len(windows)), test_size=fraction, stratify=labels, random_state=seed % 2**32
        )
    except ValueError as error:
        raise StageError(
            f"{len(windows)} windows of {len(set(labels))} classes are too few to split: {error}"
        ) from error
    tested = {windows[index].sample_id for index in chosen}
    return {w.sample_id: "test" if w.sample_id in tested else "train" for w in windows}


def draw_folds(
    tracks: Sequence[FaceTrack], windows: Sequence[Sample], protocol: Protocol, seed: int
) -> Iterator[Sides]:
    """The sides of one repeat of a protocol's folds; StageError when people are too few."""
    folds, labels = protocol.folds or 2, [window.label for window in windows]
    state = seed % 2**32
    if protocol.together == "nothing":
        parts = StratifiedKFold(folds, shuffle=True, random_state=state).split(labels, labels)
    else:
        family = families(tracks, protocol.together)
        names = [family[window.clip_id] for window in windows]
        if len(set(names)) < folds:
            raise StageError(
                f"{len(set(names))} {protocol.together}s are too few for {folds} folds"
            )
        drawer = StratifiedGroupKFold(folds, shuffle=True, random_state=state)
        parts = drawer.split(labels, labels, names)
    for _, tested in parts:
        chosen = {windows[index].sample_id for index in tested}
        yield {w.sample_id: "test" if w.sample_id in chosen else "train" for w in windows}


def _counted(
    tracks: Sequence[FaceTrack], windows: Sequence[Sample], protocol: Protocol, seed: int
) -> Sides:
    """Whole families in a random order fill test, then validation, then training.

    Counts are of the protocol's unit; families that no side has room for are left out.
    """
    counts = protocol.counts
    assert counts is not None
    by_window = protocol.together == "nothing"
    family = families(tracks, protocol.together)
    person = families(tracks, "person")
    held: dict[str, list[Sample]] = {}
    for window in windows:
        name = window.sample_id if by_window else family[window.clip_id]
        held.setdefault(name, []).append(window)
    room: dict[Side, int] = {
        "test": counts.test, "validation": counts.validation, "train": counts.train,
    }  # fmt: skip
    sides: Sides = {}
    names = sorted(held)
    for index in np.random.default_rng(seed).permutation(len(names)):
        members = held[names[index]]
        clips = {member.clip_id for member in members}
        size = {
            "window": len(members), "clip": len(clips), "person": len({person[c] for c in clips}),
        }[protocol.unit]  # fmt: skip
        side = next((side for side, left in room.items() if left >= size), None)
        if side:
            room[side] -= size
            sides |= {member.sample_id: side for member in members}
    if any(room[side] == getattr(counts, side) for side in room):
        raise StageError(f"too few clips for the counts {counts.model_dump()}; render more")
    return sides


def _sides(windows: Sequence[Sample], tested: set[str]) -> Sides:
    return {w.sample_id: "test" if w.clip_id in tested else "train" for w in windows}
