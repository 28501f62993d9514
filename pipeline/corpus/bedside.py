"""Sheets of what stands around a face and on it: lights, signs of illness, a ward's things."""

from typing import Any

import numpy as np

from avatars import worlds
from avatars.occluders import OCCLUDERS
from avatars.scene import sample_scene
from avatars.signs import SIGNS
from pipeline.corpus.cells import Cell, Order, Sheet, Still, chunks, panel, person
from pipeline.files import child_seed

VALUES = (0.0, 0.5, 1.0)
_ASIDE: Still = {"52": [0.7, 0.7]}  # head turned, jaw dropped: what is worn must follow both
_TALKING = {"26": [0.6, 0.6]}


def lights(order: Order) -> Sheet:
    """Everybody under lamps alone, then in each panorama, turned as a clip's seed would."""
    names: list[str | None] = [None, *worlds.names()]
    specs: list[dict[str, Any]] = []
    rows: list[tuple[str, list]] = []
    for number in range(order.people):
        first = len(specs)
        for name in names:
            spec = person(order, number, [{}])
            specs.append(spec | {"scene": spec["scene"] | {"world": _lit(order, name)}})
        rows.append((f"person {number}", [Cell(first + n, 0) for n in range(len(names))]))
    return Sheet(specs, [panel([name or "lamps" for name in names], rows, len(names))])


def _lit(order: Order, name: str | None) -> dict[str, Any] | None:
    """The first world of that name that scenes drawn one after another hold."""
    rng = np.random.default_rng(child_seed(order.params.seed, "sheet", name or ""))
    while name:
        world = sample_scene(rng).world
        if world and world.name == name:
            return {"name": world.name, "turn": world.turn, "share": world.share}
    return None


def signs(order: Order) -> Sheet:
    """Each sign at rising value."""
    specs: list[dict[str, Any]] = []
    rows: list[tuple[str, list]] = []
    for number in range(order.people):
        first = len(specs)
        for name in SIGNS:
            for value in VALUES:
                specs.append(person(order, number, [{}]) | {"signs": {name: value}})
        rows.append((f"person {number}", [Cell(first + n, 0) for n in range(len(specs) - first)]))
    columns = [f"{name.replace('_', ' ')} {value:g}" for name in SIGNS for value in VALUES]
    return Sheet(specs, [panel(columns, rows, len(columns))])


def wards(order: Order) -> Sheet:
    """Each occluder from the front, and with the head turned and the jaw dropped."""
    specs: list[dict[str, Any]] = []
    panels = []
    for names in chunks(list(OCCLUDERS), 4):
        rows = []
        for number in range(order.people):
            first = len(specs)
            for name in names:
                spec = person(order, number, [{}, _ASIDE | _TALKING])
                specs.append(spec | {"occluders": [name]})
            cells = [Cell(first + n, frame) for n in range(len(names)) for frame in (0, 1)]
            rows.append((f"person {number}", cells))
        columns = [text for name in names for text in (name.replace("_", " "), "turned")]
        panels.append(panel(columns, rows, 8))
    return Sheet(specs, panels)
