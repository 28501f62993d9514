"""The door for pictures: a file of anybody's > eight-bit sRGB, upright, as a viewer shows it.

The content decides, never the suffix. Orientation (EXIF 2.32, tag 274) is applied, an embedded ICC
profile is converted to sRGB, bit depth is scaled and transparency lies over white. Of a TIFF or a
phone's multi-picture JPEG the first picture counts. What cannot be read right is refused, by name.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, ImageSequence, UnidentifiedImageError

from pipeline.errors import AssetError
from pipeline.media.names import foreign

PIXELS = 80_000_000  # of a photograph; a few kB of a file can claim far more
SLENDER = 16  # times as long as wide: no portrait, and too much for what scales by the short side
# Formats that hold one picture of pixels. Others that Pillow opens run programs (EPS), lack a
# signature (TGA) or hold a document's layers (PSD).
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "DIB", "PPM", "JPEG2000", "AVIF", "QOI")
ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")  # more frames are motion here; elsewhere pages, copies
# What Pillow's decoders raise on broken files, beside OSError.
BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, struct.error, KeyError, IndexError, TypeError,
    OverflowError, ZeroDivisionError, AttributeError, NotImplementedError, RuntimeError,
    MemoryError, Image.DecompressionBombError, ImageCms.PyCMSError,
)  # fmt: skip
# TIFF: kind of sub-file (1: a thumbnail), colour filter array or linear raw, DNG version.
_KIND, _PHOTOMETRIC, _DNG, _SENSOR = 254, 262, 50706, (32803, 34892)


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of a picture file, upright, transparent parts white.

    Raises AssetError, with the reason, when the file is missing, broken, cut short, animated, of a
    format that is not read, of more than PIXELS pixels or SLENDER times as long as wide.
    """
    if not path.is_file():
        what = "it is no file" if path.exists() else "there is no such file"
        raise AssetError(f"photograph {path} cannot be read: {what}")
    with _told(path), Image.open(path, formats=FORMATS) as picture:
        _check(picture, path)
        picture.load()
        return _as_seen(picture)


def read_pages(path: Path, formats: list[str]) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 sRGB of each page, frame or copy that a file holds; for a search.

    As `read_picture` shows one. `formats` are Pillow's names. Raises Image.DecompressionBombError
    when it is too large for Pillow, else one of BROKEN.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, and of sizes that a search bears
        with Image.open(path, formats=formats) as picture:
            for page in ImageSequence.Iterator(picture):
                yield _as_seen(page)


