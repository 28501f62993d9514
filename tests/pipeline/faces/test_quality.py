import cv2
import numpy as np
import pytest

from pipeline.faces.quality import (
    REASONS,
    Rejected,
    check_box,
    check_frames,
    check_sharpness,
    largest_change,
    sharpness,
    to_grey,
)


def reason_of(check, *inputs, **settings):
    with pytest.raises(Rejected) as caught:
        check(*inputs, **settings)
    assert caught.value.detail == str(caught.value)
    return caught.value.reason


def test_moving_face_passes(astronaut):
    check_frames(astronaut())
    check_sharpness(astronaut()[0])


def test_one_frame_is_short(astronaut):
    assert reason_of(check_frames, astronaut()[:1]) == "short"


@pytest.mark.parametrize("level", [0, 128, 255])
def test_one_blank_frame_is_found(astronaut, level):
    frames = astronaut()
    frames[7] = level
    with pytest.raises(Rejected, match="frame 7") as caught:
        check_frames(frames)
    assert caught.value.reason == "blank"


def test_still_picture_is_frozen_even_with_noise(astronaut):
    still = np.repeat(astronaut()[:1], 16, axis=0)
    noise = np.random.default_rng(0).normal(0, 2, still.shape)
    assert reason_of(check_frames, still) == "frozen"
    assert reason_of(check_frames, np.clip(still + noise, 0, 255).astype(np.uint8)) == "frozen"


def test_a_blink_of_a_small_patch_is_motion(astronaut):
    frames = np.repeat(astronaut()[:1], 4, axis=0)
    frames[2, 40:44, 55:62] = 60
    check_frames(frames)
    assert largest_change(to_grey(frames)) > 6


@pytest.mark.parametrize("shift", [(-40, 0), (70, 0), (0, -40), (0, 70)])
def test_box_past_each_border_is_cut(shift):
    box = np.array([30.0, 30.0, 90.0, 90.0])
    check_box(box[None], 128, 128)
    moved = np.stack([box, box + np.tile(shift, 2)])
    assert reason_of(check_box, moved, width=128, height=128) == "face_cut"


def test_blur_is_found_and_light_does_not_count(astronaut):
    face = cv2.resize(astronaut(size=256)[0][30:130, 80:180], (64, 64))
    check_sharpness(face)
    assert reason_of(check_sharpness, cv2.GaussianBlur(face, (0, 0), 4)) == "blurred"
    assert sharpness(face // 2) == pytest.approx(sharpness(face), rel=0.05)


def test_reasons_are_the_documented_ones():
    assert "no_face" in REASONS
    assert len(set(REASONS)) == 12
