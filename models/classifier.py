"""The numpy door: a trained network with its labels, from windows of pixels to probabilities.

A model file is safetensors; its metadata's one key, `pallor`, holds JSON with `format`, `model`
(a name in `MODELS`), `config` (the model's parameters beside `classes`, `size` and, unless it is 1,
`channels`), `labels`, `window` (frames) and `temperature`.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from models.errors import ModelError
from models.network import Network
from models.registry import build

FORMAT = 2
BATCH = 64  # windows at once: some 100 MB of activations
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


def to_grey(frames: np.ndarray) -> np.ndarray:
    """(..., H, W, 3) uint8 RGB > (..., H, W) uint8 luma."""
    if frames.dtype != np.uint8 or frames.shape[-1] != 3:
        raise ModelError(f"frames are (..., H, W, 3) uint8 RGB, got {frames.shape} {frames.dtype}")
    return np.rint(frames @ LUMA).astype(np.uint8)


def to_tensor(windows: np.ndarray) -> torch.Tensor:
    """(N, T, S, S) grey or (N, T, S, S, C), uint8 > (N, T, C, S, S) float32 in [0, 1]."""
    window_sizes(windows)
    return channels_first(torch.from_numpy(np.ascontiguousarray(windows))).float() / 255


def channels_first(windows: torch.Tensor) -> torch.Tensor:
    """(N, T, S, S) > (N, T, 1, S, S); (N, T, S, S, C) > (N, T, C, S, S)."""
    return windows.unsqueeze(2) if windows.ndim == 4 else windows.permute(0, 1, 4, 2, 3)


def window_sizes(windows: np.ndarray) -> dict[str, int]:
    """`channels`, `size` and `frames`, as `build` takes them, of windows as `to_tensor` does."""
    if windows.dtype != np.uint8 or windows.ndim not in (4, 5):
        raise ModelError(
            "windows are (N, T, S, S) uint8 grey or (N, T, S, S, C) uint8, "
            f"got {windows.shape} {windows.dtype}"
        )
    channels = 1 if windows.ndim == 4 else windows.shape[4]
    return {"channels": channels, "size": windows.shape[2], "frames": windows.shape[1]}


@dataclass(frozen=True)
class Classifier:
    """A network `name` of the registry, the names of its classes, and its window in frames.

    Scores are divided by `temperature` before they become probabilities (1: as they are).
    """

    name: str
    network: Network
    labels: tuple[str, ...]
    window: int
    temperature: float = 1.0

    def logits(self, windows: np.ndarray) -> np.ndarray:
        """Windows as `to_tensor` takes them > (N, classes) float64 scores, before temperature."""
        self.network.eval()
        parts = []
        with torch.inference_mode():
            for start in range(0, len(windows), BATCH):
                scores = self.network(to_tensor(windows[start : start + BATCH]))
                parts.append(scores.double().numpy())
        return np.concatenate(parts) if parts else np.empty((0, len(self.labels)))

    def probabilities(self, windows: np.ndarray) -> np.ndarray:
        """Windows as `to_tensor` takes them > (N, classes) float64, each row summing to 1."""
        return torch.from_numpy(self.logits(windows) / self.temperature).softmax(1).numpy()

    def save(self, path: Path) -> None:
        """Write the model file, whole or not at all; equal weights give equal bytes."""
        about = {
            "format": FORMAT,
            "model": self.name,
            "config": _written(self.network),
            "labels": list(self.labels),
            "window": self.window,
            "temperature": self.temperature,
        }
        state = {key: value.contiguous() for key, value in self.network.state_dict().items()}
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(save(state, {"pallor": json.dumps(about, sort_keys=True)}))
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def load(path: Path) -> Classifier:
    """The classifier of a model file; ModelError says in what it does not fit."""
    if not path.is_file():
        raise ModelError(f"there is no model file {path}; `pallor run` trains one")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ModelError(f"{path} is not a safetensors file: {error}") from error
    if "pallor" not in metadata:
        raise ModelError(f"{path} holds no Pallor classifier (its metadata lacks 'pallor')")
    about = json.loads(metadata["pallor"])
    if about["format"] != FORMAT:
        raise ModelError(f"{path} has format {about['format']}, this version reads {FORMAT}")
    network = _read(about, path)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{path}'s weights do not fit its configuration: {error}") from error
    return Classifier(
        about["model"], network.eval(), tuple(about["labels"]), about["window"],
        about["temperature"],
    )  # fmt: skip


def _written(network: Network) -> dict[str, Any]:
    sizes = asdict(network.sizes)
    del sizes["frames"]  # the file's `window`
    if network.sizes.channels == 1:
        del sizes["channels"]  # files from before there were others lack it
    return asdict(network.config) | sizes


def _read(about: dict[str, Any], path: Path) -> Network:
    parameters = {"channels": 1, **about["config"]}
    try:
        sizes = {name: parameters.pop(name) for name in ("classes", "channels", "size")}
    except KeyError as error:
        raise ModelError(f"{path} does not say the network's {error}") from error
    return build(about["model"], **sizes, frames=about["window"], parameters=parameters)
