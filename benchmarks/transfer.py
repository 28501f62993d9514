"""Motion transfer: how fast, how faithful. `python benchmarks/transfer.py [--sheet FILE.png]`.

Fidelity is against the rendered truth, the same held-out person rendered in the same motion, in
the training grid that `make motion` leaves in the work store. What the frames show is read by
`reader.Reader`, trained here on the grid's other people; its rates on the truth itself come first.
Ends with one JSON line.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from reader import Reader, train_reader
from skimage.metrics import structural_similarity
from transfer_speed import measure

import fomm
from flows.workspace import home
from pipeline.corpus import render
from pipeline.motion import grid as motion_data
from pipeline.motion.fidelity import psnr, signs, true_points
from pipeline.motion.reference import shape_distance
from pipeline.motion.training import HELD_OUT
from pipeline.params import Params, load_params
from pipeline.store.store import Store

MODES = ("static", "absolute", "relative")
SHOWN = 0.5  # executed intensity at the apex: the clip has the unit
HIDDEN = 0.05  # below: it has not; what lies between (a smile's parted lips) counts for neither
YAWED = 10.0  # degrees: the head turns
DOWN = 0.02  # of the face's height that the lip corners sink: on rendered truth displays with unit
# 15 have 0.038 and more, everything else 0.007 and less


@dataclass(frozen=True)
class Grid:
    """(P, M, T, ...) `frames` uint8 and `landmarks` px; (P, M) `units` name > executed at apex."""

    frames: np.ndarray
    landmarks: np.ndarray
    units: dict[str, np.ndarray]
    yaw: np.ndarray  # (P, M) degrees at the extreme, + own left
    motions: tuple[str, ...]


def load(store: Store, params: Params) -> Grid:
    """The training grid from the work store; SystemExit when it has not been rendered."""
    clips = motion_data.training_clips(params)
    films, passes = render.clip_jobs(clips), render.pass_jobs(clips)
    if missing := sum(not store.has(job.key) for job in (*films, *passes)):
        raise SystemExit(f"{missing} training items are missing; run `make motion`")
    data = motion_data.load_grid([*films, *passes], store, params)
    frames, landmarks = data.frames, data.landmarks
    truths = [render.read_truth(store.path(job.key) / "clip.npz") for job in films]
    shape = frames.shape[:2]
    names = list(truths[0]["units"])
    apex = np.array([t["executed"].max(axis=(0, 2)) for t in truths]).reshape(*shape, -1)
    turns = np.array([t["head_deg"][:, 0] for t in truths])
    yaw = turns[np.arange(len(turns)), np.abs(turns).argmax(axis=1)].reshape(shape)
    motions = tuple(clip.expression for clip in clips[: shape[1]])  # the first person's
    return Grid(frames, landmarks, {n: apex[..., i] for i, n in enumerate(names)}, yaw, motions)


def fidelity(grid: Grid, model: fomm.MotionModel, reader: Reader) -> dict[str, object]:
    """Every held-out person with every motion, driven by the next of them."""
    rows = []
    for person, motion in _held_out(grid):
        made = _made(grid, model, person, motion)
        truth, marks = grid.frames[person, motion], grid.landmarks[person, motion]
        driver = grid.landmarks[_driver(grid, person), motion]
        row = {"truth": _judged(reader, truth, truth, marks, driver)}
        row |= {name: _judged(reader, made[name], truth, marks, driver) for name in MODES}
        rows.append((person, motion, row))
    _table(rows)
    return _rates(grid, rows)


def relative_gain(grid: Grid, model: fomm.MotionModel) -> float:
    """dB by which the relative transfer is nearer to the truth than the source standing still."""
    gains = []
    for person, motion in _held_out(grid):
        truth = grid.frames[person, motion]
        made = model.animate(truth[0], grid.frames[_driver(grid, person), motion])
        gains.append(psnr(made, truth) - psnr(np.broadcast_to(truth[0], truth.shape), truth))
    return round(float(np.mean(gains)), 3)


def _made(grid: Grid, model: fomm.MotionModel, person: int, motion: int) -> dict[str, np.ndarray]:
    source = grid.frames[person, motion, 0]
    driving = grid.frames[_driver(grid, person), motion]
    return {
        "static": np.broadcast_to(source, driving.shape),
        "absolute": model.animate(source, driving, relative=False),
        "relative": model.animate(source, driving),
    }


def _judged(
    reader: Reader, frames: np.ndarray, truth: np.ndarray, marks: np.ndarray, driver: np.ndarray
) -> dict[str, float]:
    """What one clip is worth: pictures against the truth, and what the reader reads from it."""
    read = reader.landmarks(np.ascontiguousarray(frames))
    pairs = list(zip(frames[1:], truth[1:], strict=True))
    own, other = (_shape_distance(read[1:], points[1:]) for points in (marks, driver))
    return signs(true_points(read, frames.shape[1])) | {
        "down": float(_sink(read) >= DOWN),
        "psnr": psnr(frames, truth),
        "ssim": float(np.mean([structural_similarity(a, b, channel_axis=-1) for a, b in pairs])),
        "landmark_px": float(np.linalg.norm(read[1:] - marks[1:], axis=-1).mean()),
        "shape_to_own": own,
        "shape_to_driver": other,
    }


def _shape_distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean over frames of the distance of face shapes, place and size left out."""
    pairs = zip(found, wanted, strict=True)
    return float(np.mean([shape_distance(b, a[None])[0] for a, b in pairs]))


