"""One video, one answer: which face display a trained model sees, and on which frames."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import Classifier, load, to_grey
from models.errors import ModelError
from pipeline.errors import AssetError, ClipError
from pipeline.faces.detect import Detector, choose_detector
from pipeline.faces.faces import crop_faces
from pipeline.media.footage import read_footage
from pipeline.media.video import Frames
from pipeline.params import Params


@dataclass(frozen=True)
class Prediction:
    """The likeliest class and every class' probability (mean over windows, sum 1).

    `frames` is [first, last + 1) of the frames looked at, `fps` a second from the video's start.
    """

    label: str
    probabilities: dict[str, float]
    frames: tuple[int, int]
    fps: int
    windows: int
    detector: str


def predict(video: Path, model_path: Path, params: Params) -> Prediction:
    """The face display in a video of one person who starts facing the camera.

    The video is read at the corpus' frame rate; raises what reading it and `judge` raise.
    """
    return judge(read_footage(video, params.plan.fps), video.name, model_path, params)


def judge(frames: Frames, name: str, model_path: Path, params: Params) -> Prediction:
    """The face display in (T, H, W, 3) uint8 RGB frames at the corpus' rate; `name` says whose.

    The face is found and cropped as in the corpus, and the model asked about every window. Raises
    ClipError when there is no usable face or too few frames, AssetError when the model does not
    load.
    """
    try:
        model = load(model_path)
    except ModelError as error:
        raise AssetError(str(error)) from error
    choice = choose_detector(params.faces.detector)
    detector = choice.load()
    start = first_face(frames, detector, name)
    crops, _ = crop_faces(frames[start:], detector, params.faces)
    windows = _windows(crops, model, params)
    mean = model.probabilities(windows).mean(axis=0)
    return Prediction(
        label=model.labels[int(mean.argmax())],
        probabilities={name: float(p) for name, p in zip(model.labels, mean, strict=True)},
        frames=(start, len(frames)),
        fps=params.plan.fps,
        windows=len(windows),
        detector=choice.name,
    )


def first_face(frames: Frames, detector: Detector, name: str) -> int:
    """The number of the first frame that shows a face; ClipError when none does."""
    for number, frame in enumerate(frames):
        if len(detector.find(frame)):
            return number
    raise ClipError(
        f"no face was found in {name}; show one person, facing the camera at first, well lit"
    )


def _windows(crops: Frames, model: Classifier, params: Params) -> np.ndarray:
    # (windows, T, S, S) uint8 grey, cut as the split cuts them.
    starts = range(0, len(crops) - model.window + 1, params.split.stride)
    if not starts:
        raise ClipError(
            f"the face is seen for {len(crops) / params.plan.fps:.1f} s; the model needs "
            f"{model.window / params.plan.fps:.1f} s or more"
        )
    grey = to_grey(crops)
    return np.stack([grey[start : start + model.window] for start in starts])
