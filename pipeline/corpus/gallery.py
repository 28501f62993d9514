"""Sheets to judge the avatars by: people, action units, arms and conditions, side by side.

Every picture is a still: units held exactly, nothing drawn, so that a sheet shows the definitions
and not one lucky performance. A sheet is planned as data, then rendered, then drawn.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from avatars import conditions, expression
from avatars.identity import Identity
from avatars.units import UNITS
from pipeline.arm import Arm, Impairment
from pipeline.corpus import bedside
from pipeline.corpus.cells import Cell, Order, Panel, Sheet, Still, chunks, held, panel, person
from pipeline.corpus.plan import population
from pipeline.corpus.render import render_specs
from pipeline.corpus.sheet import contact_sheet
from pipeline.errors import ParamsError
from pipeline.files import writing
from pipeline.media.video import Frames
from pipeline.params import Params
from pipeline.store.store import Store
from pipeline.study import Study

MOST = 100  # people that a page can hold
SEVERITIES = (0.0, 0.5, 1.0)
# What a clinician asks for at the bedside, and what each condition then fails to show.
TASKS: dict[str, Still] = {
    "rest": {},
    "brows": {"1": [0.9, 0.9], "2": [0.9, 0.9]},
    "eyes": {"43": [1.0, 1.0]},
    "smile": {"6": [0.6, 0.6], "12": [0.9, 0.9]},
}


def plan_sheet(kind: str, study: Study, params: Params, people: int | None, size: int) -> Sheet:
    """The sheet of a kind of `SHEETS` with so many `people` (None: its own) at `size` pixels.

    Raises ParamsError for an unknown kind, no people or more of them than a page can hold.
    """
    if kind not in SHEETS:
        raise ParamsError(f"there is no sheet '{kind}'; known: {', '.join(SHEETS)}")
    make, usual = SHEETS[kind]
    count = (usual or min(study.people, MOST)) if people is None else people
    if not 1 <= count <= MOST:
        raise ParamsError(f"a sheet shows 1 to {MOST} people, got {count}")
    if not 32 <= size <= 512:
        raise ParamsError(f"a sheet's pictures have 32 to 512 px a side, got {size}")
    return make(Order(study, params, count, size))


def make_sheet(sheet: Sheet, home: Path, out: Path, say: Callable[[str], None] = print) -> None:
    """Render a sheet in a Blender process of its own and write it to `out` as a PNG."""
    if out.suffix != ".png":
        raise ParamsError(f"{out} must end in .png")
    clips = []
    for frames, _ in render_specs(sheet.specs, home, Store(home, "sheet")):
        clips.append(frames)
        say(f"{len(clips)} of {len(sheet.specs)} clips")
    with writing(out) as part:
        Image.fromarray(draw_sheet(sheet, clips)).save(part, format="PNG")


def draw_sheet(sheet: Sheet, clips: Sequence[Frames]) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a sheet whose clips are (T, S, S, 3) uint8 frames."""

    def picture(cell: Cell | None) -> np.ndarray | None:
        return None if cell is None else clips[cell.clip][cell.frame]

    drawn = [
        contact_sheet([(name, [picture(c) for c in cells]) for name, cells in rows], columns)
        for columns, rows in sheet.panels
    ]
    return np.concatenate(drawn)


def people(order: Order) -> Sheet:
    """People of the corpus at rest, five a row."""
    everyone = [population(order.params, "corpus", n) for n in range(order.people)]
    specs = [held(order, n, who, [{}]) for n, who in enumerate(everyone)]
    panels = []
    for start in range(0, order.people, 5):
        numbers = range(start, min(start + 5, order.people))
        columns = [f"{n}: {_brief(everyone[n])}" for n in numbers]
        panels.append(panel(columns, [("", [Cell(n, 0) for n in numbers])], 5))
    return Sheet(specs, panels)


def units(order: Order) -> Sheet:
    """Every unit at full intensity: on both sides, on the own left, on the own right."""
    specs: list[dict[str, Any]] = []
    panels = []
    for number in range(order.people):
        for names in chunks(list(UNITS), 8):
            at = {key: Cell(len(specs), n) for n, key in enumerate(_sided(names))}
            stills = [{name: _SIDES[side]} for name, side in at]
            specs.append(person(order, number, stills))
            rows = [(f"person {number}\n{s}", [at.get((n, s)) for n in names]) for s in _SIDES]
            panels.append(panel([f"AU {name}" for name in names], rows, 8))
    return Sheet(specs, panels)


