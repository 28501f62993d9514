"""Error by group: who is seen, under which light and condition, each with its interval."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from avatars import angles
from pipeline.corpus.planned import Plan
from pipeline.evaluation.answers import Looks
from pipeline.evaluation.metrics import bootstrap_accuracy
from pipeline.records import ClipPlan, Person
from pipeline.splits.groups import age_band
from pipeline.task import Group

Value = str | tuple[str, ...]  # what a clip is in a group; it may wear several things
# Mean luma of the first crop, as a picture shows it: names and upper ends.
LIGHTS = (("dim", 70.0), ("medium", 130.0), ("bright", 256.0))
LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def grouped(
    clips: Sequence[str], names: Sequence[Group], looks: Looks, plan: Plan
) -> dict[str, list[Value]]:
    """For each group by name, the value that each of N clips has, or its values."""
    rows = {clip.clip_id: clip for clip in plan.clips}
    seen: Mapping[str, Callable[[str], Value]] = {
        "light": lambda clip: light(looks.crops[clip][0]),
        "skin": lambda clip: looks.tones[clip],
    }

    def value(name: Group, clip: str) -> Value:
        if name in seen:
            return seen[name](clip)
        track = looks.tracks[clip]
        return PLANNED[name](rows[track.driving_clip_id], track.person)

    return {name: [value(name, clip) for clip in clips] for name in names}


def members(values: Sequence[Value]) -> dict[str, np.ndarray]:
    """(N,) bool for each value, sorted: which units have it. One of several values has each."""
    held = [{value} if isinstance(value, str) else set(value) for value in values]
    return {name: np.array([name in one for one in held]) for name in sorted(set().union(*held))}


def errors_by(
    values: Sequence[Value], right: np.ndarray, people: Sequence[str], chance: tuple[int, int]
) -> dict[str, dict[str, Any]]:
    """For each value: `accuracy`, `accuracy_ci95` over people, `n` units, `n_people`."""
    names = np.asarray(people)
    found = {}
    for value, mine in members(values).items():
        found[value] = {
            "accuracy": round(float(right[mine].mean()), 6),
            "accuracy_ci95": bootstrap_accuracy(right[mine], names[mine].tolist(), *chance),
            "n": int(mine.sum()),
            "n_people": len(set(names[mine])),
        }
    return found


def breakdown(
    values: Sequence[Value],
    right: np.ndarray,
    people: tuple[Sequence[str], Sequence[str]],
    chance: tuple[int, int],
) -> dict[str, dict[str, Any]]:
    """As `errors_by`; `people` are (seen, driving): seen ones are counted, driving ones drawn."""
    seen, driving = (np.asarray(names) for names in people)
    found = errors_by(values, right, driving.tolist(), chance)
    whose = members(values)
    return {value: row | {"n_people": len(set(seen[whose[value]]))} for value, row in found.items()}


def light(crop: np.ndarray) -> str:
    """`dim`, `medium` or `bright`, of an (S, S) grey or (S, S, 3) RGB uint8 crop."""
    mean = float((crop @ LUMA if crop.ndim == 3 else crop).mean())
    return next(name for name, end in LIGHTS if mean < end)


def angle(clip: ClipPlan) -> str:
    """The name of KDEF's camera that is nearest to a clip's azimuth."""
    azimuth = clip.scene["camera"]["azimuth"]
    return min(angles.NAMED, key=lambda name: abs(angles.NAMED[name][0] - azimuth))


def _kinds(clip: ClipPlan) -> str:
    return " and ".join(row["kind"] for row in clip.conditions) or "none"


# What is known before a picture is: of the clip that drives the motion and of the person seen.
PLANNED: Mapping[str, Callable[[ClipPlan, Person], Value]] = {
    "condition": lambda clip, person: _kinds(clip),
    "occluder": lambda clip, person: tuple(clip.occluders) or "none",
    "setting": lambda clip, person: str(clip.scene["setting"]),
    "angle": lambda clip, person: angle(clip),
    "age": lambda clip, person: age_band(person.age),
    "sex": lambda clip, person: person.sex or "unknown",
    "ethnicity": lambda clip, person: person.ethnicity or "unknown",
}