def _sink(points: np.ndarray) -> float:
    """How far the lip corners sink below the lips' middle since frame 0, by the face's height."""
    height = np.linalg.norm(points[0, 8] - points[0, [40, 41, 46, 47]].mean(axis=0))
    corners, middle = points[:, [48, 54], 1].mean(axis=1), points[:, [51, 57], 1].mean(axis=1)
    drop = (corners - middle) / height
    return float((drop - drop[0]).max())


def _rates(grid: Grid, rows: list) -> dict[str, object]:
    """Shares of clips whose sign is right, by the relative transfer and by the truth itself."""
    turned = {side: [r for r in rows if side * grid.yaw[r[:2]] > YAWED] for side in (1, -1)}
    found: dict[str, object] = {"clips": len(rows)}
    for which, suffix in (("relative", ""), ("truth", "_on_truth")):
        for name, unit, sign in (("eyes_closed", "43", "closed"), ("lips_parted", "25", "parted"),
                                 ("corners_down", "15", "down")):  # fmt: skip
            level = grid.units[unit]
            has = [r[2][which][sign] for r in rows if level[r[:2]] >= SHOWN]
            lacks = [r[2][which][sign] for r in rows if level[r[:2]] <= HIDDEN]
            found[f"{name}_rate{suffix}"] = _mean(has)
            found[f"{name}_when_absent{suffix}"] = _mean(lacks)
        right = [r[2][which]["turn"] == side for side in turned for r in turned[side]]
        found[f"head_turn_rate{suffix}"] = _mean(right)
    means = {
        (mode, key): _mean([r[2][mode][key] for r in rows])
        for mode in MODES
        for key in ("psnr", "ssim", "landmark_px", "shape_to_own", "shape_to_driver")
    }
    found["psnr_gain_db"] = round(means["relative", "psnr"] - means["static", "psnr"], 3)
    found |= {f"{mode}_{key}": value for (mode, key), value in means.items()}
    own, other = means["relative", "shape_to_own"], means["relative", "shape_to_driver"]
    print(f"face shape: {own:.4f} from the portrait's own person, {other:.4f} from the driver")
    return found


def _table(rows: list) -> None:
    keys = ("psnr", "ssim", "landmark_px", "closed", "parted", "down", "shape_to_own")
    print(f"{'':>9}" + "".join(f"{key:>14}" for key in keys) + "   (means of all clips)")
    for mode in ("truth", *MODES):
        cells = "".join(f"{_mean([r[2][mode][key] for r in rows]):14.3f}" for key in keys)
        print(f"{mode:>9}{cells}")


def _mean(values: list) -> float | None:
    """None, JSON's null, when no clip asks the question."""
    return round(float(np.mean(values)), 4) if len(values) else None


def _held_out(grid: Grid) -> Iterator[tuple[int, int]]:
    people, motions = grid.frames.shape[:2]
    for person in range(people - HELD_OUT, people):
        for motion in range(motions):
            yield person, motion


def _driver(grid: Grid, person: int) -> int:
    """The next of the held-out people."""
    people = len(grid.frames)
    return person + 1 if person + 1 < people else people - HELD_OUT


def _reader(grid: Grid, epochs: int) -> Reader:
    seen = slice(None, -HELD_OUT)
    frames, marks = (x[seen].reshape(-1, *x.shape[3:]) for x in (grid.frames, grid.landmarks))
    reader = train_reader(frames, marks, seed=1, epochs=epochs)
    unseen = grid.frames[-HELD_OUT:].reshape(-1, *grid.frames.shape[3:])
    wanted = grid.landmarks[-HELD_OUT:].reshape(-1, 68, 2)
    error = np.linalg.norm(reader.landmarks(unseen) - wanted, axis=-1)
    print(
        f"reader: {len(frames)} frames, error on {len(unseen)} of unseen people "
        f"{error.mean():.2f} px (lids and lips {error[:, 36:].mean():.2f})"
    )
    return reader


def main() -> None:
    """Measure and print; the last line is one JSON object."""
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--home", type=Path, default=home(), help="folder of the work store")
    page.add_argument("--checkpoint", type=Path, help="default: motion.checkpoint")
    page.add_argument("--threads", type=int, default=2, help="1: timed in processor seconds")
    page.add_argument("--rounds", type=int, default=3, help="pairs of timed clips a mode; 0: none")
    page.add_argument("--epochs", type=int, default=30, help="of the reader's training")
    page.add_argument("--sheet", type=Path, help="draw the contact sheet into this PNG and stop")
    options = page.parse_args()
    torch.set_num_threads(options.threads)
    params = load_params()
    checkpoint = options.checkpoint or Path(params.motion.checkpoint)
    model = fomm.load_checkpoint(checkpoint, config="auto")
    made = fomm.prepare(model)
    grid = load(Store(options.home, "motion"), params)
    if options.sheet:
        from transfer_sheet import draw_sheet

        draw_sheet(options.sheet, grid, made.model)
        return
    found = fidelity(grid, made.model, _reader(grid, options.epochs))
    found["fast_psnr_gain_db"] = relative_gain(grid, fomm.prepare(model, "fast").model)
    print(json.dumps(found | (measure(options.rounds) if options.rounds else {})))


if __name__ == "__main__":
    main()
