"""Probabilities that mean what they say: one temperature, fitted on validation windows only.

Guo et al., "On calibration of modern neural networks", ICML 2017, arXiv:1706.04599.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

COOLEST, WARMEST = 0.5, 20.0  # without an error to learn from, the likelihood asks for zero
BINS = 10  # of confidence, of equal width


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The temperature that makes (N, classes) logits likeliest for the (N,) class indices.

    Softmax of logits / temperature; within COOLEST and WARMEST, rounded to four digits.
    """
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[rows, truth].mean())

    found = minimize_scalar(loss, bounds=np.log([COOLEST, WARMEST]), method="bounded")
    return round(float(np.exp(found.x)), 4)


def uncalibrated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The (N, classes) probabilities as they were before the division by `temperature`."""
    powers = np.power(np.maximum(probabilities, 1e-300), temperature)
    return powers / powers.sum(1, keepdims=True)


def reliability(truth: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """How far confidence and accuracy part: `ece` and the `bins` that it is the mean over.

    Expected calibration error of the likeliest class: over BINS bins of its probability,
    |accuracy - confidence| weighted by the units in them; empty bins are left out.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == truth
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [
        {
            "confidence": round(float(confidence[places == place].mean()), 6),
            "accuracy": round(float(right[places == place].mean()), 6),
            "n": int((places == place).sum()),
        }
        for place in np.unique(places)
    ]
    error = sum(row["n"] * abs(row["accuracy"] - row["confidence"]) for row in bins) / len(truth)
    return {"ece": round(float(error), 6), "bins": bins}
