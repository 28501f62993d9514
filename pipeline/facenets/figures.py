"""How good a detector is, against faces whose true landmarks are known.

Asked of every detector alike, through the door that the faces stage uses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.faces.alignment import AlignmentDetector, landmark_box
from pipeline.faces.detect import Detector
from pipeline.faces.track import overlap
from pipeline.records import Person
from pipeline.splits.groups import age_band

FOUND = 0.5  # overlap of the largest box with the true one from which a face counts as found
CORNERS = (36, 45)  # outer corners of the eyes, whose distance errors are shares of


@dataclass(frozen=True)
class Seen:
    """One frame's outcome: `overlap` of the largest box with the true one, 0 where none was found.

    `groups` are the names of those that the frame counts for. `error` is the mean distance of the
    68 landmarks as a share of the eyes' distance, `error_px` the same in px; None where the
    detector gives none or the face was not found.
    """

    groups: tuple[str, ...]
    overlap: float
    error: float | None = None
    error_px: float | None = None


def examine(
    detector: Detector, frame: np.ndarray, truth: np.ndarray, groups: tuple[str, ...] = ()
) -> Seen:
    """Find the face of a frame (H, W, 3) uint8 whose landmarks (68, 2) px are known."""
    boxes = detector.find(frame)
    shared = overlap(boxes[0], landmark_box(truth)) if len(boxes) else 0.0
    if shared < FOUND or not isinstance(detector, AlignmentDetector):
        return Seen(groups, shared)
    points, _ = detector.landmarks(frame, boxes[0])
    away = float(np.linalg.norm(points - truth, axis=1).mean())
    eyes = float(np.linalg.norm(truth[CORNERS[0]] - truth[CORNERS[1]]))
    return Seen(groups, shared, away / eyes, away)


def summary(seen: Sequence[Seen]) -> dict[str, float]:
    """Frames, share of faces found, mean overlap of those found, landmark errors where there are.

    `landmark_error` is a share of the distance of the outer eye corners, `worst_tenth` its 90 %
    quantile over frames, `landmark_error_px` in px.
    """
    found = [one for one in seen if one.overlap >= FOUND]
    row = {"frames": len(seen), "found": round(len(found) / len(seen), 4)}
    if found:
        row["overlap"] = round(float(np.mean([one.overlap for one in found])), 4)
    errors = [one.error for one in found if one.error is not None]
    if errors:
        row["landmark_error"] = round(float(np.mean(errors)), 4)
        row["worst_tenth"] = round(float(np.quantile(errors, 0.9)), 4)
        pixels = [one.error_px for one in found if one.error_px is not None]
        row["landmark_error_px"] = round(float(np.mean(pixels)), 3)
    return row


def by_group(seen: Iterable[Seen]) -> dict[str, dict[str, float]]:
    """The summary of all frames, and of each group that they count for."""
    groups: dict[str, list[Seen]] = {"all": []}
    for one in seen:
        groups["all"].append(one)
        for name in one.groups:
            groups.setdefault(name, []).append(one)
    return {name: summary(groups[name]) for name in ["all", *sorted(set(groups) - {"all"})]}


def groups_of(person: Person) -> tuple[str, ...]:
    """Age band, sex and ethnic group of a rendered person."""
    return f"age {age_band(person.age)}", f"{person.sex}", f"{person.ethnicity}"
