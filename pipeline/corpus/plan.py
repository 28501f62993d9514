"""The plan: every identity, scene, seed, portrait and driving clip, before one pixel."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from avatars import expression
from avatars.errors import AvatarError
from avatars.identity import Identity, sample_identity
from avatars.scene import sample_scene
from pipeline.corpus.register import Photograph, read_register
from pipeline.errors import ParamsError
from pipeline.files import child_seed
from pipeline.params import Params
from pipeline.records import ClipPlan, Person, PortraitPlan, Record, TransferPlan, short_id


def make_plan(params: Params, register: Path) -> list[Record]:
    """All rows of the plan, sorted by kind and key; same params and register, same rows.

    Whom `plan.exclude` names is in no row; the others keep theirs. Raises ParamsError (an unknown
    expression, a clip too short for one, nobody left), AssetError (a photograph without licence).
    """
    check_expressions(params)
    people = [list(_identity_clips(params, number)) for number in range(params.plan.identities)]
    if not any(people):
        raise ParamsError("plan.exclude leaves no identity to perform; take one out of it")
    portraits = _portraits(params, read_register(register))
    transfers = _transfers(params, portraits, people)
    return [*chain(*people), *portraits.values(), *transfers]


def check_expressions(params: Params) -> None:
    """Raise ParamsError unless every planned expression exists and fits into a clip."""
    plan = params.plan
    for name in plan.expressions:
        try:
            expression.perform(
                expression.load(name), plan.frames, plan.fps, np.random.default_rng(0)
            )
        except AvatarError as error:
            raise ParamsError(f"plan.expressions: {error}") from error


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
    params: Params, identity: Identity, key: str, expression_name: str, frames: int
) -> ClipPlan:
    """One clip of a person: scene and seed come from its key alone, never from the class."""
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
    }
    row = ClipPlan(clip_id="", **content).row()
    return ClipPlan(clip_id=short_id("clip", row), **content)


def _identity_clips(params: Params, number: int) -> Iterable[ClipPlan]:
    salt = params.plan.reseed.get(number, 0)
    identity = population(params, "corpus", number, salt)
    if person_of(identity).identity_id in params.plan.exclude:
        return
    for name in params.plan.expressions:
        # A reseeded person is another person: scenes and motion are drawn anew with them.
        key = f"{number}/{name}" + (f"#{salt}" if salt else "")
        yield plan_clip(params, identity, key, name, params.plan.frames)


def _portraits(params: Params, photographs: list[Photograph]) -> dict[int, PortraitPlan]:
    """Turn > portrait. Photographs take the last turns, so a new one displaces the last still."""
    count = params.portraits.count
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
            identity_id=short_id("identity", {"photo": photo.id}),
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
        "licence": "CC0-1.0",
        "consent": "not a person: rendered geometry",
        "origin": "rendered by Pallor from MakeHuman assets",
        "file": None,
        "clip": clip,
    }
    return _with_id(content)


def _with_id(content: dict[str, Any]) -> PortraitPlan:
    row = PortraitPlan(portrait_id="", **content).row()
    return PortraitPlan(portrait_id=short_id("portrait", row), **content)


def _transfers(
    params: Params, portraits: dict[int, PortraitPlan], people: list[list[ClipPlan]]
) -> list[TransferPlan]:
    """Each portrait performs one clip; identities take turns, so groups stay small.

    The portrait of an excluded identity goes to the next one in turn.
    """
    turns = np.random.default_rng(child_seed(params.seed, "drivers"))
    order = turns.permutation(params.plan.identities)
    transfers = []
    for turn, portrait in portraits.items():
        draw = np.random.default_rng(child_seed(params.seed, "transfer", portrait.key))
        performances = next(filter(None, (people[n] for n in np.roll(order, -turn))))
        driving = performances[int(draw.integers(len(performances)))]
        content = {
            "portrait_id": portrait.portrait_id,
            "driving_clip_id": driving.clip_id,
            "expression": driving.expression,
        }
        transfers.append(TransferPlan(clip_id=short_id("transfer", content), **content))
    return transfers
