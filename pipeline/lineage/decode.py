"""What any file shows, told by its content: names say nothing, objects of a cache have none.

The two doors of `pipeline.media` are asked first, for what a person would see. A search refuses
less than they do: what they do not take or show (colours under transparent parts, near blacks of
deep pictures, covers of sound, further films of a file, strips) OpenCV and ffmpeg decode as it is.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from pipeline.errors import ClipError
from pipeline.media.films import every_frame, open_film, raw_frames
from pipeline.media.pictures import BROKEN, read_pages

# What begins so holds no frames of its own: archives, databases, pickles, compressed text.
_OTHERS = (b"PK\x03\x04", b"SQLite format 3\x00", b"\x1f\x8b", b"\x80\x02", b"\x80\x04", b"\x7fELF")
# Pillow reads deep FITS with the wrong sign, which ffmpeg does not, and runs a program for EPS.
_NOT_BY_PILLOW = ("FITS", "EPS")

Frames = Iterator[np.ndarray]  # (H, W, 3) uint8 RGB each


def frames_of(path: Path) -> tuple[str, Frames]:
    """What a file shows: "picture", "film" or "nothing", and its (H, W, 3) uint8 RGB frames.

    Raises ClipError (here or from the frames) for a picture or film that is too large to open or
    that breaks off; the frames before the break were given.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    readers: list[tuple[str, Callable[[Path], Frames]]] = [("picture", _pages)]
    if head and not head.startswith(_OTHERS) and not _is_text(head):
        readers.append(("film", _films))
    for kind, read in readers:
        frames = read(path)
        first = next(frames, None)
        if first is not None:
            return kind, chain([first], frames)
    return "nothing", iter(())


def _is_text(head: bytes) -> bool:
    try:
        head[:-3].decode()  # the last letter may be cut
    except UnicodeDecodeError:
        return False
    return b"\x00" not in head


def _pages(path: Path) -> Frames:
    Image.init()
    pages = read_pages(path, [name for name in Image.ID if name not in _NOT_BY_PILLOW])
    begun = False
    try:
        for page in pages:
            begun = True
            yield page
    except BROKEN as error:
        if begun or isinstance(error, Image.DecompressionBombError):
            raise ClipError(f"{path} breaks off or claims more pixels than Pillow opens") from error
    yield from _raw_pages(path)


def _raw_pages(path: Path) -> Frames:
    cv2.setLogLevel(2)  # errors: OpenCV warns of every format it was built without
    try:
        if cv2.haveImageReader(str(path)):
            depth = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
            for page in cv2.imreadmulti(str(path), flags=depth)[1]:
                yield _eight_bit(cv2.cvtColor(page, cv2.COLOR_BGR2RGB))
    except cv2.error:
        return


def _films(path: Path) -> Frames:
    numbers: Iterable[int] = count()  # of a file that the door refuses: all that there are
    try:
        film = open_film(path)
        yield from every_frame(film)
        numbers = film.others
    except ClipError:
        pass
    for number in numbers:
        frames = raw_frames(path, number)
        first = next(frames, None)
        if first is None:
            return
        yield from chain([first], frames)


def _eight_bit(picture: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) of any depth > (H, W, 3) uint8, stretched to its own range."""
    if picture.dtype != np.uint8:
        values = np.nan_to_num(picture.astype(np.float64))
        low, high = values.min(), values.max()
        picture = ((values - low) / max(high - low, 1e-9) * 255).astype(np.uint8)
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
