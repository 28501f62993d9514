"""Sides of the same windows under each protocol of a study.

A protocol says what never stands on two sides (`together`) and how the test side is drawn: a
fraction, k folds, a cohort held out whole, or fixed counts. A protocol that holds nothing together
puts near copies of one clip on both sides: it repeats what a published figure must have done, and
says so (`leaky`).
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline.errors import StageError
from pipeline.files import child_seed, write_json, write_jsonl
from pipeline.records import FaceTrack, Reference, Sample, short_id
from pipeline.splits.copies import with_copies
from pipeline.splits.draws import Sides, draw_sides, takes_part
from pipeline.splits.groups import families, group_clips
from pipeline.splits.proof import split_proof
from pipeline.splits.tables import read_tracks
from pipeline.study import Input, Protocol, Study

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.workspace import Workspace


def make(workspace: "Workspace", study: Study, params: "Params") -> None:
    """Write a table a draw, and the proof of what its sides share."""
    tracks = read_tracks(workspace.faces)
    splits = split(tracks, study, child_seed(params.seed, "split"))
    _say_alone(tracks, study)
    protocols = {draw: study.protocols[name] for name, draw in study.draws()}
    proof = split_proof(tracks, splits, protocols, workspace.faces)  # first: it may fail
    for draw, samples in splits.items():
        write_jsonl(workspace.samples(draw), [sample.row() for sample in samples])
    write_json(workspace.proof, proof)


def split(tracks: Sequence[FaceTrack], study: Study, seed: int) -> dict[str, list[Sample]]:
    """The samples of each draw, sorted by clip and start; the same windows, other sides.

    Raises StageError when there are too few clips, groups or frames to split.
    """
    tracks = sorted(tracks, key=lambda track: track.clip_id)
    windows = list(cut(tracks, study.input))
    if not windows:
        raise StageError("no clip was kept, so there is nothing to split; see quarantine.jsonl")
    tables = {}
    for name, protocol in study.protocols.items():
        units = with_copies(tracks, windows, protocol, child_seed(seed, name, "copies"))
        drawn = draw_sides(tracks, units, protocol, child_seed(seed, name))
        for draw, sides in zip(protocol.draws(name), drawn, strict=True):
            tables[draw] = on_sides(tracks, units, protocol, sides)
    return tables


def cut(tracks: Sequence[FaceTrack], view: Input) -> Iterator[Sample]:
    """Every window of every clip, on no side yet (`train`).

    A clip without another of the reference arm to be compared with has none.
    """
    groups = group_clips(tracks)
    references = _references(tracks, view.reference)
    for track in tracks:
        frames = len(track.boxes)
        if frames < view.frames:
            raise StageError(
                f"input.frames is {view.frames} but clip {track.clip_id} has only {frames}"
            )
        compared = references.get(track.person.identity_id, [])
        other = next((clip for clip in compared if clip != track.clip_id), None)
        if view.reference != "none" and other is None:
            continue
        for start in range(0, frames - view.frames + 1, view.stride):
            content = {"clip_id": track.clip_id, "start": start, "length": view.frames}
            yield Sample(
                **content, sample_id=short_id("sample", content), label=track.label,
                targets=track.targets, group=groups[track.clip_id], side="train",
                reference=Reference(clip_id=other, start=start) if other else None,
            )  # fmt: skip


def _say_alone(tracks: Sequence[FaceTrack], study: Study) -> None:
    reference = study.input.reference
    have = _references(tracks, reference)
    alone = [t for t in tracks if t.label != reference and t.person.identity_id not in have]
    if reference != "none" and alone:
        print(
            f"split: {len(alone)} clips are left out, no '{reference}' clip of their subject was "
            "kept to compare them with (input.reference)"
        )


def on_sides(
    tracks: Sequence[FaceTrack], windows: Sequence[Sample], protocol: Protocol, sides: Sides
) -> list[Sample]:
    """The windows on their sides; clips that are only asked about stand where nobody was learnt.

    Raises StageError when a side is empty.
    """
    sides = sides | _asked_only(tracks, windows, protocol, sides)
    table = [
        window.model_copy(update={"side": sides[window.sample_id]})
        for window in windows
        if window.sample_id in sides
    ]
    for side in ("train", "test"):
        if not any(sample.side == side for sample in table):
            raise StageError(f"the {side} side is empty; render more people or change the protocol")
    return table


def _asked_only(
    tracks: Sequence[FaceTrack], windows: Sequence[Sample], protocol: Protocol, sides: Sides
) -> Sides:
    asked = {t.clip_id for t in tracks if not t.trained and takes_part(t, protocol)}
    if not asked:
        return {}
    together = "clip" if protocol.together == "nothing" else protocol.together
    family = families(tracks, together)
    learnt = {
        family[w.clip_id] for w in windows if sides.get(w.sample_id) in ("train", "validation")
    }
    return {
        w.sample_id: "test"
        for w in windows
        if w.clip_id in asked and family[w.clip_id] not in learnt
    }


def _references(tracks: Sequence[FaceTrack], label: str) -> dict[str, list[str]]:
    """Subject > the clips of the reference arm, in the order of their ids."""
    found: dict[str, list[str]] = {}
    for track in tracks:
        if track.label == label:
            found.setdefault(track.person.identity_id, []).append(track.clip_id)
    return found
