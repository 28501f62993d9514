"""The one door of lineage to pictures and films: the frames of any file, told by its content.

Names say nothing: objects of a cache have none. Pillow is asked first (every page or frame, turned
as its EXIF says), then OpenCV, then ffmpeg, which reads films and the stills the others do not.
"""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from pipeline.errors import ClipError
from pipeline.media.video import BOUNDED

# What begins so holds no frames of its own: archives, databases, pickles, compressed text.
_OTHERS = (b"PK\x03\x04", b"SQLite format 3\x00", b"\x1f\x8b", b"\x80\x02", b"\x80\x04", b"\x7fELF")
_WRAPS = "FITS"  # Pillow reads its deep values with the wrong sign; ffmpeg reads them right
_AS_FILMED = ["-fps_mode", "passthrough"]  # no frame twice, whatever rate the file claims
_PILLOW_GIVES_UP = (
    OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, EOFError, OverflowError,
)  # fmt: skip


def frames_of(path: Path) -> tuple[str, Iterator[np.ndarray]]:
    """What a file shows: "picture", "film" or "nothing", and its (H, W, 3) uint8 RGB frames.

    Raises ClipError (here or from the frames) for a picture or film that is too large to open or
    that breaks off; the frames before the break were given.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
    for read in (_pillow, _opencv):
        frames = read(path)
        first = next(frames, None)
        if first is not None:
            return "picture", _rest(first, frames)
    if not head or head.startswith(_OTHERS) or _is_text(head):
        return "nothing", iter(())
    frames = _ffmpeg(path)
    first = next(frames, None)
    return ("nothing", iter(())) if first is None else ("film", _rest(first, frames))


def _rest(first: np.ndarray, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    yield first
    yield from frames


def _is_text(head: bytes) -> bool:
    try:
        head[:-3].decode()  # the last letter may be cut
    except UnicodeDecodeError:
        return False
    return b"\x00" not in head


def _pillow(path: Path) -> Iterator[np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, which decides nothing here
        try:
            Image.init()
            with Image.open(path, formats=[i for i in Image.ID if i != _WRAPS]) as picture:
                for page in ImageSequence.Iterator(picture):
                    yield _eight_bit(np.asarray(ImageOps.exif_transpose(_plain(page))))
        except Image.DecompressionBombError as error:
            raise ClipError(f"{path} claims more pixels than Pillow opens") from error
        except (UnidentifiedImageError, *_PILLOW_GIVES_UP):
            return


def _plain(page: Image.Image) -> Image.Image:
    # Deep grey stays as it is: Pillow would cut it off at 255.
    return page if page.mode.startswith(("I", "F")) else page.convert("RGB")


def _opencv(path: Path) -> Iterator[np.ndarray]:
    cv2.setLogLevel(2)  # errors: OpenCV warns of every format it was built without
    try:
        if cv2.haveImageReader(str(path)):
            depth = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
            for page in cv2.imreadmulti(str(path), flags=depth)[1]:
                yield _eight_bit(cv2.cvtColor(page, cv2.COLOR_BGR2RGB))
    except cv2.error:
        return


def _ffmpeg(path: Path) -> Iterator[np.ndarray]:
    begun = False
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film"  # no suffix and no pattern that ffmpeg would act upon
        film.symlink_to(path.resolve())
        try:
            for frame in iio.imiter(
                film, plugin="FFMPEG", extension=".mp4", input_params=BOUNDED,
                output_params=_AS_FILMED,
            ):  # fmt: skip
                begun = True
                yield frame
        except (OSError, ValueError, RuntimeError) as error:
            if begun or "max pixel count" in str(error):
                raise ClipError(f"{path} breaks off or claims too many pixels") from error


def _eight_bit(picture: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) of any depth > (H, W, 3) uint8, stretched to its own range."""
    if picture.dtype != np.uint8:
        values = np.nan_to_num(picture.astype(np.float64))
        low, high = values.min(), values.max()
        picture = ((values - low) / max(high - low, 1e-9) * 255).astype(np.uint8)
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
