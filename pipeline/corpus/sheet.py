"""The contact sheet: people in rows, face displays in columns, then portraits that follow them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pipeline.corpus.planned import Plan
from pipeline.errors import StageError
from pipeline.media.video import read_clip
from pipeline.records import ClipPlan, Person, TransferPlan

PAPER, INK, QUIET = (255, 255, 255), (31, 35, 40), (107, 114, 128)
EMPTY = 238  # grey of a cell whose clip does not exist
GAP, NAMES, HEADING = 4, 104, 28  # pixels: between cells, left of them, above them
PEOPLE = 6  # rows of avatars: enough to compare, few enough to read

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
        pen.text((x, HEADING / 2), heading, INK, _font(13, bold=True), anchor="mm")
    for number, (name, pictures) in enumerate(rows):
        top = HEADING + step * number
        _write_name(pen, name, top + side / 2)
        for column, picture in enumerate(pictures):
            cell = np.full((side, side, 3), EMPTY, np.uint8) if picture is None else picture
            canvas.paste(Image.fromarray(cell), (NAMES + step * column, top))
    return np.asarray(canvas)


def corpus_sheet(plan: Plan, clips: Path, portraits: Path, transferred: Path) -> np.ndarray:
    """The corpus on one page: avatars at their apex, then portrait, driving, transferred frame."""
    displays = list(dict.fromkeys(clip.expression for clip in plan.clips))
    rows = [*_people(plan, displays, clips)]
    chosen = {name: _first(plan.transfers, name, transferred) for name in displays}
    if any(chosen.values()):
        rows += _transfers([chosen[name] for name in displays], clips, portraits, transferred)
    return contact_sheet(rows, displays)


def apex(truth: Path) -> int:
    """The frame of a clip's truth file at which most is done: units and head turn together."""
    with np.load(truth, allow_pickle=False) as stored:
        units = stored["executed"].sum((1, 2))
        turn = np.linalg.norm(stored["head_deg"] - stored["head_deg"][0], axis=1)
    effort = units / max(units.max(), 1e-6) + turn / max(turn.max(), 1e-6)
    return int(effort.argmax())


def _people(plan: Plan, displays: list[str], clips: Path) -> list[Row]:
    by_person: dict[str, dict[str, ClipPlan]] = {}
    for clip in plan.clips:
        by_person.setdefault(clip.person.identity_id, {})[clip.expression] = clip
    everyone = list(by_person.values())
    picks = np.unique(np.linspace(0, len(everyone) - 1, PEOPLE).round().astype(int))
    return [
        (
            _describe(next(iter(everyone[pick].values())).person),
            [_apex_of(everyone[pick].get(name), clips) for name in displays],
        )
        for pick in picks
    ]


def _transfers(
    chosen: Sequence[TransferPlan | None], clips: Path, portraits: Path, transferred: Path
) -> list[Row]:
    still, driving, made = [], [], []
    for row in chosen:
        frame = apex(clips / f"{row.driving_clip_id}.npz") if row else 0
        still.append(_photograph(portraits / f"{row.portrait_id}.png") if row else None)
        driving.append(_frame(clips / f"{row.driving_clip_id}.mp4", frame) if row else None)
        made.append(_frame(transferred / f"{row.clip_id}.mp4", frame) if row else None)
    return [
        ("portrait\nunseen face", still),
        ("driving\navatar", driving),
        ("transferred\nportrait moves", made),
    ]


def _first(transfers: Sequence[TransferPlan], name: str, folder: Path) -> TransferPlan | None:
    made = (
        t for t in transfers if t.expression == name and (folder / f"{t.clip_id}.mp4").is_file()
    )
    return next(made, None)


def _apex_of(clip: ClipPlan | None, clips: Path) -> np.ndarray | None:
    if clip is None or not (clips / f"{clip.clip_id}.mp4").is_file():
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


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    # Matplotlib's own copy: the same letters on every machine.
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", name), size)
