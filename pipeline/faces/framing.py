"""Any picture and any video, framed as the motion model was trained: the face in the same place."""

from pathlib import Path

import cv2
import imageio.v3 as iio
import numpy as np
from PIL import Image

from pipeline.errors import AssetError, ClipError
from pipeline.faces.detect import HaarDetector, neutral_box
from pipeline.faces.quality import Rejected
from pipeline.media.video import Frames

PIXELS = 80_000_000  # of a photograph; a few kB of a file can claim far more
# Of a frame's width, measured on the neutral frames of 38 avatars with the same detector: how wide
# the Haar box is, and how far below the frame's middle its centre lies.
BOX_WIDTH = 0.55
BOX_DROP = 0.045


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB of a picture file: gray, alpha and 16-bit are converted.

    Raises AssetError when it is missing, no picture, or of more than PIXELS pixels.
    """
    try:
        with Image.open(path) as picture:  # reads the header alone
            if picture.width * picture.height > PIXELS:
                raise AssetError(
                    f"photograph {path} claims more than {PIXELS / 1e6:.0f} million pixels; "
                    "scale it down"
                )
        return to_rgb8(iio.imread(path, plugin="pillow"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise AssetError(f"photograph {path} cannot be read: {error}") from error


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


def frame_face(picture: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8: the picture's one face, framed as the avatars are.

    Raises AssetError when no face is found, or several.
    """
    try:
        view = face_view(picture, size)
    except Rejected as error:
        raise AssetError(f"a portrait cannot be framed: {error}") from error
    return seen_through(picture, view, size)


def frame_clip(frames: Frames, size: int) -> Frames:
    """(T, size, size, 3) uint8: a clip of one face, framed by where the face is in frame 0.

    The view stands still, so that the head's own movement stays in it. Raises ClipError when the
    clip has one frame, or no face, or several, in its first frame.
    """
    if len(frames) < 2:
        raise ClipError("the driving clip has one frame; motion needs two or more")
    try:
        view = face_view(frames[0], size)
    except Rejected as error:
        raise ClipError(f"the driving clip cannot be framed: {error}") from error
    return np.stack([seen_through(frame, view, size) for frame in frames])


def face_view(picture: np.ndarray, size: int) -> np.ndarray:
    """(2, 3) affine map from the pixels of a picture to those of its framed face; Rejected."""
    left, top, right, bottom = neutral_box(HaarDetector(), picture)
    side = (right - left) / BOX_WIDTH
    x = (left + right) / 2 - side / 2
    y = (top + bottom) / 2 - side * (0.5 + BOX_DROP)
    scale = size / side
    return np.array([[scale, 0, -x * scale], [0, scale, -y * scale]], dtype=np.float32)


def seen_through(picture: np.ndarray, view: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8 of an (H, W, 3) picture; past its border the border pixel repeats."""
    scale = float(view[0, 0])
    if scale < 1:  # an area filter first: warpAffine alone would alias
        picture = cv2.GaussianBlur(picture, (0, 0), 0.5 / scale)
    return np.asarray(
        cv2.warpAffine(picture, view, (size, size), flags=cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)
    )  # fmt: skip
