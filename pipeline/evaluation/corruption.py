"""What is left of a model's accuracy when pictures get worse: five corruptions, two strengths."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from models import Classifier
from pipeline.errors import StageError
from pipeline.evaluation.metrics import bootstrap_accuracy, mean_by

Corruption = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]

# name > (unit of the strength, a mild and a strong one)
STRENGTHS: dict[str, tuple[str, tuple[float, float]]] = {
    "blur": ("px of a Gaussian, in the crop", (0.7, 1.5)),
    "noise": ("grey levels, standard deviation", (8.0, 24.0)),
    "light": ("share of the light lost at the darker side", (0.4, 0.8)),
    "occlusion": ("of the crop's side, a grey square anywhere", (0.2, 0.4)),
    "frame_rate": ("frames of which one is seen", (2.0, 4.0)),
}


def corruption(
    model: Classifier,
    windows: np.ndarray,
    truth: np.ndarray,
    clips: Sequence[str],
    person_of: Mapping[str, str],
    chance: tuple[int, int],
) -> dict[str, dict[str, Any]]:
    """Clip accuracy of `model` on corrupted copies of uint8 windows (as `cut_windows` gives them).

    For each corruption its `unit` and a row a strength: `strength`, `accuracy`, `accuracy_ci95`,
    `n`. `clips` (N,) names each window's clip, whose probabilities are averaged; `chance` is
    (resamples, seed).
    """
    report: dict[str, dict[str, Any]] = {}
    for name, (unit, strengths) in STRENGTHS.items():
        rows = []
        for strength in strengths:
            worse = corrupted(windows, name, strength, np.random.default_rng(chance[1]))
            names, classes, shares = mean_by(clips, truth, model.probabilities(worse))
            right = shares.argmax(1) == classes
            people = [person_of[clip] for clip in names]
            rows.append({
                "strength": strength,
                "accuracy": round(float(right.mean()), 6),
                "accuracy_ci95": bootstrap_accuracy(right, people, *chance),
                "n": len(names),
            })  # fmt: skip
        report[name] = {"unit": unit, "rows": rows}
    return report


def corrupted(
    windows: np.ndarray, name: str, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Copies of uint8 windows, each corrupted as a whole; StageError for an unknown corruption."""
    if name not in CORRUPTIONS:
        raise StageError(f"there is no corruption '{name}'; known: {', '.join(CORRUPTIONS)}")
    made = [CORRUPTIONS[name](window, strength, rng) for window in windows]
    return np.stack(made).round().clip(0, 255).astype(np.uint8)


def _blur(window: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    del rng
    return np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in window])


def _noise(window: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    return window + rng.normal(0, deviation, window.shape)


def _light(window: np.ndarray, lost: float, rng: np.random.Generator) -> np.ndarray:
    # A lamp from one side, in a direction drawn for each window.
    angle, side = rng.uniform(0, 2 * np.pi), np.linspace(-0.5, 0.5, window.shape[1])
    ramp = np.cos(angle) * side + np.sin(angle) * side[:, None]
    ramp = ramp[..., None] if window.ndim == 4 else ramp
    return window * (1 - lost * (ramp - ramp.min()) / np.ptp(ramp))


def _occlusion(window: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    side = round(share * window.shape[1])
    top, left = rng.integers(0, window.shape[1] - side + 1, 2)
    covered = window.copy()
    covered[:, top : top + side, left : left + side] = 128
    return covered


def _frame_rate(window: np.ndarray, every: float, rng: np.random.Generator) -> np.ndarray:
    del rng
    return window[np.arange(len(window)) // int(every) * int(every)]


CORRUPTIONS: dict[str, Corruption] = {
    "blur": _blur, "noise": _noise, "light": _light, "occlusion": _occlusion,
    "frame_rate": _frame_rate,
}  # fmt: skip
