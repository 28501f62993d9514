"""Somebody else's model, as ONNX, asked about windows of ours in the form that it takes them.

The form is read off its one input: windows in colour (N, T, H, W, C), (N, T, C, H, W) or
(N, C, T, H, W), grey (N, T, H, W), or single pictures (N, C, H, W) and (N, H, W, C), whose answers
about a window's frames are averaged. Sizes that the file leaves open are the study's own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from pipeline.errors import AssetError
from pipeline.study import Input

CHANNELS = (1, 3)
KINDS = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16,
         "tensor(double)": np.float64}  # fmt: skip
# Letters of an input by its number of axes, where the axis C has one or three channels.
LAYOUTS = {5: ("NTHWC", "NTCHW", "NCTHW"), 4: ("NCHW", "NHWC")}
BATCH = 16  # windows at once where the file leaves it open
NAMES = ("pallor", "labels", "classes", "names")  # metadata that may hold the classes


@dataclass(frozen=True)
class Form:
    """How a model takes windows: axes by letter, what they hold, and how many `frames` and `size`.

    `batch` is fixed by some files, else None. Without T it is asked about single pictures.
    """

    axes: str
    kind: type
    frames: int
    size: int
    channels: int
    batch: int | None

    def said(self) -> str:
        """In words."""
        what = f"windows of {self.frames} frames" if "T" in self.axes else "single pictures"
        colour = "grey" if self.channels == 1 else "RGB"
        return f"{what} of {self.size} px, {colour}, as {self.axes} {np.dtype(self.kind).name}"


class Guest:
    """An ONNX model whose columns have names; AssetError says why it cannot be asked.

    `classes` are those of the study's task, `given` the model's own in its order (None: as its
    metadata say, else the study's). `level` is what white is in an input of floats.
    """

    def __init__(
        self, path: Path, view: Input, classes: Sequence[str], given: Sequence[str] | None = None,
        level: float = 1.0,
    ) -> None:  # fmt: skip
        if not path.is_file():
            raise AssetError(f"there is no model file {path}")
        try:
            onnxruntime.set_default_logger_severity(4)
            self._session = onnxruntime.InferenceSession(
                str(path), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions have no common root of their own
            raise AssetError(f"{path} is no ONNX model that can be run: {_brief(error)}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise AssetError(f"{path} has {len(inputs)} inputs; a model of windows has one")
        self.path, self._name, self._level = path, inputs[0].name, level
        self.form = _form(path, inputs[0].shape, inputs[0].type, view)
        self.labels = _labels(path, self._width(), given or self._told(), classes)

    def probabilities(self, windows: np.ndarray) -> np.ndarray:
        """(N, T, S, S, 3) uint8 RGB windows > (N, classes) float64, each row summing to 1."""
        form = self.form
        seen = _sized(windows, form)
        if "T" not in form.axes:
            count, frames = seen.shape[:2]
            rows = self._ask(seen.reshape(-1, *seen.shape[2:]))
            return np.asarray(rows.reshape(count, frames, -1).mean(axis=1))
        return self._ask(seen)

    def _ask(self, seen: np.ndarray) -> np.ndarray:
        # (N, [T,] H, W, C) uint8 > (N, classes)
        letters = "NTHWC" if seen.ndim == 5 else "NHWC"
        order = [letters.index(letter) for letter in self.form.axes if letter in letters]
        if "C" not in self.form.axes:  # grey without an axis for it
            seen, order = seen[..., 0], list(range(4))
        batch = self.form.batch or BATCH
        parts = [
            self._run(self._valued(seen[start : start + batch].transpose(order)), batch)
            for start in range(0, len(seen), batch)
        ]
        return np.concatenate(parts)

    def _valued(self, batch: np.ndarray) -> np.ndarray:
        if self.form.kind is np.uint8:
            return np.ascontiguousarray(batch)
        return np.ascontiguousarray(batch / 255 * self._level).astype(self.form.kind)

    def _run(self, batch: np.ndarray, whole: int) -> np.ndarray:
        count = len(batch)
        if self.form.batch and count < whole:  # a file of a fixed batch takes no other
            batch = np.concatenate([batch, np.repeat(batch[-1:], whole - count, axis=0)])
        try:
            [rows, *_] = self._session.run(None, {self._name: batch})
        except Exception as error:
            raise AssetError(f"{self.path} fails on {batch.shape}: {_brief(error)}") from error
        return _shares(np.asarray(rows, dtype=np.float64)[:count], self.path)

    def _width(self) -> int | None:
        last = self._session.get_outputs()[0].shape[-1:]
        return last[0] if last and isinstance(last[0], int) else None

    def _told(self) -> list[str] | None:
        """The classes that the file's metadata name."""
        metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        text = next((metadata[name] for name in NAMES if name in metadata), None)
        if text is None:
            return None
        try:
            found: Any = json.loads(text)
        except ValueError:
            return [name.strip() for name in text.split(",")]
        if isinstance(found, dict):
            found = found.get("labels", list(found.values()))
        return [str(name) for name in found] if isinstance(found, list) else None


def _form(path: Path, shape: Sequence[Any], kind: str, view: Input) -> Form:
    fixed = [side if isinstance(side, int) and side > 0 else None for side in shape]
    if kind not in KINDS:
        raise AssetError(f"{path} takes {kind}; a model of pictures takes uint8 or floats")
    found = [
        axes for axes in LAYOUTS.get(len(fixed), ())
        if fixed[axes.index("C")] in CHANNELS and _square(fixed, axes)
    ]  # fmt: skip
    if not found and len(fixed) == 4 and _square(fixed, "NTHW"):
        found = ["NTHW"]
    if not found:
        raise AssetError(
            f"{path} takes {list(shape)}, which is neither windows nor pictures; it may be "
            f"{', '.join((*LAYOUTS[5], 'NTHW', *LAYOUTS[4]))} with square pictures and 1 or 3 "
            "channels"
        )
    sides = dict(zip(found[0], fixed, strict=True))
    return Form(
        found[0], KINDS[kind], sides.get("T") or view.frames, sides["H"] or view.size,
        sides.get("C") or 1, sides["N"],
    )  # fmt: skip


def _square(fixed: Sequence[int | None], axes: str) -> bool:
    high, wide = (fixed[axes.index(letter)] for letter in "HW")
    return high == wide or None in (high, wide)


def _labels(
    path: Path, width: int | None, named: Sequence[str] | None, classes: Sequence[str]
) -> tuple[str, ...]:
    labels = list(named or classes)
    if width is not None and width != len(labels):
        raise AssetError(
            f"{path} has {width} outputs, but {len(labels)} classes are named "
            f"({', '.join(labels)}); name them in its order with --labels"
        )
    lost = [name for name in classes if name not in labels]
    if lost or len(set(labels)) < len(labels):
        raise AssetError(
            f"{path} names {', '.join(labels)}; the task has {', '.join(classes)}, so each must "
            "stand there once (--labels)"
        )
    return tuple(labels)


def _sized(windows: np.ndarray, form: Form) -> np.ndarray:
    """(N, T, S, S, 3) > (N, T, size, size, channels)."""
    frames = windows.reshape(-1, *windows.shape[2:])
    if form.channels == 1:
        frames = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])
    if frames.shape[1] != form.size:
        way = cv2.INTER_AREA if frames.shape[1] > form.size else cv2.INTER_CUBIC
        side = (form.size, form.size)
        frames = np.stack([cv2.resize(frame, side, interpolation=way) for frame in frames])
    return frames.reshape(*windows.shape[:2], form.size, form.size, form.channels)


def _shares(rows: np.ndarray, path: Path) -> np.ndarray:
    """(N, classes) probabilities as they are, of other scores their softmax."""
    if rows.ndim != 2 or not np.isfinite(rows).all():
        what = f"{rows.shape}" if rows.ndim != 2 else "numbers that are not finite"
        raise AssetError(f"{path} answers with {what}; it must give one score a class and window")
    if (rows >= 0).all() and np.allclose(rows.sum(1), 1, atol=1e-3):
        return rows / rows.sum(1, keepdims=True)
    powers = np.exp(rows - rows.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def _brief(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
