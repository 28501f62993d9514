"""`--set plan.frames=8`, `--set study.cohorts.cast=6`: checked, then written where they belong.

DVC reads parameters from files alone, so an override is an edit there that git can show and undo;
nothing that decides a byte hides in a command line. Names of params.yaml stand as they are, those
of the study's file behind `study.`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import ParamsError, StudyError
from pipeline.files import writing
from pipeline.params import Params, load_params, merged, parse_params
from pipeline.study import Study, parse_study, study_values
from pipeline.study_checks import open_study, problems
from pipeline.workspace import MAIN, Workspace

PARAMS = Path("params.yaml")
OF_STUDY = "study."


def overridden(assignments: Sequence[str], workspace: Workspace) -> tuple[Study, Params]:
    """A study and the parameters as they are in it, with `assignments` on top; writes nothing.

    Raises ParamsError or StudyError for an unknown name, with the nearest known one, for a value
    out of range, and for a parameter that the study's own file sets.
    """
    mine, lines = _sorted_out(assignments)
    study = _with(mine, workspace) if mine else open_study(workspace)
    values = load_params(workspace.params).model_dump()
    for name, text in lines:
        if _holds(study.params, name):
            raise ParamsError(
                f"--set: {workspace.study} has a {name} of its own; set study.params.{name} instead"
            )
        _assign(values, name, text)
    parse_params(values, "--set")
    return study, parse_params(merged(values, study.params), f"params of {workspace.study}")


def write_settings(assignments: Sequence[str], studies: Sequence[str] = (MAIN,)) -> None:
    """Write `assignments` into params.yaml and the study's file; nothing when one is wrong.

    Every one of `studies` must take them; those of a study's file need one study to be of. Comments
    and order are kept.
    """
    mine, lines = _sorted_out(assignments)
    if mine and len(studies) != 1:
        raise ParamsError(f"--set {OF_STUDY}{mine[0][0]}: name one study with --study")
    for name in studies:
        overridden(assignments, Workspace(name))
    for path, pairs in ((Workspace(studies[0]).study_file, mine), (Workspace().params, lines)):
        if pairs:
            _write(path, pairs)


def _sorted_out(assignments: Sequence[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(name, text) of the study's keys, `study.` taken off, and of the line's parameters."""
    mine, lines = [], []
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise ParamsError(f"--set takes section.key=value, got '{assignment}'")
        if name.startswith(OF_STUDY):
            mine.append((name.removeprefix(OF_STUDY), text))
        else:
            lines.append((name, text))
    return mine, lines


def _with(pairs: Sequence[tuple[str, str]], workspace: Workspace) -> Study:
    open_study(workspace)
    values = study_values(workspace.study_file)
    own = YAML(typ="safe").load(workspace.study_file.read_text(encoding="utf-8"))
    for name, text in pairs:
        if (listed := _list_in(values, name)) and not _holds(own, listed):
            raise ParamsError(
                f"--set: '{listed}' of {workspace.study} is a list of the study {own['like']}; set "
                "it there, or write the whole list into this study's file"
            )
        _assign(values, name, text)
    study = parse_study(values, f"--set {OF_STUDY.rstrip('.')}")
    for problem in problems(study):
        raise StudyError(f"--set: {problem}")
    return study


def _write(path: Path, pairs: Sequence[tuple[str, str]]) -> None:
    text = YAML()
    text.width = 200  # no line of theirs is longer, so none is broken
    text.preserve_quotes = True
    text.indent(sequence=4, offset=2)  # as the studies' files are written
    text.representer.add_representer(type(None), _null)
    document = text.load(path.read_text(encoding="utf-8")) or {}
    for name, value in pairs:
        _assign(document, name, value)
    with writing(path) as part, part.open("w", encoding="utf-8") as stream:
        text.dump(document, stream)


def _null(representer: Any, value: None) -> Any:
    """A null is written out; ruamel.yaml would leave the place after the name empty."""
    del value
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _assign(values: Any, name: str, text: str) -> None:
    *sections, last = map(_key, name.split("."))
    target = values
    for section in sections:
        if isinstance(target, list):
            target = _item(target, section, name)
        else:
            target = target.setdefault(section, {})
        if not isinstance(target, dict | list):
            raise ParamsError(f"--set: '{section}' holds one value, so '{name}' does not exist")
    if isinstance(target, list):
        _item(target, last, name)
    target[last] = _value(name, text)


def _item(values: list[Any], key: str | int, name: str) -> Any:
    if not isinstance(key, int) or key >= len(values):
        raise ParamsError(f"--set: '{name}': there are entries 0 to {len(values) - 1}, got '{key}'")
    return values[key]


def _holds(values: Any, name: str) -> bool:
    """Does a nested mapping set `name`, or a part of it?"""
    for key in name.split("."):
        if not isinstance(values, dict) or key not in values:
            return False
        values = values[key]
    return True


def _list_in(values: Any, name: str) -> str | None:
    """The part of `name` that leads to the first list on its way."""
    keys = name.split(".")
    for number, key in enumerate(keys[:-1], start=1):
        values = values.get(key) if isinstance(values, dict) else None
        if isinstance(values, list):
            return ".".join(keys[:number])
    return None


def _key(text: str) -> str | int:
    return int(text) if text.isdecimal() else text  # plan.reseed is keyed by identity number


def _value(name: str, text: str) -> Any:
    try:
        return YAML(typ="safe").load(text)  # YAML 1.2, in which 1e-3 is a number
    except YAMLError as error:
        raise ParamsError(f"--set: the value of '{name}' is not YAML: {text}") from error