def _sided(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The units with every side they can be driven on."""
    return ((n, side) for n in names for side in _SIDES if side == "both" or UNITS[n].paired)


def arms(order: Order) -> Sheet:
    """What each arm performs under its conditions, every unit and severity at its middle."""
    kinds: dict[str, tuple[str, dict[str, Any]]] = {}
    for arm in order.study.arms:
        given = {"conditions": [_middle(condition) for condition in arm.conditions]} | _shown(arm)
        for name in arm.expressions:
            heading = arm.label if len(arm.expressions) == 1 else f"{arm.label}: {name}"
            kinds.setdefault(heading, (name, given))
    specs: list[dict[str, Any]] = []
    cells: dict[tuple[int, str], Cell | None] = {}
    for number in range(order.people):
        for heading, (name, given) in kinds.items():
            # Held twice, as each condition's task is: a slowed face has arrived in the second.
            spec = person(order, number, [_apex(name)] * (2 if given["conditions"] else 1))
            cells[number, heading] = Cell(len(specs), spec["frames"] - 1)
            specs.append({**spec, **given})
    panels = []
    for chosen in chunks(list(kinds), 6):
        rows = [
            (f"person {n}", [cells[n, heading] for heading in chosen]) for n in range(order.people)
        ]
        panels.append(panel(chosen, rows, min(6, len(kinds))))
    return Sheet(specs, panels)


def _shown(arm: Arm) -> dict[str, Any]:
    """An arm's signs at their middle, and what at least half of its clips wear."""
    signs = {name: float(np.mean(value)) for name, value in arm.signs.items()}
    return {"signs": signs, "occluders": [n for n, share in arm.occluders.items() if share >= 0.5]}


def _middle(condition: Impairment) -> dict[str, Any]:
    side = "left" if condition.side == "drawn" else condition.side
    return {"kind": condition.kind, "severity": sum(condition.span) / 2, "side": side}


def expressions(order: Order) -> Sheet:
    """Every expression that ships, all units of each at their middle intensity."""
    names = expression.names()
    stills = [_apex(name) for name in names]
    specs = [person(order, number, stills) for number in range(order.people)]
    panels = []
    for chosen in chunks(list(range(len(names))), 6):
        rows = [
            (f"person {clip}", [Cell(clip, frame) for frame in chosen])
            for clip in range(order.people)
        ]
        panels.append(panel([names[frame] for frame in chosen], rows, min(6, len(names))))
    return Sheet(specs, panels)


def impairments(order: Order) -> Sheet:
    """Each condition on the own left at rising severity, while the person does the same tasks."""
    tasks = list(TASKS.values())
    specs: list[dict[str, Any]] = []
    panels = []
    for number in range(order.people):
        rows = []
        for kind in conditions.KINDS:
            first = len(specs)
            for severity in SEVERITIES:
                # Each task is held twice: hypomimia is slow, and the second frame has arrived.
                spec = person(order, number, [t for task in tasks for t in (task, task)])
                given = {"kind": kind, "severity": severity, "side": "left"}
                specs.append({**spec, "conditions": [given]})
            cells: list[Cell | None] = [
                Cell(first + s, 2 * t + 1)
                for t in range(len(tasks))
                for s in range(len(SEVERITIES))
            ]
            rows.append((f"{kind}\nperson {number}", cells))
        panels.append(Panel([f"{t} {s:g}" for t in TASKS for s in SEVERITIES], rows))
    return Sheet(specs, panels)


SHEETS: dict[str, tuple[Callable[[Order], Sheet], int]] = {  # and its people; 0: all
    "people": (people, 0), "units": (units, 1), "arms": (arms, 5),
    "expressions": (expressions, 1), "conditions": (impairments, 1),
    "lights": (bedside.lights, 6), "signs": (bedside.signs, 2), "wards": (bedside.wards, 2),
}  # fmt: skip
_SIDES = {"both": [1.0, 1.0], "left": [1.0, 0.0], "right": [0.0, 1.0]}


def _apex(name: str) -> Still:
    """All units of an expression at the middle of their range, at once."""
    still: Still = {}
    for activation in expression.load(name).activations:
        middle = float(np.mean(activation.intensity))
        sides = [middle * share for share in _SIDES[activation.side]]
        before = still.get(activation.unit, [0.0, 0.0])
        still[activation.unit] = [max(a, b) for a, b in zip(before, sides, strict=True)]
    return still


def _brief(person: Identity) -> str:
    return f"{person.sex[0]} {person.age:.0f} {person.ethnicity}"
