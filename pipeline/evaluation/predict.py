"""One video, one answer: which class a trained model sees, and on which frames."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models import Classifier, load, to_grey
from models.errors import ModelError
from pipeline.errors import AssetError, ClipError, StudyError
from pipeline.evaluation.occlusion import Why, explain
from pipeline.faces.detect import Detector, choose_detector
from pipeline.faces.faces import crop_faces
from pipeline.faces.shown import Shown, shown_part
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


@dataclass(frozen=True)
class Look:
    """What a model saw and said: `crops` (T, S, S, 3) uint8 RGB, `windows` cut from them as the
    split cuts them, `shares` (windows, classes), and which `part` of the film was looked at."""

    crops: Frames
    windows: np.ndarray
    shares: np.ndarray
    part: Shown


class Watcher:
    """A model and a face detector, loaded once to be asked about many films.

    Raises AssetError when the model does not load, StudyError where the study compares videos.
    """

    def __init__(self, model_path: Path, params: Params, view: Input) -> None:
        try:
            self.model: Classifier = load(model_path)
        except ModelError as error:
            raise AssetError(str(error)) from error
        if self.model.network.sizes.channels != view.channels:
            raise StudyError(
                f"this model compares each clip with one of '{view.reference}' of the same person "
                "(input.reference), so it has no answer about one video alone"
            )
        self.params, self.view = params, view
        choice = choose_detector(params.faces.detector)
        self.detector_name = choice.name
        self._detector: Detector = choice.load()
        if choice.name == "haar":  # the others look at landmarks themselves
            self._detector = Checked(self._detector, own_judge())

    @property
    def fps(self) -> int:
        """Frames a second that films are looked at with: the corpus' own."""
        return self.params.plan.fps

    def look(self, frames: Frames, name: str) -> Look:
        """(T, H, W, 3) uint8 RGB frames of one person; `name` says whose they are.

        The face is found and cropped as in the corpus, and the model asked about every window.
        Raises ClipError when there is no usable face or too few frames.
        """
        part = shown_part(frames, self._detector, name)
        crops, _ = crop_faces(part.frames, self._detector, self.params.faces, self.view.size)
        starts = _starts(crops, self.model, self.fps, self.view)
        shown = self._shown(crops)
        windows = np.stack([shown[start : start + self.model.window] for start in starts])
        return Look(crops, windows, self.model.probabilities(windows), part)

    def judge(self, frames: Frames, name: str) -> Prediction:
        """What `look` comes to: one answer, the mean over the windows."""
        return self.answer(self.look(frames, name))

    def answer(self, seen: Look) -> Prediction:
        """The answer of a look."""
        mean = seen.shares.mean(axis=0)
        return Prediction(
            label=self.model.labels[int(mean.argmax())],
            probabilities={n: float(p) for n, p in zip(self.model.labels, mean, strict=True)},
            frames=(seen.part.first, seen.part.end),
            fps=self.fps,
            windows=len(seen.windows),
            detector=self.detector_name,
            notes=seen.part.notes,
        )

    def why(self, seen: Look) -> tuple[Why, np.ndarray]:
        """What decided a look, by occlusion, and the frames (T, S, S[, 3]) that the model saw."""
        shown = self._shown(seen.crops)
        return explain(
            self.model, shown, _starts(seen.crops, self.model, self.fps, self.view)
        ), shown

    def _shown(self, crops: Frames) -> np.ndarray:
        return crops if self.view.channels == 3 else to_grey(crops)


def predict(video: Path, model_path: Path, params: Params, view: Input) -> Prediction:
    """The class of a video of one person who starts facing the camera.

    The video is read at the corpus' frame rate; raises what reading it and `Watcher` raise.
    """
    watcher = Watcher(model_path, params, view)
    return watcher.judge(read_footage(video, watcher.fps), video.name)


def _starts(crops: Frames, model: Classifier, fps: int, view: Input) -> range:
    # Where windows begin, as the split cuts them.
    starts = range(0, len(crops) - model.window + 1, view.stride)
    if not starts:
        raise ClipError(
            f"the face is seen for {len(crops) / fps:.1f} s; the model needs "
            f"{model.window / fps:.1f} s or more, so take a longer video"
        )
    return starts
