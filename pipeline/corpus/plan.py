"""The plan: every identity, scene, seed, portrait and driving clip, before one pixel."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import chain, product
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from avatars.identity import Identity, sample_identity
from avatars.scene import Scene, sample_scene, seen_from
from avatars.units import SIDES
from pipeline.arm import Arm, Impairment, ends
from pipeline.corpus.feasible import check_arms, check_clips
from pipeline.corpus.measures import measure
from pipeline.corpus.register import AVATAR_RIGHTS, Photograph, read_register
from pipeline.errors import ParamsError
from pipeline.files import child_seed, write_jsonl
from pipeline.params import Params
from pipeline.records import ClipPlan, Person, PortraitPlan, Record, TransferPlan, short_id
from pipeline.study import Study

if TYPE_CHECKING:
    from pipeline.workspace import Workspace


def make(workspace: "Workspace", study: Study, params: Params) -> None:
    """Write the plan's table of a study."""
    register = Path(params.portraits.source) / "register.csv"
    write_jsonl(workspace.plan, [row.row() for row in make_plan(study, params, register)])


def make_plan(
    study: Study, params: Params, register: Path, today: date | None = None
) -> list[Record]:
    """All rows of the plan: clips by person and arm, then portraits, then transfers.

    Same study, params and register, same rows. Whom `plan.exclude` names is in no row; the others
    keep theirs. Every consent must be in force on the day `today` (None: not asked), which changes
    no row. Raises StudyError (`check_arms`, `check_clips`), ParamsError (nobody left),
    AssetError (a photograph without licence).
    """
    check_arms(study, params)
    people = [list(_clips_of(study, params, number)) for number in range(study.people)]
    if not any(people):
        raise ParamsError("plan.exclude leaves no identity to perform; take one out of it")
    check_clips(study, [clip for clips in people for clip in clips])
    portraits = _portraits(study, params, read_register(register, today)) if study.portraits else {}
    transfers = _transfers(params, portraits, people)
    return [*chain(*people), *portraits.values(), *transfers]


def population(params: Params, name: str, number: int, salt: int = 0) -> Identity:
    """Person `number` of a named population; names keep corpus, portraits and motion apart."""
    order = np.random.default_rng(child_seed(params.seed, "strata", name))
    key: tuple[str | int, ...] = ("identity", name, number, salt)
    return sample_identity(number, order, np.random.default_rng(child_seed(params.seed, *key)))


def person_of(identity: Identity) -> Person:
    """What audits ask of a rendered person."""
    return Person(
        identity_id=short_id("identity", identity.row()),
        age=identity.age,
        sex=identity.sex,
        ethnicity=identity.ethnicity,
    )


def plan_clip(
    params: Params,
    identity: Identity,
    key: str,
    expression_name: str,
    frames: int,
    given: Sequence[dict[str, Any]] = (),
    shown: Mapping[str, Any] = MappingProxyType({}),
) -> ClipPlan:
    """One clip of a person, under the conditions `given`: its key alone draws scene and motion.

    `shown` holds its signs of illness and occluders.
    """
    content: dict[str, Any] = {
        "key": key,
        "person": person_of(identity),
        "identity": identity.row(),
        "expression": expression_name,
        "scene": sample_scene(np.random.default_rng(child_seed(params.seed, "scene", key))).row(),
        "seed": child_seed(params.seed, "clip", key),
        "frames": frames,
        "fps": params.plan.fps,
        "size": params.plan.size,
        "samples": params.render.samples,
        "conditions": list(given),
        **shown,
    }
    clip = ClipPlan(clip_id="", **content)
    return clip.model_copy(update={"clip_id": short_id("clip", clip.content())})


def filmed(clip: ClipPlan, azimuth: float, elevation: float) -> ClipPlan:
    """The same performance in the same light, seen from other angles in degrees.

    Its key tells them: `3/smiling@45,0`. Raises AvatarError past the limits of `avatars.angles`.
    """
    scene = seen_from(Scene.parse(clip.scene), azimuth, elevation).row()
    key = f"{clip.key}@{azimuth:g},{elevation:g}"
    other = clip.model_copy(update={"key": key, "scene": scene})
    return other.model_copy(update={"clip_id": short_id("clip", other.content())})


def _clips_of(study: Study, params: Params, number: int) -> Iterable[ClipPlan]:
    """The clips of person `number` in the order of the arms."""
    salt = params.plan.reseed.get(number, 0)
    identity = population(params, "corpus", number, salt)
    if person_of(identity).identity_id in params.plan.exclude:
        return
    for arm in study.arms:
        cohorts = [name for name in arm.cohorts if number in study.numbers(name)]
        for name, repeat in product(arm.expressions if cohorts else [], range(arm.repeats)):
            drawn = [_impaired(params, c, number, f"{name}.{repeat}") for c in arm.conditions]
            given = [_tired(c, row, repeat) for c, row in zip(arm.conditions, drawn, strict=True)]
            shown = _shown(params, arm, number, f"{name}.{repeat}")
            called = [*map(_called, arm.conditions, given), *_worn(shown)]
            key = "+".join([f"{number}/{name}", *called])
            key += f".{repeat}" if repeat else ""
            # A reseeded person is another person: scenes and motion are drawn anew with them.
            key += f"#{salt}" if salt else ""
            clip = plan_clip(params, identity, key, name, params.plan.frames, given, shown)
            planned = _planned(arm, cohorts[0], drawn) | {"passes": _passes(params, arm)}
            for seen in _seen(clip, arm, params):
                own = {name: measure(name, seen) for name in study.measured}
                targets = planned["targets"] | own
                yield seen.model_copy(update=planned | {"targets": targets})


