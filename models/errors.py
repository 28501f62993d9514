"""What goes wrong with a model, in one sentence."""

from collections.abc import Iterable
from difflib import get_close_matches


class ModelError(ValueError):
    """A model's configuration, input or file does not fit."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`the nearest is 'x'` when some known name is close to `name`, else the list of them."""
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"the nearest is '{close[0]}'" if close else f"known: {', '.join(names)}"
