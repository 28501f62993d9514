"""The one way in which text is made from a template: strict, and with the same words everywhere."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

FEW = 10  # units of a group, below which its figure says so
ROOMS = Path(__file__).parents[1]  # a template stands beside the module that fills it


def fill(template: Path, values: Mapping[str, Any]) -> str:
    """The text of a template (*.j2) below `pipeline/`; *.html.j2 is escaped, other text is not.

    Raises jinja2.UndefinedError for a name without a value.
    """
    return _environment().get_template(str(template.relative_to(ROOMS))).render(values)


def percent(value: float | None) -> str:
    """A share in per cent with one digit; `100` only for all of it, a dash for None."""
    if value is None:
        return "-"
    return "100" if value == 1 else f"{min(100 * value, 99.9):.1f}"


def told(value: float) -> str:
    """A share that somebody else reports, in per cent with the digits that they give: `97.25`."""
    return f"{100 * value:.5g}"


def interval(edges: Sequence[float] | None) -> str:
    """[low, high] of shares as `81.3 to 92.0`, a dash for None."""
    return " to ".join(map(percent, edges)) if edges else "-"


def counted(count: int, noun: str) -> str:
    """`1 clip`, `2 clips`, `2 people`."""
    plural = "people" if noun == "person" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def few(count: int) -> str:
    """` n < 10` where a group is so small that its figure is mostly chance, else nothing."""
    return f" n < {FEW}" if count < FEW else ""


def listed(counts: Mapping[str, int]) -> str:
    """`female 3, male 4`."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def spoken(name: str) -> str:
    """A key as words: `first_frame` is `first frame`."""
    return name.replace("_", " ")


@cache
def _environment() -> Environment:
    # Undefined names must fail: a page with a hole in it would still look finished.
    environment = Environment(
        loader=FileSystemLoader(ROOMS), undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
        autoescape=select_autoescape(["html", "html.j2"], default=False),
    )  # fmt: skip
    for work in (percent, told, interval, counted, few, listed, spoken):
        environment.filters[work.__name__] = work
    return environment
