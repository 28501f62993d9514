"""The contact sheet: people in rows, labels in columns, then portraits that follow them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.corpus.planned import Plan
from pipeline.errors import StageError
from pipeline.media.video import read_clip
from pipeline.records import ClipPlan, Person, TransferPlan

if TYPE_CHECKING:
    from pipeline.workspace import Workspace

PAPER, INK, QUIET = (255, 255, 255), (31, 35, 40), (107, 114, 128)
EMPTY = 238  # grey of a cell whose clip does not exist
GAP, NAMES, HEADING = 4, 104, 28  # pixels: between cells, left of them, above them
PEOPLE = 6  # rows of avatars: enough to compare, few enough to read
COLUMNS = 8  # pictures side by side that a page can hold

Row = tuple[str, list[np.ndarray | None]]  # its name and its pictures


def contact_sheet(rows: Sequence[Row], columns: Sequence[str]) -> np.ndarray:
    """(H, W, 3) uint8 RGB: named rows of equal (S, S, 3) uint8 pictures under column headings.

    None leaves a cell empty; a line break in a row's name begins a second, quieter line.
    """
    side = _side(rows)
    step = side + GAP
    canvas = Image.new(
        "RGB", (NAMES + step * len(columns), HEADING + step * len(rows)), color=PAPER
    )
    pen = ImageDraw.Draw(canvas)
    for column, heading in enumerate(columns):
        x = NAMES + step * column + side / 2
        pen.text((x, HEADING / 2), heading, INK, _fitting(heading, side), anchor="mm")
    for number, (name, pictures) in enumerate(rows):
        top = HEADING + step * number
        _write_name(pen, name, top + side / 2)
        for column, picture in enumerate(pictures):
            cell = np.full((side, side, 3), EMPTY, np.uint8) if picture is None else picture
            canvas.paste(Image.fromarray(cell), (NAMES + step * column, top))
    return np.asarray(canvas)


def corpus_sheet(plan: Plan, workspace: "Workspace") -> np.ndarray:
    """The corpus on one page: avatars at their apex, then portrait, driving, transferred frame.

    One column for each label and expression, or a label where they are too many for a page.
    """
    columns = _columns(plan)
    rows = _people(columns, workspace.clips)
    kinds = [{(clip.label, clip.expression) for clip in clips} for clips in columns.values()]
    chosen = [_first(plan.transfers, kind, workspace.transferred) for kind in kinds]
    if any(chosen):
        rows += _transfers(chosen, workspace)
    return contact_sheet(rows, list(columns))


def apex(truth: Path) -> int:
    """The frame of a clip's truth file at which most is done: units and head turn together."""
    with np.load(truth, allow_pickle=False) as stored:
        units = stored["executed"].sum((1, 2))
        turn = np.linalg.norm(stored["head_deg"] - stored["head_deg"][0], axis=1)
    effort = units / max(units.max(), 1e-6) + turn / max(turn.max(), 1e-6)
    return int(effort.argmax())


def _columns(plan: Plan) -> dict[str, list[ClipPlan]]:
    """Heading > its clips, in the order of the plan."""
    kinds = list(dict.fromkeys((clip.label, clip.expression) for clip in plan.clips))
    labels = [label for label, _ in kinds]
    columns: dict[str, list[ClipPlan]] = {}
    for clip in plan.clips:
        heading = str(clip.label)
        if len(kinds) <= COLUMNS and labels.count(clip.label) > 1:
            heading = f"{clip.label}: {clip.expression}"
        columns.setdefault(heading, []).append(clip)
    return columns


def _people(columns: dict[str, list[ClipPlan]], clips: Path) -> list[Row]:
    """Rows of one person each where every person is in every column, else of one for a column."""
    theirs: list[dict[str, list[ClipPlan]]] = []  # of each column: person > clips
    for planned in columns.values():
        theirs.append({})
        for clip in planned:
            theirs[-1].setdefault(clip.person.identity_id, []).append(clip)
    everyone = [list(people) for people in theirs]
    alike = all(names == everyone[0] for names in everyone)
    count = min(PEOPLE, max(map(len, everyone)))
    rows = []
    for turn in range(count):
        names = [people[_spread(turn, count, len(people))] for people in everyone]
        # Row by row another clip of a person's, so that a sheet shows all cameras.
        found = [clips_of[name] for clips_of, name in zip(theirs, names, strict=True)]
        shown = [made[turn % len(made)] for made in found]
        name = _describe(shown[0].person) if alike else f"example {turn + 1}"
        rows.append((name, [_apex_of(clip, clips) for clip in shown]))
    return rows


def _spread(turn: int, count: int, length: int) -> int:
    return round(turn * (length - 1) / max(count - 1, 1))


def _transfers(chosen: Sequence[TransferPlan | None], workspace: "Workspace") -> list[Row]:
    still, driving, made = [], [], []
    for row in chosen:
        clip = workspace.clips / f"{row.driving_clip_id}.mp4" if row else None
        frame = apex(clip.with_suffix(".npz")) if clip else 0
        still.append(_photograph(workspace.portraits / f"{row.portrait_id}.png") if row else None)
        driving.append(_frame(clip, frame) if clip else None)
        made.append(_frame(workspace.transferred / f"{row.clip_id}.mp4", frame) if row else None)
    return [
        ("portrait\nunseen face", still),
        ("driving\navatar", driving),
        ("transferred\nportrait moves", made),
    ]


def _first(
    transfers: Sequence[TransferPlan], kinds: set[tuple[str | None, str]], folder: Path
) -> TransferPlan | None:
    made = (
        row
        for row in transfers
        if (row.label, row.expression) in kinds and (folder / f"{row.clip_id}.mp4").is_file()
    )
    return next(made, None)


def _apex_of(clip: ClipPlan, clips: Path) -> np.ndarray | None:
    if not (clips / f"{clip.clip_id}.mp4").is_file():
        return None
    return _frame(clips / f"{clip.clip_id}.mp4", apex(clips / f"{clip.clip_id}.npz"))


def _frame(video: Path, number: int) -> np.ndarray:
    frames = read_clip(video)
    return frames[min(number, len(frames) - 1)]


def _photograph(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path))
    if picture is None:
        raise StageError(f"{path} is no picture that can be read; run `pallor run` to make it")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _describe(person: Person) -> str:
    age = "" if person.age is None else f"{person.age:.0f} years"
    return "\n".join(part for part in (person.sex or "person", age) if part)


def _side(rows: Sequence[Row]) -> int:
    shapes = {picture.shape for _, row in rows for picture in row if picture is not None}
    if len(shapes) != 1 or len({*next(iter(shapes))[:2]}) != 1:
        raise StageError(f"a contact sheet wants square pictures of one size, got {sorted(shapes)}")
    return next(iter(shapes))[0]


def _write_name(pen: ImageDraw.ImageDraw, name: str, middle: float) -> None:
    first, _, second = name.partition("\n")
    pen.text((NAMES - 10, middle - (8 if second else 0)), first, INK, _font(13), anchor="rm")
    pen.text((NAMES - 10, middle + 9), second, QUIET, _font(11), anchor="rm")


def _fitting(heading: str, width: int) -> ImageFont.FreeTypeFont:
    """The largest bold letters in which a heading is no wider than its column."""
    sizes = (size for size in range(13, 5, -1) if _font(size, True).getlength(heading) <= width)
    return _font(next(sizes, 5), True)


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    # Matplotlib's own copy: the same letters on every machine.
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", name), size)
