"""Pictures of a clip that browsers show: a film of its own that plays, a still, a strip of frames.

The corpus's films are lossless RGB, which few browsers play. A twin is made once, when it is asked
for, under the film's own stamp: a film that changed gets another.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.errors import ClipError
from pipeline.files import writing
from pipeline.lineage.erase import TWINS
from pipeline.media.film import write_film
from pipeline.media.films import every_frame, open_film
from pipeline.media.video import Frames, frame_rate, read_clip

LONGEST = 240  # frames of a strip; of a longer film every n-th
_ROOM = threading.Semaphore(2)  # encoders at once: a page asks for two dozen twins
_BUSY: dict[Path, threading.Lock] = {}
_TABLE = threading.Lock()


def playable(film: Path, home: Path, rights: str = "") -> Path:
    """The H.264 4:2:0 twin of a film, below `home`; ClipError when the film is gone or broken.

    `rights` is the licence of the face that is shown.
    """
    return _made(film, home, ".mp4", lambda part: _write_twin(film, part, rights))


def strip(film: Path, home: Path, clip: str = "") -> Path:
    """All frames of a film in one lossless WebP, row by row; `columns` of them side by side.

    `clip` says whose film it is where its path does not: in DVC's cache.
    """
    return _made(film, home, ".webp", lambda part: _write_strip(film, part), clip)


def read_film(film: Path) -> tuple[Frames, float]:
    """The frames of a film and how many are shown a second; in DVC's cache it has no ending."""
    if film.suffix:
        return read_clip(film), frame_rate(film)
    known = open_film(film)
    return np.stack(list(every_frame(known))), known.rate


def columns(frames: int) -> int:
    """How many frames stand side by side in the strip of a film of so many."""
    return int(np.ceil(np.sqrt(len(range(0, frames, step(frames))))))


def step(frames: int) -> int:
    """Every how many-th frame of a film is in its strip."""
    return -(-frames // LONGEST)


def still(film: Path) -> bytes:
    """The first frame as WebP; ClipError when the film is gone or broken."""
    _require(film)
    video = cv2.VideoCapture(str(film))
    try:
        there, frame = video.read()
    finally:
        video.release()
    if not there:
        raise ClipError(f"{film} cannot be read as a video; `pallor verify` says more")
    return bytes(cv2.imencode(".webp", frame, [cv2.IMWRITE_WEBP_QUALITY, 90])[1])


def _require(film: Path) -> None:
    if not film.is_file():
        raise ClipError(f"the film {film} is gone; `dvc checkout` or `pallor run` brings it back")


def _made(
    film: Path, home: Path, ending: str, make: Callable[[Path], None], clip: str = ""
) -> Path:  # fmt: skip
    """The twin of that ending; of two that ask at once, one makes it and the other waits."""
    _require(film)
    stat = film.stat()
    stamp = f"{stat.st_size:x}-{stat.st_mtime_ns:x}"
    # Named after the clip, which a removal looks for; a cached film's own name is its content.
    folder = "-".join(film.parts[-2:] if clip else film.parts[-3:-1])
    twin = home / TWINS / folder / f"{clip or film.stem}.{stamp}{ending}"
    if twin.is_file():
        return twin
    with _TABLE:
        lock = _BUSY.setdefault(twin, threading.Lock())
    with lock, _ROOM:
        if not twin.is_file():
            with writing(twin) as part:
                make(part)
            _forget_older(twin)
    return twin


def _forget_older(twin: Path) -> None:
    name = twin.name.split(".")[0]
    for older in twin.parent.glob(f"{name}.*{twin.suffix}"):
        if older != twin:
            older.unlink(missing_ok=True)


def _write_twin(film: Path, part: Path, rights: str) -> None:
    write_film(part, read_clip(film), max(1, round(frame_rate(film))), repeats=1, rights=rights)


def _write_strip(film: Path, part: Path) -> None:
    frames, _ = read_film(film)
    frames = frames[:: step(len(frames))]
    wide = columns(len(frames))
    rows = -(-len(frames) // wide)
    _, height, width, _ = frames.shape
    sheet = np.zeros((rows * height, wide * width, 3), np.uint8)
    for number, frame in enumerate(frames):
        top, left = number // wide * height, number % wide * width
        sheet[top : top + height, left : left + width] = frame
    Image.fromarray(sheet).save(part, "WEBP", lossless=True, quality=20, method=1)
