"""Sheets to judge the avatars by: people, action units, displays and conditions, side by side.

Every picture is a still: units held exactly, nothing drawn, so that a sheet shows the definitions
and not one lucky performance. A sheet is planned as data, then rendered, then drawn.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from avatars import conditions, expression
from avatars.identity import Identity
from avatars.units import UNITS
from pipeline.corpus.plan import plan_clip, population
from pipeline.corpus.render import render_specs, spec_of
from pipeline.corpus.sheet import contact_sheet
from pipeline.errors import ParamsError
from pipeline.files import writing
from pipeline.media.video import Frames
from pipeline.params import Params
from pipeline.store.store import Store

Still = dict[str, list[float]]  # {unit: [own left, own right]}

SEVERITIES = (0.0, 0.5, 1.0)
# What a clinician asks for at the bedside, and what each condition then fails to show.
TASKS: dict[str, Still] = {
    "rest": {},
    "brows": {"1": [0.9, 0.9], "2": [0.9, 0.9]},
    "eyes": {"43": [1.0, 1.0]},
    "smile": {"6": [0.6, 0.6], "12": [0.9, 0.9]},
}


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


def plan_sheet(kind: str, params: Params, people: int | None, size: int) -> Sheet:
    """The sheet of a kind of `SHEETS` with so many `people` (None: its own) at `size` pixels.

    Raises ParamsError for an unknown kind, no people or more of them than a page can hold.
    """
    if kind not in SHEETS:
        raise ParamsError(f"there is no sheet '{kind}'; known: {', '.join(SHEETS)}")
    make, usual = SHEETS[kind]
    count = usual if people is None else people
    if not 1 <= count <= 100:
        raise ParamsError(f"a sheet shows 1 to 100 people, got {count}")
    if not 32 <= size <= 512:
        raise ParamsError(f"a sheet's pictures have 32 to 512 px a side, got {size}")
    return make(params, count, size)


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


def people(params: Params, count: int, size: int) -> Sheet:
    """People of the corpus at rest, five a row."""
    everyone = [population(params, "corpus", number) for number in range(count)]
    specs = [_held(params, n, person, size, [{}]) for n, person in enumerate(everyone)]
    panels = []
    for start in range(0, count, 5):
        numbers = range(start, min(start + 5, count))
        columns = [f"{n}: {_brief(everyone[n])}" for n in numbers]
        panels.append(_panel(columns, [("", [Cell(n, 0) for n in numbers])], 5))
    return Sheet(specs, panels)


def units(params: Params, count: int, size: int) -> Sheet:
    """Every unit at full intensity: on both sides, on the own left, on the own right."""
    specs: list[dict[str, Any]] = []
    panels = []
    for number in range(count):
        for names in _chunks(list(UNITS), 8):
            at = {key: Cell(len(specs), n) for n, key in enumerate(_sided(names))}
            stills = [{name: _SIDES[side]} for name, side in at]
            specs.append(_person(params, number, size, stills))
            rows = [(f"person {number}\n{s}", [at.get((n, s)) for n in names]) for s in _SIDES]
            panels.append(_panel([f"AU {name}" for name in names], rows, 8))
    return Sheet(specs, panels)


def _sided(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The units with every side they can be driven on."""
    return ((n, side) for n in names for side in _SIDES if side == "both" or UNITS[n].paired)


def displays(params: Params, count: int, size: int) -> Sheet:
    """The five face displays, all units of each at their middle intensity."""
    return _expressions(params, count, size, list(params.plan.expressions))


def expressions(params: Params, count: int, size: int) -> Sheet:
    """Every expression that ships, all units of each at their middle intensity."""
    return _expressions(params, count, size, expression.names())


def impairments(params: Params, count: int, size: int) -> Sheet:
    """Each condition on the own left at rising severity, while the person does the same tasks."""
    tasks = list(TASKS.values())
    specs: list[dict[str, Any]] = []
    panels = []
    for number in range(count):
        rows = []
        for kind in conditions.KINDS:
            first = len(specs)
            for severity in SEVERITIES:
                # Each task is held twice: hypomimia is slow, and the second frame has arrived.
                spec = _person(params, number, size, [t for task in tasks for t in (task, task)])
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


SHEETS: dict[str, tuple[Callable[[Params, int, int], Sheet], int]] = {
    "people": (people, 25), "units": (units, 1), "displays": (displays, 5),
    "expressions": (expressions, 1), "conditions": (impairments, 1),
}  # fmt: skip
_SIDES = {"both": [1.0, 1.0], "left": [1.0, 0.0], "right": [0.0, 1.0]}


def _expressions(params: Params, count: int, size: int, names: list[str]) -> Sheet:
    stills = [_apex(name) for name in names]
    specs = [_person(params, number, size, stills) for number in range(count)]
    panels = []
    for chosen in _chunks(list(range(len(names))), 6):
        rows = [
            (f"person {clip}", [Cell(clip, frame) for frame in chosen]) for clip in range(count)
        ]
        panels.append(_panel([names[frame] for frame in chosen], rows, min(6, len(names))))
    return Sheet(specs, panels)


def _apex(name: str) -> Still:
    """All units of an expression at the middle of their range, at once."""
    still: Still = {}
    for activation in expression.load(name).activations:
        middle = float(np.mean(activation.intensity))
        sides = [middle * share for share in _SIDES[activation.side]]
        before = still.get(activation.unit, [0.0, 0.0])
        still[activation.unit] = [max(a, b) for a, b in zip(before, sides, strict=True)]
    return still


def _person(params: Params, number: int, size: int, stills: list[Still]) -> dict[str, Any]:
    return _held(params, number, population(params, "corpus", number), size, stills)


def _held(
    params: Params, number: int, person: Identity, size: int, stills: list[Still]
) -> dict[str, Any]:
    clip = plan_clip(params, person, f"{number}/neutral", "neutral", len(stills))
    return {**spec_of(clip), "fps": 1, "size": size, "stills": stills}


def _brief(person: Identity) -> str:
    return f"{person.sex[0]} {person.age:.0f} {person.ethnicity}"


def _panel(columns: list[str], rows: Iterable[tuple[str, list]], width: int) -> Panel:
    """A panel filled up to `width` columns, so that all of a sheet are equally wide."""
    fill = width - len(columns)
    return Panel([*columns, *[""] * fill], [(n, [*cells, *[None] * fill]) for n, cells in rows])


def _chunks(items: list, length: int) -> Iterable[list]:
    return (items[start : start + length] for start in range(0, len(items), length))
