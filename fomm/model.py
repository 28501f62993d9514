"""The motion model behind a numpy door: frames in, key points and frames out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor, nn

from fomm.config import MotionConfig
from fomm.errors import MotionError
from fomm.generator import Generated, Generator, Moved
from fomm.keypoints import KeyPointDetector, KeyPoints, relative_motion

Frames = np.ndarray  # (H, W, 3) or (T, H, W, 3), uint8 or float32 in [0, 1], RGB

BATCH = 8  # frames at a time: bounds memory on long clips


@dataclass(frozen=True)
class Portrait:
    """A source that was looked at once, to perform any number of clips.

    `image` (1, 3, H, W) itself, `small` (1, 3, 64, 64) what the motion networks see of it,
    `features` (1, C, h, w) what the decoder warps, `points` its key points, `dtype` the type of
    the frames to come.
    """

    image: Tensor
    small: Tensor
    features: Tensor
    points: KeyPoints
    dtype: np.dtype


class MotionModel(nn.Module):
    """Key-point detector and generator of one checkpoint (Siarohin et al., NeurIPS 2019).

    Frames are RGB, (H, W, 3) or (T, H, W, 3), uint8 or float32 in [0, 1], square, their side a
    multiple of 64 pixels; MotionError otherwise. Best at `config.size`.
    """

    def __init__(self, config: MotionConfig):
        super().__init__()
        self.config = config
        # How frames are sampled: the published weights were trained so (torch 1.0's only way).
        self.align_corners = True
        self.kp_detector = KeyPointDetector(config)
        self.generator = Generator(config)

    @torch.inference_mode()
    def keypoints(self, frames: Frames) -> KeyPoints:
        """Key points of N frames: `value` (N, K, 2) in [-1, 1], `jacobian` (N, K, 2, 2)."""
        images = self._tensor(frames, "frames")
        with _telling_memory(images):
            return KeyPoints.cat([self.kp_detector(batch) for batch in _batches(images)])

    @torch.inference_mode()
    def generate(self, source: Frames, kp_source: KeyPoints, kp_driving: KeyPoints) -> Generated:
        """The source as moved from `kp_source` to each of N `kp_driving`; one source or N."""
        image = self._tensor(source, "source")
        count = max(len(image), len(kp_driving))
        if {len(image), len(kp_source), len(kp_driving)} - {1, count}:
            raise MotionError(
                f"{len(image)} sources, {len(kp_source)} and {len(kp_driving)} sets of key points "
                "do not pair up; give one of each or equally many"
            )
        image = image.expand(count, -1, -1, -1)
        source_points, driving_points = kp_source.expand(count), kp_driving.expand(count)
        with _telling_memory(image):
            parts = [
                self.generator(image[i], source_points[i], driving_points[i], self.align_corners)
                for i in _slices(count)
            ]
        return Generated(
            **{f.name: torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Generated)}
        )

    @torch.inference_mode()
    def animate(
        self, source: Frames, driving: Frames, relative: bool = True, adapt_scale: bool = True
    ) -> Frames:
        """The face of `source` (H, W, 3) performing `driving` (T, H, W, 3): (T, H, W, 3).

        `relative` moves the source by the change since driving frame 0, which should be neutral;
        else it takes over the driver's own key points. `adapt_scale` fits the motion's size to
        the source face. The frames' type is the source's.
        """
        if np.ndim(driving) != 4 or len(driving) < 2:
            raise MotionError(f"a driving clip is (T, H, W, 3) with T > 1, got {np.shape(driving)}")
        kp_driving = self.keypoints(driving)
        return self.perform(source, kp_driving, relative, adapt_scale)

    @torch.inference_mode()
    def portrait(self, source: Frames) -> Portrait:
        """The source (H, W, 3) encoded, its key points found: all that one frame needs once."""
        image = self._tensor(source, "source")
        if len(image) != 1:
            raise MotionError(f"one source frame is animated at a time, got {len(image)}")
        with _telling_memory(image):
            small = self.generator.dense_motion_network.down(image)
            features, points = self.generator.encode(image), self.kp_detector(image)
        return Portrait(image, small, features, points, np.asarray(source).dtype)

    def perform(
        self,
        source: Frames | Portrait,
        driving: KeyPoints,
        relative: bool = True,
        adapt_scale: bool = True,
    ) -> Frames:
        """As `animate`, from the driving clip's key points, found once for many sources.

        The source is encoded once, or was before as a Portrait.
        """
        return np.concatenate(list(self.performing(source, driving, relative, adapt_scale)))

    def performing(
        self,
        source: Frames | Portrait,
        driving: KeyPoints,
        relative: bool = True,
        adapt_scale: bool = True,
    ) -> Iterator[Frames]:
        """As `perform`, BATCH frames at a time: a long film needs the memory of a short one."""
        with torch.inference_mode():
            face = source if isinstance(source, Portrait) else self.portrait(source)
            if relative:
                driving = relative_motion(face.points, driving[:1], driving, adapt_scale)
        for rows in _slices(len(driving)):
            with torch.inference_mode(), _telling_memory(face.features):
                made = _as_frames(self._moved(face, driving[rows]), face.dtype)
            yield made

    def _moved(self, face: Portrait, to: KeyPoints) -> Tensor:
        count = len(to)
        image, small, features = (
            x.expand(count, -1, -1, -1) for x in (face.image, face.small, face.features)
        )
        points = face.points.expand(count)
        motion = self.generator.dense_motion_network(small, points, to, self.align_corners)
        moved = Moved(motion, points, to)
        return self.generator.decode(image, features, moved, self.align_corners).prediction

    def _tensor(self, frames: Frames, what: str) -> Tensor:
        device = self.generator.final.weight.device
        return as_tensor(frames, what).to(device)


def as_tensor(frames: Frames, what: str = "frames") -> Tensor:
    """(H, W, 3) or (T, H, W, 3) uint8 or float in [0, 1] as (N, 3, H, W) float32 in [0, 1]."""
    array = np.asarray(frames)
    if array.ndim not in (3, 4) or array.shape[-1] != 3 or not array.size:
        raise MotionError(f"{what} must be (H, W, 3) or (T, H, W, 3) RGB, got {array.shape}")
    if array.dtype == np.uint8:
        array = array.astype(np.float32) / np.float32(255)
    elif not np.issubdtype(array.dtype, np.floating):
        raise MotionError(f"{what} must be uint8 or float in [0, 1], got {array.dtype}")
    if not (array.min() >= 0 and array.max() <= 1):
        low, high = np.nanmin(array), np.nanmax(array)
        nan = ", with NaN among them" if np.isnan(array).any() else ""
        raise MotionError(f"{what} must lie in [0, 1], got {low:.3g} to {high:.3g}{nan}")
    array = np.ascontiguousarray(array.reshape(-1, *array.shape[-3:]), dtype=np.float32)
    return torch.from_numpy(array).permute(0, 3, 1, 2)


def _as_frames(prediction: Tensor, dtype: np.dtype) -> Frames:
    """(T, 3, H, W) in [0, 1] as (T, H, W, 3) of the source's type."""
    frames = prediction.permute(0, 2, 3, 1).float().cpu().numpy()
    if dtype == np.uint8:
        return np.rint(frames * 255).astype(np.uint8)
    return np.ascontiguousarray(frames, dtype=dtype)


@contextmanager
def _telling_memory(images: Tensor) -> Iterator[None]:
    """One sentence when memory runs out; torch says it on a CPU with a bare RuntimeError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        high, wide = images.shape[-2:]
        raise MotionError(
            f"memory ran out with {len(images)} pictures of {wide} x {high} values; give smaller "
            "frames or a shorter clip, or close other programs"
        ) from error


def _slices(count: int) -> list[slice]:
    return [slice(start, start + BATCH) for start in range(0, count, BATCH)]


def _batches(frames: Tensor) -> Iterator[Tensor]:
    return (frames[i] for i in _slices(len(frames)))
