"""A BlazeFace (Bazarevsky et al. 2019), face-alignment's own class, taught by renders.

The box that it learns is `landmark_box` of the true landmarks, as the cascades and the published
detectors frame a face. Six key points go with it: eyes, nose, mouth and the ends of the jaw line,
which stand for the ears.
"""

import math
from pathlib import Path

import numpy as np
import torch
from face_alignment.detection.blazeface.net_blazeface import BlazeFace
from torch import Tensor, nn
from torch.nn import functional

from pipeline.facenets.scenes import SIDE, scene
from pipeline.facenets.stills import Stills
from pipeline.facenets.training import Batch, Task
from pipeline.faces.alignment import landmark_box
from pipeline.files import writing
from pipeline.params import FacenetParams

# Cells a side of the two maps, and the face sizes (of the picture) that their anchors answer for.
MAPS = ((16, (0.15, 0.21)), (8, (0.28, 0.37, 0.47, 0.6, 0.76, 0.96)))
MATCH, UNSURE = 0.45, 0.3  # overlap from which an anchor must say face, up to which it must not
NEGATIVES = 3  # anchors without a face that count, the hardest, for each with one (Liu et al. 2016)
UNIT = 32.0  # px a step of the regression heads stands for while they learn; see `folded`
BOX, POINTS = 4.0, 1.0  # weights beside the classification's


def anchors() -> np.ndarray:
    """(896, 4) float32 centre x, y in [0, 1] and 1, 1: the library's `anchors.npy`."""
    rows = []
    for cells, sizes in MAPS:
        steps = (np.arange(cells) + 0.5) / cells
        rows += [[x, y, 1, 1] for y in steps for x in steps for _ in sizes]
    return np.array(rows, dtype=np.float32)


def priors() -> np.ndarray:
    """(896,) px: the size of the face that each anchor answers for."""
    return np.concatenate([np.tile(sizes, cells**2) for cells, sizes in MAPS]) * SIDE


def task(stills: Stills, textures: np.ndarray, params: FacenetParams) -> Task:
    """The training of a new BlazeFace, initialised from torch's present state."""
    net = started(BlazeFace()).to(memory_format=torch.channels_last)
    count = params.blazeface_batch

    def draw(step: int, rng: np.random.Generator) -> Batch:
        return batch(stills, textures, count, rng)

    return Task("blazeface", net, draw, loss, params.blazeface_steps, params.blazeface_rate)


def batch(stills: Stills, textures: np.ndarray, count: int, rng: np.random.Generator) -> Batch:
    """Pictures (count, 3, 128, 128) in [-1, 1] and what each anchor must say of them.

    Labels (count, 896) are 1 face, 0 none, -1 either; targets (count, 896, 16) px, centre, size
    and six points, relative to the anchor; sizes (count, 896) px of the face.
    """
    drawn = [scene(stills, textures, rng) for _ in range(count)]
    pictures = torch.from_numpy(np.stack([picture for picture, _ in drawn])).permute(0, 3, 1, 2)
    answers = zip(*(matched(faces) for _, faces in drawn), strict=True)
    labels, targets, sizes = (torch.from_numpy(np.stack(part)) for part in answers)
    return pictures.float() / 127.5 - 1, labels, targets, sizes


def matched(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces (F, 68, 2) px > labels (896,) float32, targets (896, 16) and sizes (896,) float32 px.

    Each anchor answers for the face it overlaps most; each face has the anchor nearest to it.
    """
    if not len(faces):
        return np.zeros(896, np.float32), np.zeros((896, 16), np.float32), np.ones(896, np.float32)
    boxes = np.stack([landmark_box(points) for points in faces])
    places = anchors()[:, :2] * SIDE
    shared = overlaps(places, priors(), boxes)  # (896, F)
    own = shared.argmax(axis=1)
    labels = np.where(shared.max(axis=1) > MATCH, 1.0, -1.0)
    labels[shared.max(axis=1) < UNSURE] = 0.0
    best = shared.argmax(axis=0)
    labels[best], own[best] = 1.0, np.arange(len(faces))
    size = boxes[:, 2:] - boxes[:, :2]
    points = np.concatenate([(boxes[:, None, :2] + boxes[:, None, 2:]) / 2, key_points(faces)], 1)
    offsets = points[own] - places[:, None]  # (896, 7, 2): centre, then the six points
    targets = np.concatenate([offsets[:, 0], size[own], offsets[:, 1:].reshape(-1, 12)], axis=1)
    return labels.astype(np.float32), targets.astype(np.float32), size[own, 0].astype(np.float32)


def overlaps(places: np.ndarray, sides: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(N, F) intersection over union of squares at `places` (N, 2) with `boxes` (F, 4)."""
    half = sides[:, None, None] / 2
    low = np.maximum(places[:, None] - half, boxes[None, :, :2])
    high = np.minimum(places[:, None] + half, boxes[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray(shared / (sides[:, None] ** 2 + areas - shared))


def key_points(faces: np.ndarray) -> np.ndarray:
    """(F, 68, 2) > (F, 6, 2): right eye, left eye, nose, mouth, right and left end of the jaw."""
    groups = (range(36, 42), range(42, 48), [30], range(48, 68), [0], [16])
    return np.stack([faces[:, list(group)].mean(axis=1) for group in groups], axis=1)


def loss(net: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy with the hardest negatives, and how far boxes and points are off."""
    pictures, labels, targets, sizes = batch
    found, scores = net(pictures)
    found, scores = found * UNIT, scores[..., 0]
    face = labels == 1
    each = functional.binary_cross_entropy_with_logits(scores, labels.clamp(0), reduction="none")
    count = max(int(face.sum()), len(labels))
    hardest = each[labels == 0].topk(NEGATIVES * count).values
    said = (each[face].sum() + hardest.sum()) / count
    away = (found[face] - targets[face]) / sizes[face][:, None]
    errors = functional.smooth_l1_loss(away, torch.zeros_like(away), beta=0.05, reduction="none")
    total: Tensor = said + (BOX * errors[:, :4].sum() + POINTS * errors[:, 4:].sum()) / count
    return total


def started(net: BlazeFace) -> BlazeFace:
    """The network with heads that begin at each anchor's own size, and hardly at a face."""
    with torch.no_grad():
        for name, (_, sizes) in zip(("8", "16"), MAPS, strict=True):
            bias = getattr(net, f"regressor_{name}").bias.zero_().view(len(sizes), 16)
            bias[:, 2:4] = torch.tensor(sizes)[:, None] * SIDE / UNIT
            getattr(net, f"classifier_{name}").bias.fill_(-math.log(99))
    return net


def folded(net: nn.Module) -> dict[str, Tensor]:
    """The weights as the library takes them: regression heads that speak in px."""
    return {
        name: (value * UNIT if name.startswith("regressor") else value).contiguous()
        for name, value in net.state_dict().items()
    }


def save(folder: Path, net: nn.Module) -> None:
    """Write `blazeface.pth` and `anchors.npy`."""
    with writing(folder / "blazeface.pth") as part, part.open("wb") as stream:
        torch.save(folded(net), stream)  # given a path, torch writes its temporary name inside
    with writing(folder / "anchors.npy") as part:
        np.save(part, anchors())
