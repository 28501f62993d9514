"""Where the face is: face-alignment, with published weights or our own, or Viola-Jones in OpenCV.

Which one runs, and why, is part of the record: they find slightly different boxes.
"""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy as np

from pipeline.errors import AssetError
from pipeline.faces.quality import Rejected
from pipeline.faces.track import follow, working_grey
from pipeline.files import file_digest
from pipeline.media.video import Frames
from pipeline.store.shipped import shipped

CASCADES = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
PROFILE = "haarcascade_profileface.xml"
# The names under which face-alignment's own download keeps its files, best first.
WEIGHTS = {"sfd": ("s3fd-619a316812.pth",), "blazeface": ("blazeface.pth", "anchors.npy")}
FAN = ("2DFAN4-11f355bf06.pth.tar", "2DFAN1.pth.tar")  # four stacks published; one of our own
OWN = shipped("checkpoints/facenets")  # trained on renders (docs/decisions/face-networks.md)
RIVAL = 0.5  # of the largest face's area: a second face this large makes the clip ambiguous


class Detector(Protocol):
    """Finds the faces of a frame and follows one through a clip."""

    def find(self, frame: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB > (N, 4) face boxes [left, top, right, bottom] px, largest first."""

    def follow(self, frames: Frames, box: np.ndarray) -> np.ndarray:
        """(T, H, W, 3) frames and the first one's box > (T, 4) boxes; Rejected when it is lost."""


@dataclass(frozen=True)
class Choice:
    """The detector to run, why, and `identity`: all that decides its boxes."""

    name: Literal["haar", "face-alignment", "own"]
    because: str
    identity: dict[str, Any]
    weights: dict[str, Path]

    def record(self) -> dict[str, Any]:
        """What detector.json holds."""
        return {"detector": self.name, "because": self.because, "identity": self.identity}

    def load(self) -> Detector:
        """The detector itself; slow for networks, so once a worker."""
        if self.name == "haar":
            return HaarDetector()
        # torch and numba take seconds: only where they are needed
        from pipeline.faces.alignment import AlignmentDetector, OwnDetector

        return (OwnDetector if self.name == "own" else AlignmentDetector)(self.weights)


def choose_detector(setting: str, folder: Path | None = None, own: Path = OWN) -> Choice:
    """The detector for `faces.detector`: auto, face-alignment, own or haar.

    `folder` holds face-alignment's weights (None: PALLOR_FACE_WEIGHTS, else torch hub's cache),
    `own` those trained on renders. Nothing is downloaded. Raises AssetError when face-alignment or
    own is asked for without its weights.
    """
    asked = "faces.detector asks for it"
    if setting == "haar":
        return _haar(asked)
    published = find_weights(folder or weights_folder()) if setting != "own" else {}
    if published:
        because = "its weights are at hand" if setting == "auto" else asked
        return _alignment("face-alignment", because, published)
    if setting == "face-alignment":
        raise AssetError(
            "faces.detector is face-alignment but its weights are not at hand; put "
            f"{' and '.join(WEIGHTS['sfd'] + FAN[:1])} into torch hub's checkpoint folder or a "
            "folder named by PALLOR_FACE_WEIGHTS, or set faces.detector to own or haar"
        )
    trained = find_weights(own)
    if setting == "own" and trained:
        return _alignment("own", asked, trained)
    if setting == "auto":
        missing = "face-alignment's weights are not in torch hub's cache or PALLOR_FACE_WEIGHTS"
        if trained:
            return _alignment("own", missing, trained)
        return _haar(f"{missing}, nor our own in {own}/")
    raise AssetError(
        f"faces.detector is own but {own}/ holds no whole set of weights; check out its files "
        "again or train them with `make facenets`, or set faces.detector to haar"
    )


def weights_folder() -> Path:
    """PALLOR_FACE_WEIGHTS, else the checkpoint folder of torch hub."""
    named = os.environ.get("PALLOR_FACE_WEIGHTS")
    if named:
        return Path(named).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "torch"
    return Path(os.environ.get("TORCH_HOME", cache)).expanduser() / "hub" / "checkpoints"


def find_weights(folder: Path) -> dict[str, Path]:
    """file name > path of a whole set of weights (one detector, one FAN) in `folder`, or {}."""
    fan = next((name for name in FAN if (folder / name).is_file()), None)
    for names in WEIGHTS.values():
        if fan and all((folder / name).is_file() for name in names):
            return {name: folder / name for name in (*names, fan)}
    return {}


def neutral_box(detector: Detector, frame: np.ndarray) -> np.ndarray:
    """The (4,) box of the one face of a frame; Rejected when there is none or a rival."""
    boxes = detector.find(frame)
    if not len(boxes):
        raise Rejected("no_face", "no face was found in the first frame")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    rivals = int((areas >= RIVAL * areas[0]).sum())
    if rivals > 1:
        raise Rejected("several_faces", f"the first frame shows {rivals} faces of like size")
    return boxes[0]


class HaarDetector:
    """Viola & Jones 2001 on every frame, optical flow where it finds nothing."""

    def __init__(self) -> None:
        self._cascades = [cv2.CascadeClassifier(str(cascade_file(name))) for name in CASCADES]

    def find(self, frame: np.ndarray) -> np.ndarray:
        grey, scale = working_grey(frame)
        least = min(grey.shape) // 6
        for cascade in self._cascades:  # the second finds some faces that the first does not
            found = cascade.detectMultiScale(
                cv2.equalizeHist(grey), scaleFactor=1.1, minNeighbors=5, minSize=(least, least)
            )
            if len(found):
                left, top, width, height = np.asarray(found, dtype=np.float64).T / scale
                boxes = np.stack([left, top, left + width, top + height], axis=1)
                return boxes[np.lexsort((left, top, -width))]
        return np.zeros((0, 4))

    def follow(self, frames: Frames, box: np.ndarray) -> np.ndarray:
        return follow(frames, box, self.find)


def cascade_file(name: str) -> Path:
    """The file of one of OpenCV's cascades."""
    return Path(cv2.__file__).parent / "data" / name


def _haar(because: str) -> Choice:
    cascades = {name: file_digest(cascade_file(name)) for name in CASCADES}
    return Choice("haar", because, {"opencv": cv2.__version__, "cascades": cascades}, {})


def _alignment(
    name: Literal["face-alignment", "own"], because: str, weights: dict[str, Path]
) -> Choice:
    identity = {
        "face-alignment": version("face-alignment"),
        "torch": version("torch"),
        "weights": {name: file_digest(path) for name, path in weights.items()},
    }
    return Choice(name, because, identity, weights)
