"""COCO: frames as pictures, each with the face's box and 68 keypoints, and its parts if there are.

Keypoints are of the geometry, so only avatars' clips are in it.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.corpus.register import AVATAR_RIGHTS
from pipeline.corpus.render import Truth, read_truth
from pipeline.errors import ClipError
from pipeline.exports.library import library
from pipeline.exports.source import Source
from pipeline.exports.tables import UNPLACED
from pipeline.files import write_json
from pipeline.media.video import read_clip

FACE = 1  # the category of faces; parts follow in the order of a truth's labels
# Runs of the 68 iBUG points, by number from 1, that are joined; True closes the run.
_RUNS = (
    (range(1, 18), False), (range(18, 23), False), (range(23, 28), False), (range(28, 32), False),
    (range(32, 37), False), (range(37, 43), True), (range(43, 49), True), (range(49, 61), True),
    (range(61, 69), True),
)  # fmt: skip
_NEEDED = ("landmarks_px", "landmarks_visible")


def write_coco(source: Source, folder: Path) -> None:
    """Fill `folder` with images/<clip_id>/<frame>.png and annotations/<side>.json.

    Raises AssetError without pycocotools, ClipError for a clip or truth that cannot be read.
    """
    library("pycocotools")
    (folder / "annotations").mkdir()
    sides: dict[str, dict[str, Any]] = {}
    for track in source.tracks:
        if path := source.truth(track):
            side = source.place(track)[1] or UNPLACED
            _add(sides.setdefault(side, _empty()), source, track, read_truth(path), folder)
    for side, found in sides.items():
        write_json(folder / "annotations" / f"{side}.json", found)


def _empty() -> dict[str, Any]:
    edges = [edge for run, closed in _RUNS for edge in _edges(list(run), closed)]
    points = [f"ibug_{number}" for number in range(1, 69)]
    face = {"id": FACE, "name": "face", "supercategory": "person",
            "keypoints": points, "skeleton": edges}  # fmt: skip
    return {
        "info": {"description": "Synthetic: made by Pallor. What is shown was never filmed."},
        "licenses": [{"id": 1, "name": AVATAR_RIGHTS["licence"], "url": ""}],
        "images": [], "annotations": [], "categories": [face],
    }  # fmt: skip


def _edges(run: list[int], closed: bool) -> list[list[int]]:
    found = [list(pair) for pair in pairwise(run)]
    return [*found, [run[-1], run[0]]] if closed else found


def _add(coco: dict[str, Any], source: Source, track: Any, truth: Truth, folder: Path) -> None:
    """The frames of one clip and what is seen in them."""
    if missing := [name for name in _NEEDED if name not in truth]:
        raise ClipError(f"the truth of {track.clip_id} lacks {', '.join(missing)}; render it again")
    (folder / "images" / track.clip_id).mkdir(parents=True)
    for number, frame in enumerate(read_clip(source.video(track))):
        name = f"images/{track.clip_id}/{number:03}.png"
        cv2.imwrite(str(folder / name), frame[..., ::-1])
        picture = len(coco["images"]) + 1
        coco["images"].append({
            "id": picture, "file_name": name, "height": len(frame), "width": frame.shape[1],
            "license": 1, "clip_id": track.clip_id, "frame": number, "label": track.label,
        })  # fmt: skip
        for seen in (_face(truth, number), *_parts(coco, truth, number)):
            row = {"id": len(coco["annotations"]) + 1, "image_id": picture, "iscrowd": 0}
            coco["annotations"].append(row | seen)


def _face(truth: Truth, number: int) -> dict[str, Any]:
    """Box and keypoints; v is 2 where the skin is seen, 1 where it turns away or is covered."""
    points = truth["landmarks_px"][number].astype(float)
    seen = np.where(truth["landmarks_visible"][number], 2, 1)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    box = [round(float(v), 2) for v in (left, top, right - left, bottom - top)]
    return {
        "category_id": FACE, "bbox": box, "area": round(box[2] * box[3], 2), "segmentation": [],
        "num_keypoints": len(points),
        "keypoints": [v for (x, y), s in zip(points.round(2).tolist(), seen.tolist(), strict=True)
                      for v in (x, y, s)],
    }  # fmt: skip


def _parts(coco: dict[str, Any], truth: Truth, number: int) -> Iterator[dict[str, Any]]:
    """A mask for each part that the frame shows, where the clip has the pass `segmentation`."""
    if "segmentation" not in truth:
        return
    mask = library("pycocotools.mask")
    labels = truth["labels"].tolist()
    for place in np.unique(truth["segmentation"][number]).tolist():
        if place == 0:  # the background
            continue
        code = mask.encode(np.asfortranarray(truth["segmentation"][number] == place, np.uint8))
        yield {
            "category_id": _category(coco, labels[place]), "area": float(mask.area(code)),
            "bbox": mask.toBbox(code).tolist(),
            "segmentation": {"size": code["size"], "counts": code["counts"].decode()},
        }  # fmt: skip


def _category(coco: dict[str, Any], name: str) -> int:
    known = {row["name"]: row["id"] for row in coco["categories"]}
    if name not in known:
        known[name] = len(known) + 1
        row = {"id": known[name], "name": name, "supercategory": "person"}
        coco["categories"].append(row)
    return int(known[name])
