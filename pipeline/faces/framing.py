"""Any picture and any video, framed as the motion model was trained: the face in the same place."""

import cv2
import numpy as np

from pipeline.errors import AssetError, ClipError
from pipeline.faces.detect import PROFILE, HaarDetector, cascade_file, neutral_box
from pipeline.faces.quality import Rejected
from pipeline.faces.track import working_grey
from pipeline.faces.upright import Checked, own_judge
from pipeline.media.video import Frames

# Of a frame's width, measured on the neutral frames of 38 avatars with the same detector: how wide
# the Haar box is, and how far below the frame's middle its centre lies.
BOX_WIDTH = 0.55
BOX_DROP = 0.045
LEAST = 32.0  # px of a portrait's face box: a smaller face has lids of a pixel


def frame_face(picture: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8: the picture's one face, framed as the avatars are.

    Raises AssetError when no face is found, or several, or one of fewer than LEAST px.
    """
    try:
        view = face_view(picture, size)
    except Rejected as error:
        raise AssetError(f"a portrait cannot be framed: {_why(picture, error)}") from error
    wide = BOX_WIDTH * size / float(view[0, 0])
    if wide < LEAST:
        raise AssetError(
            f"a portrait cannot be framed: its face is {wide:.0f} px wide; give a larger picture, "
            f"with {LEAST:.0f} px or more"
        )
    return seen_through(picture, view, size)


def face_box(size: int) -> np.ndarray:
    """The box (4,) px that the cascade finds in a framed picture of `size` px."""
    half = BOX_WIDTH / 2
    middle = 0.5 + BOX_DROP
    return np.array([0.5 - half, middle - half, 0.5 + half, middle + half]) * size


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


def face_finder() -> Checked:
    """The cascade that frames faces; what it finds must have a face's landmarks."""
    return Checked(HaarDetector(), own_judge())


def face_view(picture: np.ndarray, size: int) -> np.ndarray:
    """(2, 3) affine map from the pixels of a picture to those of its framed face; Rejected."""
    left, top, right, bottom = neutral_box(face_finder(), picture)
    side = (right - left) / BOX_WIDTH
    x = (left + right) / 2 - side / 2
    y = (top + bottom) / 2 - side * (0.5 + BOX_DROP)
    scale = size / side
    return np.array([[scale, 0, -x * scale], [0, scale, -y * scale]], dtype=np.float32)


def _why(picture: np.ndarray, error: Rejected) -> str:
    """The reason for a portrait's owner, who knows of no first frame."""
    if error.reason == "several_faces":
        return f"{error.detail.replace('first frame', 'picture')}; cut out one of them"
    if _in_profile(picture):
        return "no face looks into the camera, one is seen from the side; give one from the front"
    return (
        "no face was found; show one from the front, uncovered, photographed and filling a sixth "
        "of the picture or more"
    )


def _in_profile(picture: np.ndarray) -> bool:
    grey, _ = working_grey(picture)
    grey, least = cv2.equalizeHist(grey), min(grey.shape) // 4
    cascade = cv2.CascadeClassifier(str(cascade_file(PROFILE)))
    return any(
        len(cascade.detectMultiScale(view, 1.1, 5, minSize=(least, least)))
        for view in (grey, np.ascontiguousarray(grey[:, ::-1]))  # it knows one side alone
    )


def seen_through(picture: np.ndarray, view: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 3) uint8 of an (H, W, 3) picture; past its border the border pixel repeats."""
    scale = float(view[0, 0])
    if scale < 1:  # an area filter first: warpAffine alone would alias
        picture = cv2.GaussianBlur(picture, (0, 0), 0.5 / scale)
    return np.asarray(
        cv2.warpAffine(picture, view, (size, size), flags=cv2.INTER_LINEAR,
                       borderMode=cv2.BORDER_REPLICATE)
    )  # fmt: skip
