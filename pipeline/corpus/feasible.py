"""What of a study cannot be planned: found before one pixel is rendered."""

from collections.abc import Sequence

import numpy as np

from avatars import conditions, expression, occluders
from avatars.errors import AvatarError
from avatars.signs import SIGNS
from pipeline.arm import Arm
from pipeline.errors import StudyError
from pipeline.naming import nearest
from pipeline.params import Params
from pipeline.records import ClipPlan
from pipeline.study import Study
from pipeline.task import Task


def check_arms(study: Study, params: Params) -> None:
    """Raise StudyError unless every arm can be performed and a window fits into a clip."""
    plan, where = params.plan, f"studies/{study.name}/study.yaml"
    if study.input.frames > plan.frames:
        raise StudyError(
            f"{where}: input.frames is {study.input.frames} but a clip has {plan.frames} frames "
            "(plan.frames)"
        )
    for number, arm in enumerate(study.arms):
        try:
            for name in arm.expressions:
                chance = np.random.default_rng(0)
                expression.perform(expression.load(name), plan.frames, plan.fps, chance)
        except AvatarError as error:
            raise StudyError(f"{where}: arms.{number}.expressions: {error}") from error
        for condition in arm.conditions:
            if condition.kind not in conditions.KINDS:
                raise StudyError(
                    f"{where}: arms.{number}.conditions: there is no condition "
                    f"'{condition.kind}'; {nearest(condition.kind, conditions.KINDS)}"
                )
        _check_worn(f"{where}: arms.{number}", arm)


def _check_worn(where: str, arm: Arm) -> None:
    """Raise StudyError for what nobody wears, and for what hides a unit that the arm is about."""
    for name in arm.signs:
        if name not in SIGNS:
            raise StudyError(f"{where}.signs: there is no sign '{name}'; {nearest(name, SIGNS)}")
    for name in arm.occluders:
        if name not in occluders.OCCLUDERS:
            raise StudyError(
                f"{where}.occluders: there is no occluder '{name}'; "
                f"{nearest(name, occluders.OCCLUDERS)}"
            )
        for expression_name in arm.expressions:
            units = {a.unit for a in expression.load(expression_name).activations}
            if lost := sorted(units & set(occluders.HIDES[name]), key=int):
                raise StudyError(
                    f"{where}.occluders: {name} hides unit {lost[0]}, which {expression_name} "
                    f"shows and the label '{arm.label}' needs; take {name} out of this arm"
                )


def check_clips(study: Study, clips: Sequence[ClipPlan]) -> None:
    """Raise StudyError for twins, and for a class that no clip has or that is tested untaught."""
    where = f"studies/{study.name}/study.yaml"
    _refuse_twins(where, clips)
    for name, task in study.tasks.items():
        classes: dict[str, set[str]] = {cohort: set() for cohort in study.cohorts}
        for clip in clips:
            if clip.trained and (found := task.class_of(clip.label or "", clip.targets)):
                classes[clip.cohort or ""].add(found)
        _check_classes(f"{where}: tasks.{name}", task, set().union(*classes.values()))
        if task.per == "person":
            _check_people(f"{where}: tasks.{name}", task, clips)
        for rule, protocol in study.protocols.items():
            held = set(protocol.test_cohorts or ())
            tested = set().union(*(classes[cohort] for cohort in held))
            rest = set(protocol.cohorts or study.cohorts) - held
            taught = set().union(*(classes[cohort] for cohort in rest))
            if held and (not tested or tested - taught or len(taught) < 2):
                raise StudyError(
                    f"{where}: protocols.{rule}.test_cohorts: tasks.{name} is taught "
                    f"{sorted(taught)} but tested on {sorted(tested)}; let both perform alike"
                )


def _check_classes(where: str, task: Task, known: set[str]) -> None:
    wanted = ["negative", "positive"] if task.positive else list(task.classes)
    for lost in [name for name in wanted if name not in known]:
        raise StudyError(f"{where}: no clip to train on is '{lost}'; add an arm or change the task")
    if len(known) < 2:
        raise StudyError(f"{where}: the clips to train on are of one class alone; add an arm")


def _check_people(where: str, task: Task, clips: Sequence[ClipPlan]) -> None:
    """A class that belongs to a person is one: who is ill in one arm is not well in another."""
    first: dict[str, tuple[str, ClipPlan]] = {}
    for clip in clips:
        found = task.class_of(clip.label or "", clip.targets) if clip.trained else None
        if found is None:
            continue
        known, other = first.setdefault(clip.person.identity_id, (found, clip))
        if known != found:
            raise StudyError(
                f"{where}: one person stands in two arms, {known} as {other.key} and {found} as "
                f"{clip.key}; give the arms cohorts of their own"
            )


def _refuse_twins(where: str, clips: Sequence[ClipPlan]) -> None:
    """One clip under two labels cannot be told apart by anybody."""
    labels: dict[str, ClipPlan] = {}
    for clip in clips:
        first = labels.setdefault(clip.clip_id, clip)
        if first is not clip:
            raise StudyError(
                f"{where}: the arms {first.label} and {clip.label} plan "
                f"the same clip ({clip.key}); give them other people, expressions or conditions"
            )
