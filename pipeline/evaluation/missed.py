"""Clips in which no face was found: the whole system has no answer to them, so they are errors.

The figures of a test side are over faces that were found. A detector that loses every profile
would make them look better than the system is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.corpus.planned import Plan
from pipeline.evaluation.answers import Looks
from pipeline.evaluation.groups import PLANNED, members
from pipeline.evaluation.metrics import bootstrap_accuracy
from pipeline.evaluation.units import Units
from pipeline.files import read_jsonl
from pipeline.records import ClipPlan, Person, TransferPlan
from pipeline.study import Protocol
from pipeline.task import Task

# Gates on the face's box. The others tell broken or doubled clips, which nobody could answer.
FACELESS = frozenset({"no_face", "several_faces", "face_lost", "face_cut"})
Row = dict[str, Any]
Chance = tuple[int, int]  # resamples, seed


@dataclass(frozen=True)
class Missed:
    """A planned clip without a face: its row, the clip that drives it, and who is seen."""

    row: ClipPlan | TransferPlan
    driver: ClipPlan
    person: Person


def read_missed(faces: Path, plan: Plan) -> list[Missed]:
    """The clips of a plan that the folder of crops turned away for want of one whole face."""
    rows = read_jsonl(faces / "quarantine.jsonl")
    names = {row["clip_id"] for row in rows if row["reason"] in FACELESS}
    drivers = {clip.clip_id: clip for clip in plan.clips}
    people = {portrait.portrait_id: portrait.person for portrait in plan.portraits}
    return [
        *(Missed(clip, clip, clip.person) for clip in plan.clips if clip.clip_id in names),
        *(
            Missed(row, drivers[row.driving_clip_id], people[row.portrait_id])
            for row in plan.transfers
            if row.clip_id in names
        ),
    ]


def asked_of(missed: Sequence[Missed], task: Task, rules: Protocol) -> list[Missed]:
    """Those that a task asks about under a protocol, of arms that are trained on."""
    return [
        one for one in missed
        if one.row.trained and task.class_of(one.row.label or "", one.row.targets) is not None
        and (rules.cohorts is None or one.row.cohort in rules.cohorts)
    ]  # fmt: skip


def missed_row(
    missed: Sequence[Missed], clips: Units | int, task: Task, seen: tuple[Looks, Plan],
    chance: Chance,
) -> Row:  # fmt: skip
    """`n_missed`, `n` and the share `found` of all clips asked about; no key where none is missed.

    Where everybody is tested, `clips` are the answers joined by clip: then also `accuracy`, each
    missed clip being wrong, with its interval over people, and all of it by the task's groups.
    Else it is the number of clips found, on whatever side.
    """
    if not missed:
        return {}
    if isinstance(clips, int):
        return _counts(len(missed), clips + len(missed))
    looks, plan = seen
    times = len(clips.samples) // len(set(clips.clips))  # repeats: each asks about every clip
    lost = [one for one in missed for _ in range(times)]
    right = np.concatenate([clips.right, np.zeros(len(lost), dtype=bool)])
    people = np.array([*clips.people, *(one.driver.person.identity_id for one in lost)])
    found = np.arange(len(right)) < len(clips.right)

    def told(mine: np.ndarray) -> Row:
        return {
            **_counts(int((mine & ~found).sum()) // times, int(mine.sum()) // times),
            "accuracy": round(float(right[mine].mean()), 6),
            "accuracy_ci95": bootstrap_accuracy(right[mine], people[mine].tolist(), *chance),
        }

    drivers = {clip.clip_id: clip for clip in plan.clips}
    tracks = [looks.tracks[clip] for clip in clips.clips]
    shown = [
        *((drivers[track.driving_clip_id], track.person) for track in tracks),
        *((one.driver, one.person) for one in lost),
    ]
    groups: Row = {}
    for name in task.errors_by:
        if name in PLANNED:  # light and skin are read from a crop, which a missed clip has not
            values = [PLANNED[name](*pair) for pair in shown]
            groups[name] = {value: told(mine) for value, mine in members(values).items()}
    whole = told(np.ones(len(right), dtype=bool))
    return {**whole, **({"errors_by": groups} if groups else {})}


def _counts(missed: int, every: int) -> Row:
    return {"n_missed": missed, "n": every, "found": round(1 - missed / every, 6)}
