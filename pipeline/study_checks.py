"""What contradicts itself in a study's file, found before anything is rendered."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.errors import ParamsError, StudyError
from pipeline.naming import nearest
from pipeline.params import TrainParams, parse_params
from pipeline.study import Protocol, Study, read_study
from pipeline.task import MEASURES
from pipeline.workspace import Workspace


def open_study(workspace: Workspace) -> Study:
    """The study of a workspace, read and checked; StudyError says what is wrong in one sentence."""
    path = workspace.study_file
    if not path.is_file() and (known := known_studies(workspace.root)):
        raise StudyError(
            f"there is no study '{workspace.study}'; {nearest(workspace.study, known)}"
        )
    study = read_study(path)
    if study.name != workspace.study:
        raise StudyError(f"{path}: name is '{study.name}', but its folder is '{workspace.study}'")
    for problem in problems(study):
        raise StudyError(f"{path}: {problem}")
    return study


def known_studies(root: Path = Path(".")) -> list[str]:
    """The names of the studies of a workspace, sorted."""
    return sorted(path.parent.name for path in (root / "studies").glob("*/study.yaml"))


def problems(study: Study) -> Iterator[str]:
    """What contradicts itself in a study, one sentence each."""
    yield from _unknown_names(study)
    yield from _mirror_problems(study)
    yield from _reference_problems(study)
    yield from _target_problems(study)
    yield from _setting_problems(study)
    yield from _threshold_problems(study)
    for name, protocol in study.protocols.items():
        yield from _empty_side(study, name, protocol)
    for name, task in study.tasks.items():
        if not any(model.tasks is None or name in model.tasks for model in study.models.values()):
            yield f"tasks.{name} is answered by no model; add it to a model's tasks, or take it out"
        if any(selection.targets for selection in task.selections):
            continue  # which samples a range holds is known when the clips are planned
        if len({task.class_of(label, {}) for label in study.labels} - {None}) < 2:
            yield f"tasks.{name} has fewer than two classes; name other labels"


def _unknown_names(study: Study) -> Iterator[str]:
    arms = {f"arms.{n}.cohorts": (arm.cohorts, study.cohorts) for n, arm in enumerate(study.arms)}
    places: dict[str, tuple[Iterable[str], Iterable[str]]] = {
        **arms,
        "mirror": ([*study.mirror, *study.mirror.values()], study.labels),
    }
    if study.input.reference != "none":
        places["input.reference"] = ([study.input.reference], study.labels)
    for name, task in study.tasks.items():
        named = [label for choice in task.selections for label in choice.labels or ()]
        places[f"tasks.{name}"] = (named, study.labels)
        classes = ("negative", "positive") if task.positive else task.classes or study.labels
        places[f"tasks.{name}.detect"] = (task.detect, classes)
    for name, protocol in study.protocols.items():
        places[f"protocols.{name}.test_cohorts"] = (protocol.test_cohorts or (), study.cohorts)
        places[f"protocols.{name}.cohorts"] = (protocol.cohorts or (), study.cohorts)
        source = [protocol.threshold_from] if protocol.threshold_from else []
        places[f"protocols.{name}.threshold_from"] = (source, study.protocols)
    for name, model in study.models.items():
        places[f"models.{name}.tasks"] = (model.tasks or (), study.tasks)
    for number, claim in enumerate(study.published.claims if study.published else ()):
        where = f"published.claims.{number}"
        places[f"{where}.task"] = ([claim.task], study.tasks)
        places[f"{where}.protocol"] = ([claim.protocol], study.protocols)
        places[f"{where}.model"] = ([claim.model] if claim.model else [], study.models)
    for where, (names, known) in places.items():
        for name in names:
            if name not in known:
                yield f"{where} names '{name}', which the study lacks; {nearest(name, known)}"


def _mirror_problems(study: Study) -> Iterator[str]:
    for left, right in study.mirror.items():
        if study.mirrored(right) != left:
            yield f"mirror takes {left} to {right}, but {right} to {study.mirrored(right)}"


def _target_problems(study: Study) -> Iterator[str]:
    kinds = [condition.kind for arm in study.arms for condition in arm.conditions]
    known = [*(["severity", *kinds] if kinds else []), *MEASURES]
    for name, task in study.tasks.items():
        if task.dose and task.dose not in known:
            hint = nearest(task.dose, known)
            yield f"tasks.{name}.dose is '{task.dose}', which no clip has; {hint}"
        if (task.dose or task.strength) and not task.binary:
            asked = "dose" if task.dose else "strength"
            yield f"tasks.{name}.{asked} sets positive against negative; give `positive`"
        spans = [pair for choice in task.selections for pair in choice.targets.items()]
        for target, (low, high) in spans:
            if target not in known:
                hint = nearest(target, known) if kinds else "no arm has a condition"
                yield f"tasks.{name} asks for the target '{target}', which no clip has; {hint}"
            elif low > high:
                yield f"tasks.{name} asks for {target} from {low} to {high}; swap them"


def _setting_problems(study: Study) -> Iterator[str]:
    """Networks and parameters that the line does not know or take."""
    from models import ModelError, check  # torch, for this alone

    for name, model in study.models.items():
        try:
            check(study.network(name), model.parameters)
            TrainParams().with_changes(model.train)
        except ModelError as error:
            yield f"models.{name}: {error}"
        except ParamsError as error:
            yield f"models.{name}.train: {error}"
    try:
        parse_params(study.params, "params")
    except ParamsError as error:
        yield str(error)


def _threshold_problems(study: Study) -> Iterator[str]:
    """A threshold may come from no side that holds people whom the protocol tests."""
    for name, protocol in study.protocols.items():
        source = study.protocols.get(protocol.threshold_from or "")
        if source is None or source is protocol:
            continue
        shared = set(source.cohorts or study.cohorts) & set(protocol.test_cohorts or study.cohorts)
        if shared:
            yield (
                f"protocols.{name}.threshold_from is {protocol.threshold_from}, which tests "
                f"{', '.join(sorted(shared))} as well; a threshold that the tested people chose is "
                "no test: give that protocol other cohorts"
            )


def _reference_problems(study: Study) -> Iterator[str]:
    label = study.input.reference
    if label == "none":
        return
    if not any(model.reference for model in study.models.values()):
        yield "input.reference is given, but no model sees it; take it out or let one see it"
    if study.portraits:
        yield (
            "input.reference compares a clip with another of the same person, but a portrait "
            "performs one clip alone; set portraits to 0"
        )
    compared = {c for arm in study.arms if arm.label == label for c in arm.cohorts}
    for number, arm in enumerate(study.arms):
        for cohort in sorted(set(arm.cohorts) - compared):
            yield (
                f"arms.{number}: {cohort} performs '{arm.label}' but not '{label}' "
                "(input.reference), so its clips have nothing to be compared with"
            )
    for name, task in study.tasks.items():
        for arm in study.arms:
            asked = label in (task.among.labels or study.labels)
            if arm.label == label and arm.repeats < 2 and asked:
                yield (
                    f"tasks.{name} asks about '{label}', which is also input.reference: its frames "
                    "would be compared with themselves; give that arm two repeats or another label"
                )


def _empty_side(study: Study, name: str, protocol: Protocol) -> Iterator[str]:
    clips = study.planned_clips
    held = set(protocol.test_cohorts or ())
    trained = [arm for arm in study.arms if arm.trained]
    asked = set(protocol.cohorts or study.cohorts)
    performing = {cohort for arm in trained for cohort in arm.cohorts} & asked
    people = sum(study.cohorts.get(cohort, 0) for cohort in performing)
    if not trained:
        yield "every arm is trained: false, so every training side is empty"
        return
    if protocol.test is not None and (few := round(protocol.test * clips)) in (0, clips):
        side = "training" if few else "test"
        yield f"protocols.{name}.test is {protocol.test} of {clips} clips: its {side} side is empty"
    if held and not held & performing:
        yield f"protocols.{name}.test_cohorts perform no arm, so its test side would be empty"
    if held and not performing - held:
        yield f"protocols.{name}.test_cohorts leave nobody to train on"
    if protocol.together in ("person", "group") and people < 2:
        yield f"protocols.{name} keeps a person on one side, but {people} performs; add people"
    units = {"nothing": None, "clip": clips}.get(protocol.together, people)
    if protocol.folds and units is not None and protocol.folds > units:
        kind = "clips" if protocol.together == "clip" else "people"
        yield f"protocols.{name}.folds is {protocol.folds} for {units} {kind}; ask for fewer folds"
    if protocol.counts and protocol.unit != "window":
        asked = sum(protocol.counts.model_dump().values())
        known = people + study.portraits if protocol.unit == "person" else clips
        if asked > known:
            yield f"protocols.{name}.counts ask for {asked} {protocol.unit}s, {known} are planned"
