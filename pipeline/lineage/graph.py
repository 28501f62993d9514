"""An explanation as a drawing: what it was made from, itself, what it leads to, left to right."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

BOX = (250, 44)  # px
GAP = (90, 14)
SHOWN = 12  # boxes a column; the rest are counted
_TONES = ("#e8eef7", "#fff2cc", "#e6f4ea")


def draw(answer: Mapping[str, Any]) -> str:
    """SVG of the nearest neighbours of `answer` (pipeline.lineage.explain); "" when it has none."""
    columns = [_sources(answer), [(str(answer["id"]), str(answer["kind"]))], _products(answer)]
    if not columns[0] and not columns[2]:
        return ""
    height = max(len(column) for column in columns) * (BOX[1] + GAP[1]) + GAP[1]
    width = 3 * BOX[0] + 2 * GAP[0]
    shapes = _arrows(columns, height)
    for place, column in enumerate(columns):
        places = zip(_rows(column, height), column, strict=True)
        shapes += [_box(place, y, *entry) for y, entry in places]
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="lineage of {escape(str(answer["id"]))}" '
        f'font-family="system-ui, sans-serif">{"".join(shapes)}</svg>'
    )


def _sources(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = answer.get("made_from", [])
    return _cut([(str(_name(row)), str(row["role"])) for row in rows])


def _products(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    leads = answer.get("leads_to", {})
    clips = [(clip, "clip") for clip in leads.get("first clips", [])]
    more = leads.get("clips", 0) - len(clips)
    named = [(str(v), key) for key in ("portraits", "copies") for v in leads.get(key, [])]
    counts = [
        (
            f"{row['windows']} windows, {row['copies']} copies",
            f"{row['task']}, {row['draw']}: {row['side']}",
        )
        for row in leads.get("samples", [])
    ]
    keys = ("models", "metrics", "trains", "judges")
    ends = [(str(v), str(v).split(":")[0]) for key in keys for v in leads.get(key, [])]
    return _cut(clips + named, extra=max(0, more), room=SHOWN - 2) + counts + ends


def _name(row: Mapping[str, Any]) -> Any:
    return row.get("id") or row.get("name") or row.get("path") or row.get("commit")


def _cut(
    boxes: Sequence[tuple[str, str]], extra: int = 0, room: int = SHOWN
) -> list[tuple[str, str]]:
    left = len(boxes) - room + extra if len(boxes) > room else extra
    return [*boxes[:room], *([(f"and {left} more", "")] if left else [])]


def _rows(column: Sequence[Any], height: int) -> list[float]:
    used = len(column) * (BOX[1] + GAP[1]) - GAP[1]
    top = (height - used) / 2
    return [top + number * (BOX[1] + GAP[1]) for number in range(len(column))]


def _box(place: int, y: float, name: str, role: str) -> str:
    x = place * (BOX[0] + GAP[0])
    label = name if len(name) < 36 else name[:34] + "…"
    return (
        f'<g><title>{escape(name)}</title><rect x="{x + 1}" y="{y}" width="{BOX[0] - 2}" '
        f'height="{BOX[1]}" rx="6" fill="{_TONES[place]}" stroke="#8a93a0"/>'
        f'<text x="{x + 10}" y="{y + 18}" font-size="11" fill="#57606a">{escape(role)}</text>'
        f'<text x="{x + 10}" y="{y + 35}" font-size="13">{escape(label)}</text></g>'
    )


def _arrows(columns: Sequence[Sequence[Any]], height: int) -> list[str]:
    middle = height / 2
    left, right = BOX[0] + GAP[0], 2 * BOX[0] + GAP[0]
    curves = []
    for column, start, end in ((columns[0], BOX[0], left), (columns[2], right + GAP[0], right)):
        bend = (start + end) / 2
        for y in _rows(column, height):
            edge = y + BOX[1] / 2
            curves.append(
                f'<path d="M{start} {edge} C{bend} {edge} {bend} {middle} {end} {middle}" '
                'fill="none" stroke="#8a93a0"/>'
            )
    return curves
