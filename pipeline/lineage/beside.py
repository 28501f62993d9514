"""Two versions of a clip side by side: before, after, their difference; as picture and as page."""

import base64
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from pipeline.errors import ClipError
from pipeline.files import writing
from pipeline.lineage.diff import text
from pipeline.lineage.pixels import film_of
from pipeline.media.films import every_frame, open_film
from pipeline.media.video import Frames
from pipeline.report.templates import counted

if TYPE_CHECKING:
    from pipeline.lineage.corpus import Place
    from pipeline.lineage.diff import Snapshot

MOST = 100  # clips on a page, those that changed most
GAP = 4  # px between the three
BRIGHT = 255  # levels that the largest difference of a picture is drawn with
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
color: #1b1f24; background: #fff }
pre { white-space: pre-wrap; font: 13px/1.45 ui-monospace, monospace } h1 { font-size: 1.4rem }
figure { margin: 1.5rem 0 } img { max-width: 100%; image-rendering: pixelated }
@media (prefers-color-scheme: dark) { body { color: #e6e8eb; background: #16191d } }
"""


class MissingError(ClipError):
    """A film of one of the versions is not at hand."""


def beside(old: "Snapshot", new: "Snapshot", key: str, place: "Place") -> tuple[np.ndarray, str]:
    """(H, 3 W, 3) uint8 RGB: a clip before, after, and their difference, and a sentence on it.

    The frame is that of the largest difference. Raises MissingError when a film is not at hand.
    """
    films = []
    for version in (old, new):
        path = film_of(version, key, place)
        if path is None:
            raise MissingError(
                f"{key} of {version.name} is not at hand; `dvc fetch --all-commits` brings it "
                "where a remote has it"
            )
        films.append(np.stack(list(every_frame(open_film(path)))))  # a cached one has no ending
    return _drawn(*films)


def write_worst(
    difference: Mapping[str, Any], old: "Snapshot", new: "Snapshot", place: "Place", out: Path
) -> str:
    """Write the clip that changed most as a PNG file; a sentence on it, or on why there is none."""
    key = (difference["pixels"] or {}).get("worst")
    if key is None:
        return ""
    try:
        picture, told = beside(old, new, key, place)
    except ClipError as error:
        return f"no picture: {error}"
    with writing(out) as part:
        part.write_bytes(_png(picture))
    return f"{out}: {key} before, after and the difference; {told}"


def page(
    difference: Mapping[str, Any], old: "Snapshot", new: "Snapshot", place: "Place"
) -> Iterator[str]:
    """The parts of one self-contained HTML page: what changed in words, then clip by clip."""
    found = difference["pixels"] or {}
    names = found.get("differ", []) if "levels" in found else []
    title = escape(f"{old.study}: {difference['old']} and {difference['new']}")
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style><h1>{title}</h1><pre>{escape(text(difference))}</pre>"
    for key in names[:MOST]:
        yield _figure(key, old, new, place)
    if len(names) > MOST:
        yield f"<p>{len(names) - MOST} further clips changed less than these.</p>"
    yield "</html>\n"


def _figure(key: str, old: "Snapshot", new: "Snapshot", place: "Place") -> str:
    try:
        picture, told = beside(old, new, key, place)
    except ClipError as error:
        return f"<p>{escape(str(error))}</p>"
    source = "data:image/png;base64," + base64.b64encode(_png(picture)).decode()
    words = escape(f"{key}: before, after, difference; {told}")
    return f'<figure><img src="{source}" alt="{words}"><figcaption>{words}</figcaption></figure>'


def _drawn(before: Frames, after: Frames) -> tuple[np.ndarray, str]:
    if before.shape != after.shape:
        note = f"{_shape(before)} became {_shape(after)}"
        middle = [film[len(film) // 2] for film in (before, after)]
        after_ = cv2.resize(middle[1], middle[0].shape[1::-1], interpolation=cv2.INTER_AREA)
        return _joined(middle[0], after_, np.zeros_like(middle[0])), note
    apart = np.abs(before.astype(np.int16) - after)
    frame = int(apart.max(axis=(1, 2, 3)).argmax())
    most = int(apart.max())
    strong = (apart[frame] * (BRIGHT / max(most, 1))).astype(np.uint8)
    note = f"frame {frame}, {most} levels at most, {apart.mean():.3g} on average over the clip"
    return _joined(before[frame], after[frame], strong), note


def _shape(film: Frames) -> str:
    count, high, wide, _ = film.shape
    return f"{counted(count, 'frame')} of {wide} x {high} px"


def _joined(*pictures: np.ndarray) -> np.ndarray:
    gap = np.full((pictures[0].shape[0], GAP, 3), BRIGHT, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis=1)


def _png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()
