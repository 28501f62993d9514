"""`--set plan.identities=6`: values from the command line, checked, and written to params.yaml.

DVC reads parameters from params.yaml alone, so an override is an edit there that git can show and
undo; nothing that decides a byte hides in a command line.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import ParamsError
from pipeline.files import writing
from pipeline.params import Params, load_params, parse_params

PARAMS = Path("params.yaml")


def overridden(assignments: Sequence[str], path: Path = PARAMS) -> Params:
    """The parameters of `path` with `assignments` ("section.key=value") on top; writes nothing.

    Raises ParamsError for an unknown name, with the nearest known one, or a value out of range.
    """
    values = load_params(path).model_dump()
    _assign(values, assignments)
    return parse_params(values, "--set")


def write_settings(assignments: Sequence[str], path: Path = PARAMS) -> None:
    """Write `assignments` into `path`, comments and order kept; nothing when one is wrong."""
    overridden(assignments, path)
    text = YAML()
    text.width = 100
    document = text.load(path.read_text()) or {}
    _assign(document, assignments)
    with writing(path) as part, part.open("w") as stream:
        text.dump(document, stream)


def _assign(values: dict[str, Any], assignments: Sequence[str]) -> None:
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals or not name:
            raise ParamsError(f"--set takes section.key=value, got '{assignment}'")
        *sections, key = name.split(".")
        target: Any = values
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise ParamsError(f"--set: '{section}' holds one value, so '{name}' does not exist")
        target[_key(key)] = _value(name, text)


def _key(text: str) -> str | int:
    return int(text) if text.isdecimal() else text  # plan.reseed is keyed by identity number


def _value(name: str, text: str) -> Any:
    try:
        return YAML(typ="safe").load(text)  # YAML 1.2, in which 1e-3 is a number
    except YAMLError as error:
        raise ParamsError(f"--set: the value of '{name}' is not YAML: {text}") from error
