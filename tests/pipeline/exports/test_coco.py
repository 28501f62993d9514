"""COCO, as pycocotools reads it."""

import contextlib
import io

import cv2
import numpy as np
import pytest

from pipeline.corpus.render import read_truth
from pipeline.exports.coco import write_coco
from pipeline.media.video import read_clip

coco = pytest.importorskip("pycocotools.coco")


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("coco")
    write_coco(source, folder)
    return folder


@pytest.fixture(scope="module")
def read(folder):
    with contextlib.redirect_stdout(io.StringIO()):
        return coco.COCO(folder / "annotations" / "train.json")


def test_a_picture_is_its_frame_and_its_keypoints_are_the_truths(folder, read, source):
    [picture] = [row for row in read.dataset["images"] if row["frame"] == 1][:1]
    track = next(track for track in source.tracks if track.clip_id == picture["clip_id"])
    seen = cv2.imread(str(folder / picture["file_name"]))[..., ::-1]
    assert np.array_equal(seen, read_clip(source.video(track))[1])
    [face] = read.loadAnns(read.getAnnIds(picture["id"], catIds=read.getCatIds(["face"])))
    truth = read_truth(source.truth(track))
    points = np.array(face["keypoints"]).reshape(68, 3)
    assert np.abs(points[:, :2] - truth["landmarks_px"][1]).max() < 0.01
    assert np.array_equal(points[:, 2] == 2, truth["landmarks_visible"][1])


def test_masks_are_the_parts_of_the_face(read, source):
    picture = read.dataset["images"][0]
    track = next(track for track in source.tracks if track.clip_id == picture["clip_id"])
    truth = read_truth(source.truth(track))
    for place, name in ((1, "skin"), (2, "lips")):
        [part] = read.loadAnns(read.getAnnIds(picture["id"], catIds=read.getCatIds([name])))
        assert np.array_equal(read.annToMask(part) == 1, truth["segmentation"][0] == place)


def test_every_avatar_is_on_one_side_and_no_transfer_on_any(folder, source):
    names = []
    for path in (folder / "annotations").iterdir():
        with contextlib.redirect_stdout(io.StringIO()):
            names += {row["clip_id"] for row in coco.COCO(path).dataset["images"]}
    avatars = [track.clip_id for track in source.tracks if track.kind == "avatar"]
    assert sorted(names) == avatars