def to_rgb8(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 of a gray, gray-alpha, RGB or RGBA picture; alpha lies over white."""
    if picture.dtype != np.uint8:
        top = np.iinfo(picture.dtype).max if picture.dtype.kind in "iu" else 1.0
        picture = np.clip(picture / top * 255 + 0.5, 0, 255).astype(np.uint8)
    if picture.ndim == 2:
        picture = picture[..., None]
    colour = picture[..., : 3 if picture.shape[-1] >= 3 else 1]
    if picture.shape[-1] in (2, 4):
        alpha = picture[..., -1:] / 255.0
        colour = (colour * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(colour, (*picture.shape[:2], 3)))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What Pillow raises on a file, as one sentence; its warnings would be noise on a terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(path) from error
        except UnidentifiedImageError as error:
            reason = foreign(path) or f"it is none of {', '.join(FORMATS)}, or broken"
            raise AssetError(f"photograph {path} cannot be read: {reason}") from error
        except BROKEN as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise AssetError(f"photograph {path} cannot be read: {said}") from error


def _too_large(path: Path) -> AssetError:
    most = f"{PIXELS / 1e6:.0f} million pixels"
    return AssetError(f"photograph {path} claims more than {most}; scale it down")


def _check(picture: Image.Image, path: Path) -> None:
    """Refuse from the header alone what would not be shown right."""
    width, height = picture.size
    if width * height > PIXELS:
        raise _too_large(path)
    if max(width, height) > SLENDER * min(width, height):
        raise AssetError(
            f"photograph {path} is {width} x {height} px, a strip; cut out the part with the face"
        )
    if picture.format in ANIMATED and getattr(picture, "is_animated", False):
        raise AssetError(
            f"photograph {path} is animated; save the frame that shows the face as PNG"
        )
    if picture.format == "TIFF" and _is_raw(picture, path):
        raise AssetError(
            f"photograph {path} is a camera's raw file; develop it and save it as JPEG or PNG"
        )


def _is_raw(picture: Image.Image, path: Path) -> bool:
    # Pillow would take the thumbnail, or the sensor's mosaic, for the picture.
    tags = getattr(picture, "tag_v2", {})
    with path.open("rb") as stream:
        canon = stream.read(10)[8:] == b"CR"
    return bool(
        canon or _DNG in tags or tags.get(_KIND, 0) & 1 or tags.get(_PHOTOMETRIC) in _SENSOR
    )


def _as_seen(picture: Image.Image) -> np.ndarray:
    profile = picture.info.get("icc_profile")
    picture = _eight_bit(_upright(picture))
    colour = _srgb(_opaque(picture), profile)
    if not picture.has_transparency_data:
        return to_rgb8(np.asarray(colour))
    alpha = picture.convert("RGBA").getchannel("A")
    return to_rgb8(np.dstack([np.asarray(colour), np.asarray(alpha)]))


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except BROKEN:  # EXIF that no viewer can read either
        return picture


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Gray of 16 and 32 bits and of floats scaled to 8, not clipped; other modes as they are."""
    if not picture.mode.startswith("I") and picture.mode != "F":
        return picture
    values = np.asarray(picture).astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0:
        raise ValueError("it holds values that are negative or no numbers")
    return Image.fromarray(np.clip(values / _white(picture.mode, values) * 255 + 0.5, 0, 255)
                           .astype(np.uint8))  # fmt: skip


def _white(mode: str, values: np.ndarray) -> float:
    """The value that is white: a float picture reaches 1, or counts as bytes or 16 bits do."""
    if mode.startswith("I;16"):
        return 65535.0
    steps = (65535.0, 2.0**31 - 1, 2.0**32 - 1) if mode == "I" else (1.0, 255.0, 65535.0)
    # A few highlights of a float picture may pass its white.
    peak = values.max() / 2 if mode == "F" else values.max()
    white = next((step for step in steps if peak <= step), None)
    if white is None:
        raise ValueError(f"its values reach {values.max():g}, and nothing says which one is white")
    return white


def _opaque(picture: Image.Image) -> Image.Image:
    """The colours alone, in a mode that a colour profile may speak of: L, RGB, CMYK or LAB."""
    if picture.mode in ("L", "RGB", "CMYK", "LAB"):
        return picture
    if picture.mode in ("1", "LA", "La"):
        return picture.convert("LA").convert("L") if picture.mode == "La" else picture.convert("L")
    if picture.mode in ("P", "PA", "RGBa"):
        picture = picture.convert("RGBA")
    return picture.convert("RGB")


def _srgb(colour: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in RGB as its ICC profile means it; one that no library reads is ignored."""
    target = ImageCms.createProfile("sRGB")
    if colour.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
        return _converted(colour, source, target)
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile or b""))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return colour.convert("RGB")
        return _converted(colour, source, target)
    except (OSError, ValueError, ImageCms.PyCMSError):
        return colour.convert("RGB")


def _converted(
    colour: Image.Image, source: ImageCms.ImageCmsProfile, target: ImageCms.core.CmsProfile
) -> Image.Image:
    made = ImageCms.profileToProfile(
        colour, source, ImageCms.ImageCmsProfile(target), outputMode="RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip
    assert made is not None  # only in-place conversion gives nothing
    return made
