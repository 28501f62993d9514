"""One video, one answer: which class a trained model sees, and on which frames."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from models import Classifier, load, to_grey
from models.errors import ModelError
from pipeline.errors import AssetError, ClipError, StudyError
from pipeline.evaluation.occlusion import Why, explain
from pipeline.faces.detect import Detector, choose_detector
from pipeline.faces.faces import crop_faces
from pipeline.faces.shown import shown_part
from pipeline.faces.upright import Checked, own_judge
from pipeline.media.footage import read_footage
from pipeline.media.video import Frames
from pipeline.params import Params
from pipeline.study import Input


@dataclass(frozen=True)
class Prediction:
    """The likeliest class and every class' probability (mean over windows, sum 1).

    `frames` is [first, last + 1) of the frames looked at, `fps` a second from the video's start;
    `notes` say what was turned or left out. Where it was asked for, `why` says what decided, over
    the `crops` (T, S, S) or (T, S, S, 3) of these frames.
    """

    label: str
    probabilities: dict[str, float]
    frames: tuple[int, int]
    fps: int
    windows: int
    detector: str
    notes: tuple[str, ...]
    why: Why | None = field(default=None, compare=False)
    crops: np.ndarray | None = field(default=None, compare=False)


def predict(
    video: Path, model_path: Path, params: Params, view: Input, why: bool = False
) -> Prediction:
    """The class of a video of one person who starts facing the camera.

    The video is read at the corpus' frame rate; raises what reading it and `judge` raise.
    """
    return judge(read_footage(video, params.plan.fps), video.name, model_path, params, view, why)


def judge(
    frames: Frames, name: str, model_path: Path, params: Params, view: Input, why: bool = False
) -> Prediction:
    """The class of (T, H, W, 3) uint8 RGB frames at the corpus' rate; `name` says whose they are.

    The face is found and cropped as in the corpus, and the model asked about every window. Raises
    ClipError when there is no usable face or too few frames, AssetError when the model does not
    load, StudyError where the study compares videos.
    """
    try:
        model = load(model_path)
    except ModelError as error:
        raise AssetError(str(error)) from error
    if model.network.sizes.channels != view.channels:
        raise StudyError(
            f"this model compares each clip with one of '{view.reference}' of the same person "
            "(input.reference), so it has no answer about one video alone"
        )
    choice = choose_detector(params.faces.detector)
    detector: Detector = choice.load()
    if choice.name == "haar":  # the others look at landmarks themselves
        detector = Checked(detector, own_judge())
    part = shown_part(frames, detector, name)
    crops, _ = crop_faces(part.frames, detector, params.faces, view.size)
    starts = _starts(crops, model, params.plan.fps, view)
    seen = crops if view.channels == 3 else to_grey(crops)
    windows = np.stack([seen[start : start + model.window] for start in starts])
    mean = model.probabilities(windows).mean(axis=0)
    return Prediction(
        label=model.labels[int(mean.argmax())],
        probabilities={name: float(p) for name, p in zip(model.labels, mean, strict=True)},
        frames=(part.first, part.end),
        fps=params.plan.fps,
        windows=len(windows),
        detector=choice.name,
        notes=part.notes,
        why=explain(model, seen, starts) if why else None,
        crops=seen if why else None,
    )


def _starts(crops: Frames, model: Classifier, fps: int, view: Input) -> range:
    # Where windows begin, as the split cuts them.
    starts = range(0, len(crops) - model.window + 1, view.stride)
    if not starts:
        raise ClipError(
            f"the face is seen for {len(crops) / fps:.1f} s; the model needs "
            f"{model.window / fps:.1f} s or more"
        )
    return starts
