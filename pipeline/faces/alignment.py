"""face-alignment (Bulat & Tzimiropoulos 2017) as a Detector, from local weight files only."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from face_alignment import FaceAlignment, LandmarksType, utils
from face_alignment.models import FAN

from pipeline.errors import AssetError
from pipeline.faces.quality import Rejected
from pipeline.faces.track import follow
from pipeline.media.video import Frames

LOST = 0.2  # mean peak of the 68 heat maps; a FAN on a face gives 0.5 and more
# The same of our own FAN where its BlazeFace found something: 0.46 and more on 26 real faces of
# 25 px, 0.60 on half a face, 0.39 at most on pictures of none (scikit-image's lfw_subset).
SEEN = 0.42

REACH, RISE = 1.2, 0.19  # of the landmarks' extent: medians over avatars, cascade against truth
INPUT = 128  # px a side that a BlazeFace sees
FINE = 512  # px of the short side that landmarks are read at: the library cuts them to whole px
BROKEN = (OSError, RuntimeError, ValueError, AssertionError, EOFError, pickle.UnpicklingError)


class AlignmentDetector:
    """Boxes from SFD or BlazeFace on the first frame, then the 68 landmarks of frame after frame.

    `weights` are file name > path as `pipeline.faces.detect.find_weights` gives them. Raises
    AssetError when a file does not hold the network its name promises.
    """

    def __init__(self, weights: Mapping[str, Path]) -> None:
        torch.set_num_threads(1)  # sums in another order give other last bits
        try:
            self._aligner = _LocalAligner(weights)
        except BROKEN as error:
            raise AssetError(
                f"face-alignment's weights ({', '.join(weights)}) cannot be loaded: "
                f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
            ) from error

    def find(self, frame: np.ndarray) -> np.ndarray:
        found = self._aligner.face_detector.detect_from_image(frame.copy())
        boxes = np.array([face[:4] for face in found if len(face)], dtype=np.float64)
        if not len(boxes):
            return np.zeros((0, 4))
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return boxes[np.argsort(-areas, kind="stable")]

    def follow(self, frames: Frames, box: np.ndarray) -> np.ndarray:
        boxes = []
        for number, frame in enumerate(frames):
            landmarks, score = self.landmarks(frame, box)
            if score < LOST:
                raise Rejected("face_lost", f"the face was lost in frame {number}")
            box = landmark_box(landmarks)
            boxes.append(box)
        return np.stack(boxes)

    def landmarks(self, frame: np.ndarray, box: np.ndarray) -> tuple[np.ndarray, float]:
        """(68, 2) iBUG landmarks px of the face in `box` and the mean height of their peaks."""
        times = -(-FINE // min(frame.shape[:2]))
        large = cv2.resize(frame, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
        points, scores, _ = self._aligner.get_landmarks_from_image(
            large, detected_faces=[times * np.asarray(box)], return_landmark_score=True
        )
        exact = (np.asarray(points[0], dtype=np.float64) + 0.5) / times  # a whole px's middle
        return exact, float(np.mean(scores[0]))


class OwnDetector(AlignmentDetector):
    """Our own pair: a BlazeFace that finds and follows, and a FAN that must see landmarks first.

    That BlazeFace has learned `landmark_box` itself (docs/decisions/face-networks.md), so it gives
    a frame's box in 11 ms where the FAN takes 300; optical flow carries a face it misses.
    """

    def find(self, frame: np.ndarray) -> np.ndarray:
        boxes = super().find(frame)
        seen = [self.landmarks(frame, box)[1] >= SEEN for box in boxes]
        return boxes[np.array(seen, dtype=bool)]

    def follow(self, frames: Frames, box: np.ndarray) -> np.ndarray:
        return follow(frames, box, super().find)


def landmark_box(landmarks: np.ndarray) -> np.ndarray:
    """(68, 2) landmarks px > a square box (4,) that reaches from the chin up to the forehead.

    The points end at the brows; REACH and RISE give the box that a cascade finds on the same face.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    extent = (high - low).max()
    centre = (low + high) / 2 - np.array([0, RISE * extent])
    return np.concatenate([centre - REACH * extent / 2, centre + REACH * extent / 2])


class _LocalAligner(FaceAlignment):
    """FaceAlignment that takes its weights from files given, where its own would download them."""

    def __init__(self, weights: Mapping[str, Path]) -> None:
        self._fan = next(path for name, path in weights.items() if name.startswith("2DFAN"))
        detector, settings = _detector_settings(weights)
        super().__init__(
            LandmarksType.TWO_D,
            network_size=4 if self._fan.name.startswith("2DFAN4") else 1,
            device="cpu",  # the default, cuda, is not everywhere and not the same everywhere
            flip_input=False,  # twice the time for a landmark box that does not change
            face_detector=detector,
            face_detector_kwargs=settings,
            compile=False,  # half a minute at first use and no gain on a processor
        )
        if detector == "blazeface":
            _drop_inverted(self.face_detector.face_detector)
            _square_up(self.face_detector)

    def _load_native(self, network_name: str, network_size: int, device: str, dtype: Any) -> FAN:
        net = FAN(network_size)
        net.load_state_dict(torch.load(self._fan, map_location=device, weights_only=True))
        # Channels last saves a sixth of its time on a processor.
        return net.to(device, dtype=dtype, memory_format=torch.channels_last).eval()


def _detector_settings(weights: Mapping[str, Path]) -> tuple[str, dict[str, str]]:
    if "blazeface.pth" in weights:
        paths = {"path_to_detector": "blazeface.pth", "path_to_anchor": "anchors.npy"}
        return "blazeface", {key: str(weights[name]) for key, name in paths.items()}
    return "sfd", {"path_to_detector": str(weights["s3fd-619a316812.pth"])}


def _drop_inverted(net: Any) -> None:
    # face-alignment 1.5.0 loops for ever on a box whose right is left of its left: such a box
    # never overlaps itself, so suppression never removes it.
    suppress = net._weighted_non_max_suppression

    def suppress_upright(found: torch.Tensor) -> list[torch.Tensor]:
        return suppress(found[(found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])])

    net._weighted_non_max_suppression = suppress_upright


def _square_up(detector: Any) -> None:
    # face-alignment 1.5.0 rounds some square pictures (25 px) down to 127 px and refuses them.
    detect = detector.detect_from_image

    def detect_square(frame: np.ndarray) -> list[np.ndarray]:
        height, width = frame.shape[:2]
        if height != width:
            return list(detect(frame))
        way = cv2.INTER_AREA if width > INPUT else cv2.INTER_LINEAR
        scale = np.array([width / INPUT] * 4 + [1.0])
        found = detect(cv2.resize(frame, (INPUT, INPUT), interpolation=way))
        return [np.asarray(face[:5]) * scale for face in found if len(face)]

    detector.detect_from_image = detect_square


def _interpreted() -> None:
    # The library has numba compile these, for ten seconds in every process that looks for a face;
    # as they are written they take 2 ms a face.
    for name in ("transform_np", "_get_preds_fromhm"):
        compiled = getattr(utils, name)
        setattr(utils, name, getattr(compiled, "py_func", compiled))


_interpreted()
