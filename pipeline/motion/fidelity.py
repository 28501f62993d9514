"""How faithful a transfer is, against the rendered truth of the same person performing it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from fomm import MotionModel
from fomm.data import Performances
from fomm.supervision import POINTS

Clip = np.ndarray  # (T, H, W, 3) uint8 RGB
Points = np.ndarray  # (T, K, 2) in [-1, 1], in the order of fomm.supervision.POINTS

CLOSED = 0.35  # of the neutral aperture, at the apex: an eye that counts as closed (unit 43)
PARTED = 0.03  # of the face's height, more than at neutral: lips that count as parted (unit 25)
TURNED = 0.06  # of the face's width, the nose against the eyes: a head that counts as turned
FULL_SCALE = 255.0


@dataclass(frozen=True)
class Case:
    """One held-out question: `source` performs `driving`; the answer was rendered."""

    source: np.ndarray
    driving: Clip
    truth: Clip


def cases(data: Performances) -> Iterator[Case]:
    """Each person with each motion, driven by the next person."""
    people, motions = data.frames.shape[:2]
    for person in range(people):
        for motion in range(motions):
            truth, driving = data.frames[person, motion], data.frames[(person + 1) % people, motion]
            yield Case(truth[0], driving, truth)


def psnr(found: Clip, truth: Clip) -> float:
    """Peak signal-to-noise ratio in dB over all pixels of frames 1..; frame 0 is the source."""
    error = np.square(found[1:].astype(np.float64) - truth[1:].astype(np.float64)).mean()
    return float(10 * np.log10(FULL_SCALE**2 / max(error, 1e-10)))


def openings(points: Points) -> dict[str, np.ndarray]:
    """Per frame: `eyes` and `lips` opening by face height, `turn` of the nose by face width (T,).

    `turn` is positive towards the image's right, the person's own left.
    """
    at = dict(zip(POINTS, np.moveaxis(points, -2, 0), strict=True))
    sides = ("right", "left")
    lids = [at[f"{side} lower lid"][:, 1] - at[f"{side} upper lid"][:, 1] for side in sides]
    eyes = np.mean([at[f"{side} lower lid"] for side in sides], axis=0)
    height = np.linalg.norm(at["chin"] - eyes, axis=-1)[0]  # of the neutral frame: a fixed measure
    width = np.linalg.norm(at["left lower lid"] - at["right lower lid"], axis=-1)[0]
    return {
        "eyes": np.mean(lids, axis=0) / height,
        "lips": (at["lower lip"] - at["upper lip"])[:, 1] / height,
        "turn": (at["nose tip"] - eyes)[:, 0] / width,
    }


def signs(points: Points) -> dict[str, float]:
    """What the clip shows at its apex against its neutral frame 0.

    `closed` and `parted` are 0 or 1; `turn` is -1 (own right), 0 or 1 (own left).
    """
    found = openings(points)
    turn = found["turn"] - found["turn"][0]
    extreme = turn[np.abs(turn).argmax()]
    return {
        "closed": float(found["eyes"].min() <= CLOSED * found["eyes"][0]),
        "parted": float(found["lips"].max() - found["lips"][0] >= PARTED),
        "turn": float(np.sign(extreme) * (abs(extreme) >= TURNED)),
    }


def true_points(landmarks: np.ndarray, size: int) -> Points:
    """Key-point positions of (T, 68, 2) px landmarks."""
    means = [landmarks[:, rows].mean(axis=1) for rows in POINTS.values()]
    return 2 * np.stack(means, axis=1) / size - 1


def figures(model: MotionModel, data: Performances) -> dict[str, dict[str, float]]:
    """PSNR of static copy, absolute and relative transfer, and which signs survive the transfer.

    Signs are read from frames by the model's own key points, which landmarks taught; `read` is how
    often the same reading is right on the rendered truth itself, the ceiling of `kept`.
    """
    quality: dict[str, list[float]] = {"static": [], "absolute": [], "relative": []}
    rows = []
    marks = data.landmarks.reshape(-1, *data.landmarks.shape[2:])
    for case, landmarks in zip(cases(data), marks, strict=True):
        moved = model.animate(case.source, case.driving)
        still = np.broadcast_to(case.source, case.truth.shape)
        direct = model.animate(case.source, case.driving, relative=False)
        for name, frames in zip(quality, (still, direct, moved), strict=True):
            quality[name].append(psnr(frames, case.truth))
        seen = [signs(_read(model, frames)) for frames in (moved, case.truth)]
        rows.append([signs(true_points(landmarks, data.size)), *seen])
    return {"psnr_db": {n: round(float(np.mean(v)), 3) for n, v in quality.items()}} | _kept(rows)


def _read(model: MotionModel, frames: Clip) -> Points:
    with torch.inference_mode():
        return model.keypoints(frames).value.numpy()


def _kept(rows: list[list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """For each sign: how many clips have it, and the shares in which each reading agrees."""
    found = {}
    for sign in ("closed", "parted", "turn"):
        for name, chosen in (
            (sign, [row for row in rows if row[0][sign]]),
            (f"not {sign}", [row for row in rows if not row[0][sign]]),
        ):
            agree = np.array([[r[sign] == row[0][sign] for r in row[1:]] for row in chosen])
            share = agree.mean(axis=0) if chosen else [0.0, 0.0]
            found[name] = {
                "clips": len(chosen), "kept": float(share[0]), "read": float(share[1])
            }  # fmt: skip
    return found
