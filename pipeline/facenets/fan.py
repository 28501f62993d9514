"""A one-stack FAN (Bulat & Tzimiropoulos 2017), face-alignment's own class, taught by renders.

First on half-size crops, which cost a quarter, then on the size that the library feeds it. The
network is convolutional, so the same weights take both.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from face_alignment.models import FAN
from torch import Tensor, nn

from pipeline.facenets.looks import look, pasted
from pipeline.facenets.stills import Stills
from pipeline.facenets.textures import window
from pipeline.facenets.training import Batch, Task
from pipeline.facenets.views import MIRROR, SIDE, aligner_view, heat_maps, placed, seen, turned
from pipeline.faces.alignment import landmark_box
from pipeline.files import writing
from pipeline.params import FacenetParams

NO_FACE = 0.06  # share of crops without a face: its maps must be flat, so that a lost face shows
PASTED = 0.5  # share of faces before another backdrop than their own
PEAK = 30.0  # weight of a bell's top over empty ground, which is 99.6 % of a map
# Spread of a box's centre and size (log), of its own size: what a detector and the last frame err.
DRIFT, GROWTH = 0.06, 0.1
TURN = 12.0  # degrees, beyond the render's own tilt
HALF = SIDE // 2


def task(stills: Stills, textures: np.ndarray, params: FacenetParams) -> Task:
    """The training of a new FAN, initialised from torch's present state."""
    net = FAN(1).to(memory_format=torch.channels_last)

    def draw(step: int, rng: np.random.Generator) -> Batch:
        small = step < params.fan_small_steps
        side, count = (HALF, params.fan_small_batch) if small else (SIDE, params.fan_batch)
        return batch(stills, textures, side, count, rng)

    return Task("fan", net, draw, loss, params.fan_small_steps + params.fan_steps, params.fan_rate)


def batch(
    stills: Stills, textures: np.ndarray, side: int, count: int, rng: np.random.Generator
) -> Batch:
    """Crops (count, 3, side, side) float32 in [0, 1], heat maps (count, 68, side/4, side/4)."""
    pictures, maps = [], []
    for _ in range(count):
        if rng.random() < NO_FACE:
            picture, points = window(textures, side, rng), np.full((68, 2), np.inf)
        else:
            picture, points = sample(stills, textures, int(rng.integers(len(stills))), side, rng)
        pictures.append(look(picture, textures, rng))
        maps.append(heat_maps(points, side))
    crops = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)  # channels last already
    return crops.float() / 255, torch.from_numpy(np.stack(maps))


def sample(
    stills: Stills, textures: np.ndarray, number: int, side: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One still framed as the library would about a box that errs: (side, side, 3), (68, 2) px."""
    frame, points = stills.frames[number], stills.landmarks[number].astype(np.float64)
    view = aligner_view(erring(landmark_box(points), rng), side)
    view = turned(view, rng.normal(0, TURN), np.full(2, side / 2))
    crop = seen(frame, view, side, cv2.BORDER_CONSTANT)
    if rng.random() < PASTED:
        mask = seen(stills.masks[number], view, side, cv2.BORDER_CONSTANT)
        crop = pasted(crop, mask, window(textures, side, rng))
    points = placed(points, view)
    if rng.random() < 0.5:
        return np.ascontiguousarray(crop[:, ::-1]), mirrored(points, side)
    return crop, points


def erring(box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A box (4,) as a detector might give it."""
    size = box[2:] - box[:2]
    centre = (box[:2] + box[2:]) / 2 + DRIFT * size * rng.normal(size=2)
    half = size / 2 * np.exp(rng.normal(0, GROWTH))
    return np.concatenate([centre - half, centre + half])


def mirrored(points: np.ndarray, side: float) -> np.ndarray:
    """Points (68, 2) of a picture `side` px wide in its mirror image."""
    return np.asarray((points * (-1, 1) + (side, 0))[MIRROR])


def loss(net: nn.Module, batch: Batch) -> Tensor:
    """Squared error of the heat maps, weighted towards their peaks."""
    crops, maps = batch
    (found,) = net(crops)
    error: Tensor = ((1 + PEAK * maps) * (found - maps).square()).mean()
    return error


def save(path: Path, net: nn.Module) -> None:
    """Write the weights in half precision: half the bytes, and float32 modules take them."""
    halved = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in net.state_dict().items()
    }
    with writing(path) as part, part.open("wb") as stream:
        torch.save(halved, stream)  # given a path, torch writes its temporary name inside
