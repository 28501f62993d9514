"""A sheet as data: which clips are rendered, and where on a page their frames are laid."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from avatars.identity import Identity
from pipeline.corpus.plan import plan_clip, population
from pipeline.corpus.render import spec_of
from pipeline.params import Params
from pipeline.study import Study

Still = dict[str, list[float]]  # {unit: [own left, own right]}


class Cell(NamedTuple):
    """Frame `frame` of the sheet's clip number `clip`."""

    clip: int
    frame: int


class Panel(NamedTuple):
    """Rows of cells under column headings; None leaves a cell empty."""

    columns: list[str]
    rows: list[tuple[str, list[Cell | None]]]


@dataclass(frozen=True)
class Sheet:
    """`specs` to render (`avatars.clip.ClipSpec` as plain values) and how their frames are laid."""

    specs: list[dict[str, Any]]
    panels: list[Panel]


@dataclass(frozen=True)
class Order:
    """What a sheet is made of: so many people, at `size` pixels a side of each picture."""

    study: Study
    params: Params
    people: int
    size: int


def person(order: Order, number: int, stills: list[Still]) -> dict[str, Any]:
    """The specification of person `number` of the corpus, who holds `stills`."""
    return held(order, number, population(order.params, "corpus", number), stills)


def held(order: Order, number: int, person: Identity, stills: list[Still]) -> dict[str, Any]:
    """The same of a given person."""
    clip = plan_clip(order.params, person, f"{number}/neutral", "neutral", len(stills))
    return {**spec_of(clip), "fps": 1, "size": order.size, "stills": stills}


def panel(columns: list[str], rows: Iterable[tuple[str, list]], width: int) -> Panel:
    """A panel filled up to `width` columns, so that all of a sheet are equally wide."""
    fill = width - len(columns)
    return Panel([*columns, *[""] * fill], [(n, [*cells, *[None] * fill]) for n, cells in rows])


def chunks(items: list, length: int) -> Iterable[list]:
    """`items` in lists of `length`, the last one shorter."""
    return (items[start : start + length] for start in range(0, len(items), length))
