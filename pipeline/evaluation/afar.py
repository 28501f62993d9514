"""How far a user's clips lie from what a model was trained on, so that nobody reads a score alone.

Two distances, each in the training corpus' own measure: of looks (the first crop's light, colour,
sharpness and coarse picture, which no network touches), and of features (what goes into the
network's last layer). A distance is that of probabilistic PCA (Tipping & Bishop 1999) fitted on the
training side; the test side, people whom the model never met, says what is usual among strangers.
A far clip is unlike the corpus; a near one is not thereby known to be read rightly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from sklearn.decomposition import PCA
from torch import Tensor, nn

from models import Classifier
from pipeline.faces.quality import sharpness

SIDE = 8  # pixels a side of the coarse picture
LEAST = 8  # clips of either side, below which nothing is said
PARTS = 32  # of probabilistic PCA: a corpus of some hundred clips fits no more
FLAT = 0.1  # of the mean spread: what hardly varies in the corpus is not measured finer than this
USUAL = 95  # per cent of strangers that lie nearer than what is called far


@dataclass(frozen=True)
class Yardstick:
    """The training corpus' own measure of a kind of features (N, F)."""

    pca: PCA
    scale: np.ndarray  # (F,): no number counts for more because its unit is small
    usual: np.ndarray

    @classmethod
    def fitted(cls, trained: np.ndarray, strangers: np.ndarray) -> "Yardstick | None":
        """From clips learnt and clips of people never met; None with too few of either."""
        if min(len(trained), len(strangers)) < LEAST:
            return None
        spread = trained.std(axis=0)
        scale = np.maximum(spread, FLAT * spread.mean() + 1e-9)
        parts = max(1, min(len(trained) // 4, trained.shape[1] - 1, PARTS))
        pca = PCA(parts, svd_solver="full").fit(trained / scale)
        return cls(pca, scale, _distance(pca, strangers / scale))

    def row(self, features: np.ndarray) -> dict[str, float]:
        """`times`: the median distance over that of strangers; `far`: the share of clips beyond
        nearly all (USUAL per cent) of them."""
        found = _distance(self.pca, features / self.scale)
        return {
            "times": round(float(np.median(found) / np.median(self.usual)), 3),
            "far": round(float((found > np.percentile(self.usual, USUAL)).mean()), 6),
        }


def looks(crops: Sequence[np.ndarray]) -> np.ndarray:
    """First crops (S, S, 3) uint8 RGB > (N, SIDE**2 + 6) numbers that a glance would notice."""
    return np.stack([_look(crop) for crop in crops])


def features(model: Classifier, windows: np.ndarray) -> np.ndarray:
    """Windows as the model takes them > (N, F): what its last layer is given, or scores."""
    layers = [part for part in model.network.modules() if isinstance(part, nn.Linear)]
    if not layers:
        return model.logits(windows)
    seen: list[np.ndarray] = []

    def keep(_: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen.append(given[0].detach().double().numpy().reshape(-1, given[0].shape[-1]))

    handle = layers[-1].register_forward_pre_hook(keep)
    try:
        model.logits(windows)
    finally:
        handle.remove()
    rows = np.concatenate(seen)
    return np.asarray(rows.reshape(len(windows), -1, rows.shape[1]).mean(axis=1))


def afar(
    trained: dict[str, np.ndarray], strangers: dict[str, np.ndarray], mine: dict[str, np.ndarray]
) -> dict[str, Any]:
    """A `row` for each kind of features; kinds with too few clips are left out."""
    found = {}
    for kind, table in mine.items():
        yardstick = Yardstick.fitted(trained[kind], strangers[kind])
        if yardstick:
            found[kind] = yardstick.row(table)
    return found


def _look(crop: np.ndarray) -> np.ndarray:
    mean = crop.reshape(-1, 3).mean(axis=0) + 1.0
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    spread = small.std() + 1e-6
    plain = [
        grey.mean() / 64, grey.std() / 32, np.log(sharpness(crop) + 1e-4),
        np.log(mean[0] / mean[1]) * 4, np.log(mean[2] / mean[1]) * 4,
        np.log(np.abs(np.diff(grey, axis=0)).mean() + 1e-2),
    ]  # fmt: skip
    return np.concatenate([plain, ((small - small.mean()) / spread).ravel()])


def _distance(pca: PCA, table: np.ndarray) -> np.ndarray:
    # (N, F) > (N,): whitened length within the components, the rest by the noise that is left.
    centred = table - pca.mean_
    inner = centred @ pca.components_.T
    outer = (centred**2).sum(1) - (inner**2).sum(1)
    noise = max(float(pca.noise_variance_), 1e-9)
    square = (inner**2 / np.maximum(pca.explained_variance_, noise)).sum(1) + outer / noise
    return np.sqrt(np.maximum(square, 0))
