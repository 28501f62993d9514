"""Portraits that cannot perform are refused in one sentence; those that can stay as they are."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch

import fomm
from pipeline.errors import RefusedError
from pipeline.faces.framing import frame_face
from pipeline.media.video import read_clip
from pipeline.motion.check import check_once, check_portrait, choose_start
from pipeline.motion.engine import engine
from pipeline.motion.mien import read_mien
from pipeline.motion.points import SIDE

ROOT = Path(__file__).parents[3]
CHECKPOINT = ROOT / "checkpoints" / "motion" / "blend-128.safetensors"
TURN = ROOT / "tests" / "data" / "faces" / "turn.mp4"


@pytest.fixture(scope="module")
def model():
    return engine(CHECKPOINT).model


@pytest.fixture(scope="module")
def still():
    return frame_face(skimage.data.astronaut(), SIDE)


@pytest.fixture(scope="module")
def checked(still):
    return check_once(CHECKPOINT, still, "face.png")


def test_a_portrait_whose_points_hold_stays_bit_for_bit(checked, model, still):
    assert torch.equal(checked.face.points.value, model.keypoints(still).value)
    assert checked.record["replaced"] == []
    assert max(checked.record["strays_px"].values()) < 3


def test_what_the_face_shows_is_said(checked):
    assert checked.record["shows"] == ["a smile"]
    assert "face.png shows a smile" in checked.notes[-1]


def test_a_portrait_is_looked_at_once_a_process(checked, still):
    assert check_once(CHECKPOINT, still, "face.png") is checked


def test_a_covered_mouth_is_refused(model, still):
    masked = still.copy()
    masked[72:106, 40:88] = (150, 190, 220)
    with pytest.raises(RefusedError, match=r"masked\.png cannot perform: its .*lip.* cannot be"):
        check_portrait(model, masked, "masked.png")


def test_a_cartoon_is_refused(model):
    page = np.full((SIDE, SIDE, 3), 255, np.uint8)
    cv2.ellipse(page, (64, 64), (38, 48), 0, 0, 360, (255, 220, 180), -1)
    for x in (50, 78):
        cv2.circle(page, (x, 55), 5, (0, 0, 0), -1)
    with pytest.raises(RefusedError, match=r"^toon\.png cannot perform: it is drawn, as [89]\d%"):
        check_portrait(model, page, "toon.png")


def test_a_head_turned_away_is_refused(model):
    with pytest.raises(RefusedError, match=r"cannot perform: its (head is turned|.*be placed)"):
        check_portrait(model, read_clip(TURN)[4], "side.png")


def test_a_point_that_the_model_misplaces_comes_from_landmarks(model, still):
    blind = fomm.load_checkpoint(CHECKPOINT, "auto")
    with torch.no_grad():  # the right mouth corner: without heat it lies in the middle
        blind.kp_detector.kp.weight[4], blind.kp_detector.kp.bias[4] = 0, 0
    found = check_portrait(blind, still, "face.png")
    assert found.record["replaced"] == ["right mouth corner"]
    assert found.record["off_px"]["right mouth corner"] > 6
    assert "right mouth corner taken from landmarks" in found.notes[0]
    off = found.face.points.value[0] - model.keypoints(still).value[0]
    assert off.norm(dim=-1).max() * SIDE / 2 < 6


def test_points_without_names_and_small_stills_are_not_checked(model, still):
    untaught = deepcopy(model)
    untaught.config = replace(model.config, taught=False)
    for asked, picture in ((untaught, still), (model, still[32:96, 32:96])):
        found = check_portrait(asked, picture, "face.png")
        assert found.mien is None
        assert "points not checked" in found.notes[0]


FACE = np.array([  # frontal and neutral, px
    [46, 58], [80, 58], [46, 64], [80, 64], [50, 90], [76, 90], [63, 89], [63, 90], [63, 79],
    [63, 112],
], dtype=float)  # fmt: skip


def face(lids=6.0, lips=1.0, nose=0.0, rise=0.0):
    points = FACE.copy()
    points[2:4, 1] = points[:2, 1] + lids
    points[7, 1] = points[6, 1] + lips
    points[8, 0] += nose
    points[4:6, 1] -= rise
    return points


@pytest.mark.parametrize(
    ("points", "shows"),
    [
        (face(), ()),
        (face(lids=0.5), ("shut eyes",)),
        (face(lips=5), ("an open mouth",)),
        (face(rise=3), ("a smile",)),
        (face(nose=8), ("a head turned to its own left",)),
        (face(nose=-8), ("a head turned to its own right",)),
    ],
)
def test_miens(points, shows):
    assert read_mien(points).shows() == shows


def as_points(*faces):
    value = torch.from_numpy(2 * (np.stack(faces) - 0.5) / (SIDE - 1) - 1).float()
    return fomm.KeyPoints(value, torch.eye(2).expand(*value.shape[:2], 2, 2))


def shown(checked, points):
    """The astronaut's check with other points."""
    portrait = replace(checked.face, points=as_points(points))
    return replace(checked, face=portrait, mien=read_mien(points))


def test_motion_is_counted_from_frame_0_for_a_face_at_rest(checked):
    start = choose_start(shown(checked, face()), as_points(face(lips=9), face()), "a", "b")
    assert (start.frame, start.because) == (0, "")


def test_motion_is_counted_from_the_frame_most_like_an_open_mouth(checked):
    start = choose_start(shown(checked, face(lips=8)), as_points(face(), face(lips=8)), "a", "b")
    assert start.frame == 1
    assert start.because.startswith("a shows an open mouth; frame 0 is not neutral")


def test_shut_eyes_need_a_driver_that_shuts_its_own(checked):
    asleep = shown(checked, face(lids=0.5))
    start = choose_start(asleep, as_points(face(), face(lids=2), face(lids=0.5)), "a", "b")
    assert start.frame == 2
    with pytest.raises(RefusedError, match=r"^a has shut eyes, and no frame of b has"):
        choose_start(asleep, as_points(face(), face()), "a", "b")