def _seen(clip: ClipPlan, arm: Arm, params: Params) -> Iterable[ClipPlan]:
    """A performance as each camera of the arm has it; without cameras as the scene has it."""
    if not arm.cameras:
        yield clip
    for number, camera in enumerate(arm.cameras):
        rng = np.random.default_rng(child_seed(params.seed, "camera", clip.key, number))
        spans = (ends(camera.azimuth), ends(camera.elevation))
        yield filmed(clip, *(round(float(rng.uniform(*span)), 1) for span in spans))


def _passes(params: Params, arm: Arm) -> list[str]:
    """Of the whole plan and of an arm, each once."""
    return list(dict.fromkeys([*params.plan.passes, *arm.passes]))


def _impaired(params: Params, condition: Impairment, number: int, clip: str) -> dict[str, Any]:
    """A condition as the avatars know it, its severity and side drawn for a person or a clip."""
    drawn_for = clip if condition.drawn_per == "clip" else ""
    key = child_seed(params.seed, "condition", condition.kind, number, drawn_for)
    rng = np.random.default_rng(key)
    severity, side = round(float(rng.uniform(*condition.span)), 3), str(rng.choice(SIDES))
    given = side if condition.side == "drawn" else condition.side
    return {"kind": condition.kind, "severity": severity, "side": given}


def _tired(condition: Impairment, drawn: dict[str, Any], repeat: int) -> dict[str, Any]:
    """The condition as it is performed under, which fatigue may have made worse than it is."""
    if not condition.fatigue:
        return drawn
    worse = min(1.0, drawn["severity"] + repeat * condition.fatigue)
    return drawn | {"severity": round(worse, 3)}


def _shown(params: Params, arm: Arm, number: int, clip: str) -> dict[str, Any]:
    """The signs and occluders of a clip, each drawn from a stream of its own."""

    def draw(kind: str, name: str) -> np.random.Generator:
        return np.random.default_rng(child_seed(params.seed, kind, name, number, clip))

    signs = {
        name: round(float(draw("sign", name).uniform(*ends(value))), 3)
        for name, value in arm.signs.items()
    }
    worn = [n for n, share in arm.occluders.items() if draw("occluder", n).random() < share]
    return {"signs": signs, "occluders": worn}


def _worn(shown: dict[str, Any]) -> list[str]:
    """Signs and occluders in a clip's key."""
    return [*(f"{name}:{value:g}" for name, value in shown["signs"].items()), *shown["occluders"]]


def _called(condition: Impairment, given: dict[str, Any]) -> str:
    """A drawn condition in a clip's key; the side only where arms may differ by nothing else."""
    side = "" if condition.side == "drawn" else f"-{given['side']}"
    return f"{given['kind']}:{given['severity']:g}{side}"


def _planned(arm: Arm, cohort: str, given: list[dict[str, Any]]) -> dict[str, Any]:
    severities = {row["kind"]: row["severity"] for row in given}
    targets = {"severity": max(severities.values())} if severities else {}
    if len(severities) > 1:
        targets |= severities
    return {"label": arm.label, "targets": targets, "cohort": cohort, "trained": arm.trained}


def _portraits(
    study: Study, params: Params, photographs: list[Photograph]
) -> dict[int, PortraitPlan]:
    """Turn > portrait. Photographs take the last turns, so a new one displaces the last still."""
    count = study.portraits
    photos = dict(zip(reversed(range(count)), map(_photograph, photographs), strict=False))
    stills = {number: _still(params, number) for number in range(count - len(photos))}
    excluded = set(params.plan.exclude)
    return {
        turn: portrait
        for turn, portrait in {**photos, **stills}.items()
        if excluded.isdisjoint((portrait.portrait_id, portrait.person.identity_id))
    }


def _photograph(photo: Photograph) -> PortraitPlan:
    content = {
        "key": f"photo/{photo.id}",
        "person": Person(
            identity_id=short_id("identity", {"photo": photo.person}),
            age=photo.age,
            sex=photo.sex,
            ethnicity=photo.ethnicity,
        ),
        "licence": photo.licence,
        "consent": photo.consent,
        "origin": photo.origin,
        "file": photo.file,
        "clip": None,
    }
    return _with_id(content)


def _still(params: Params, number: int) -> PortraitPlan:
    key = f"portrait/{number}"
    identity = population(params, "portraits", number)
    clip = plan_clip(params, identity, key, "neutral", frames=1)
    content = {
        "key": key,
        "person": person_of(identity),
        **AVATAR_RIGHTS,
        "file": None,
        "clip": clip,
    }
    return _with_id(content)


def _with_id(content: dict[str, Any]) -> PortraitPlan:
    portrait = PortraitPlan(portrait_id="", **content)
    name = short_id("portrait", portrait.content())
    return portrait.model_copy(update={"portrait_id": name})


def _transfers(
    params: Params, portraits: dict[int, PortraitPlan], people: list[list[ClipPlan]]
) -> list[TransferPlan]:
    """Each portrait performs one clip; identities take turns, so groups stay small.

    The portrait of an excluded identity goes to the next one in turn.
    """
    order = np.random.default_rng(child_seed(params.seed, "drivers")).permutation(len(people))
    transfers = []
    for turn, portrait in portraits.items():
        draw = np.random.default_rng(child_seed(params.seed, "transfer", portrait.key))
        performances = next(filter(None, (people[n] for n in np.roll(order, -turn))))
        driving = performances[int(draw.integers(len(performances)))]
        transfer = TransferPlan(
            clip_id="", portrait_id=portrait.portrait_id, driving_clip_id=driving.clip_id,
            expression=driving.expression, label=driving.label, targets=driving.targets,
            cohort=driving.cohort, trained=driving.trained,
        )  # fmt: skip
        name = short_id("transfer", transfer.content())
        transfers.append(transfer.model_copy(update={"clip_id": name}))
    return transfers
