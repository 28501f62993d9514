"""How well faces are found and their landmarks read: `python benchmarks/faces.py`.

Haar cascades and face-alignment with our own weights, each frame by itself, against the true
landmarks of the rendered corpus clips; then on pictures of real faces, which neither was trained
on here: a photograph and 100 small faces and 100 that are none. Last, what tracking and cropping a
clip costs on one core.
"""

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from pipeline.corpus.planned import read_plan
from pipeline.corpus.render import read_truth
from pipeline.evaluation.tone import tone
from pipeline.facenets.figures import by_group, examine, groups_of
from pipeline.faces.alignment import landmark_box
from pipeline.faces.crop import crop_boxes, cut
from pipeline.faces.detect import Detector, choose_detector, neutral_box
from pipeline.faces.faces import crop_faces
from pipeline.faces.quality import Rejected
from pipeline.faces.track import overlap
from pipeline.media.video import Frames, read_clip
from pipeline.params import FaceParams
from pipeline.records import ClipPlan

# The astronaut's face as the cascade's box has it, px of the 512 px photograph, by hand.
ASTRONAUT = np.array([175.0, 65.0, 276.0, 167.0])
SMALL = 100  # faces, then as many pictures without one, in scikit-image's lfw_subset
COLUMNS = ("frames", "found", "overlap", "landmark_error", "worst_tenth", "landmark_error_px")


def main() -> None:
    """Print a table a detector and end with one JSON line."""
    options = arguments()
    cv2.setNumThreads(1)
    clips = read_plan(options.data / "plan.jsonl").clips
    results = {}
    for name in ("haar", "own"):
        detector = choose_detector(name).load()
        results[name] = {
            "clips": judged(detector, clips, options),
            "astronaut": astronaut(detector),
            "lfw_subset": small_faces(detector),
            "tracked": tracked(detector, clips[:: -(-len(clips) // options.timed)], options.data),
        }
        show(name, results[name])
    print(json.dumps(results))


def judged(detector: Detector, clips: list[ClipPlan], options: argparse.Namespace) -> dict:
    """The figures of every n-th frame of the clips, by group."""
    seen = []
    for clip in clips:
        frames, truth = footage(options.data, clip)
        boxes = np.stack([landmark_box(points) for points in truth])
        first = cut(frames[:1], crop_boxes(boxes[:1], FaceParams().margin), FaceParams().crop)[0]
        groups = (*groups_of(clip.person), f"{tone(first)} skin")
        for number in range(0, len(frames), options.every):
            seen.append(examine(detector, frames[number], truth[number], groups))
    return by_group(seen)


def tracked(detector: Detector, clips: list[ClipPlan], data: Path) -> dict:
    """Overlap of tracked boxes with the truth, and CPU seconds a clip to track and crop it."""
    shared, seconds, lost = [], [], 0
    crop_faces(footage(data, clips[0])[0], detector, FaceParams())  # compiles what it needs
    for clip in clips:
        frames, truth = footage(data, clip)
        begun = time.process_time()
        try:
            crop_faces(frames, detector, FaceParams())
            seconds.append(time.process_time() - begun)
            boxes = detector.follow(frames, neutral_box(detector, frames[0]))
        except Rejected:
            lost += 1
            continue
        pairs = zip(boxes, truth, strict=True)
        shared += [overlap(box, landmark_box(points)) for box, points in pairs]
    return {
        "clips": len(clips), "lost": lost, "overlap": round(float(np.mean(shared)), 4),
        "smallest_overlap": round(float(np.min(shared)), 4),
        "cpu_seconds_a_clip": round(float(np.median(seconds)), 3),
    }  # fmt: skip


def astronaut(detector: Detector) -> dict:
    """Boxes found on a photograph, whole and cut to head and shoulders, and their best overlap."""
    picture, row = skimage.data.astronaut(), {}
    for name, (left, top, side) in {"whole": (0, 0, 512), "head": (40, 0, 360)}.items():
        part = np.ascontiguousarray(picture[top : top + side, left : left + side])
        boxes = detector.find(part) + np.array([left, top, left, top])
        best = max((overlap(box, ASTRONAUT) for box in boxes), default=0.0)
        row[name] = {"boxes": len(boxes), "overlap": round(best, 4)}
    return row


def small_faces(detector: Detector) -> dict:
    """Of 100 real faces 25 px small, and of 100 pictures without a face, in how many one is found.

    The faces fill their picture to the rim, so they are shown with a rim of half their size too.
    """
    pictures = np.round(skimage.data.lfw_subset() * 255).astype(np.uint8)
    row = {}
    for name, rim in {"as they are": 0, "with a rim": 12}.items():
        framed = np.pad(pictures, ((0, 0), (rim, rim), (rim, rim)), mode="edge")
        found = [len(detector.find(np.repeat(grey[..., None], 3, axis=2))) > 0 for grey in framed]
        row[name] = {"faces": sum(found[:SMALL]), "false": sum(found[SMALL:])}
    return row


def footage(data: Path, clip: ClipPlan) -> tuple[Frames, np.ndarray]:
    """Frames of a clip and its true landmarks (T, 68, 2) px."""
    truth = read_truth(data / "clips" / f"{clip.clip_id}.npz")["landmarks_px"]
    return read_clip(data / "clips" / f"{clip.clip_id}.mp4"), truth.astype(np.float64)


def show(name: str, result: dict) -> None:
    """One detector's figures as lines for people."""
    print(f"\n{name:14}" + "".join(f"{column:>19}" for column in COLUMNS))
    for group, row in result["clips"].items():
        print(f"{group:14}" + "".join(f"{row.get(column, ''):>19}" for column in COLUMNS))
    for part in ("astronaut", "lfw_subset", "tracked"):
        print(f"{part:14} {result[part]}", flush=True)


def arguments() -> argparse.Namespace:
    """Where the corpus is, and how much of it is looked at."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=Path("data"))
    options.add_argument("--every", type=int, default=5, help="each n-th frame of a clip")
    options.add_argument("--timed", type=int, default=6, help="clips that are tracked and timed")
    return options.parse_args()


if __name__ == "__main__":
    main()
