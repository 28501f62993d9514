"""What is said of a name or value that does not fit: one sentence, with the nearest known name."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError


def nearest(name: str, known: Iterable[str]) -> str:
    """`the nearest is 'x'` when some known name is close to `name`, else the list of them."""
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"the nearest is '{close[0]}'" if close else f"known: {', '.join(names)}"


def sentence_of(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that does not fit `model`, with its dotted key."""
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"]]
    name = ".".join(keys)
    if first["type"] == "extra_forbidden":
        section = _section(model, first["loc"][:-1])
        hint = nearest(keys[-1], section.model_fields) if section else "remove it"
        return f"unknown parameter '{name}'; {hint}"
    if first["type"] == "missing":
        return f"'{name}' is missing"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"'{name}': {message}"
    return f"'{name}' is {first['input']!r}: {message[:1].lower()}{message[1:]}"


def _section(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that a key path leads to, through mappings and lists of models."""
    here: Any = model
    for key in path:
        if get_origin(here) in (dict, list):
            here = get_args(here)[-1]  # the key is a name or a number, not a field
        elif (section := _model_in(here)) and str(key) in section.model_fields:
            here = section.model_fields[str(key)].annotation
    return _model_in(here)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in get_args(annotation))
    return next((model for model in found if model), None)
