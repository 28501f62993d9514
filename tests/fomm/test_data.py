"""Triplets hold what they promise."""

import numpy as np
import pytest
import torch

from fomm.data import ROLES, Performances, draw_batch
from fomm.errors import MotionError


def numbered(people=3, motions=2, length=4, size=8):
    """Frames whose red, green and blue are their person, motion and time."""
    index = np.stack(np.indices((people, motions, length)), axis=-1)
    frames = np.broadcast_to(
        index[..., None, None, :], (people, motions, length, size, size, 3)
    ).astype(np.uint8)
    return Performances(frames, np.full((people, motions, length, 68, 2), 4, np.float32))


def colours(batch):
    """role > (N, 3) of person, motion, time."""
    return {role: (255 * batch.frames[role][:, :, 0, 0]).round().long() for role in ROLES}


@pytest.mark.parametrize("cross", [0.0, 0.5, 1.0])
def test_the_truth_is_the_source_person_doing_the_driving_motion(cross):
    batch = draw_batch(numbered(), 16, cross, np.random.default_rng(1), augment=False)
    rows = colours(batch)
    assert torch.equal(rows["truth"][:, 0], rows["source"][:, 0])
    assert torch.equal(rows["truth"][:, 1:], rows["driving"][:, 1:])
    assert torch.equal(rows["initial"][:, 0], rows["driving"][:, 0])
    assert torch.equal(rows["initial"][:, 1:], rows["source"][:, 1:])
    others = (rows["source"][:, 0] != rows["driving"][:, 0]).sum().item()
    assert others == round(16 * cross)


def test_another_person_drives_from_frame_0():
    batch = draw_batch(numbered(), 16, 1.0, np.random.default_rng(2), augment=False)
    assert (colours(batch)["source"][:, 2] == 0).all()


def test_equal_seeds_draw_equal_batches(performances):
    data = performances(2, 2, 3)
    one, other = (draw_batch(data, 4, 0.5, np.random.default_rng(7)) for _ in range(2))
    assert all(torch.equal(one.frames[role], other.frames[role]) for role in ROLES)


def test_landmarks_move_with_their_faces(performances):
    """The pupil is darker than the skin beside it, before and after every augmentation."""
    batch = draw_batch(performances(4, 3, 3), 12, 0.5, np.random.default_rng(5))
    sclera = batch.landmarks["source"][:, [37, 38, 40, 41]].mean(1)
    lips = batch.landmarks["source"][:, 48:].mean(1)
    for image, eye, mouth in zip(batch.frames["source"], sclera, lips, strict=True):
        middle = (eye + mouth) / 2
        at = [image[:, *(((p + 1) / 2 * 127).round().long().flip(0))] for p in (mouth, middle)]
        assert at[0].sum() < at[1].sum()


def test_augmented_frames_stay_in_range(performances):
    batch = draw_batch(performances(2, 2, 3), 8, 0.5, np.random.default_rng(6))
    for frames in batch.frames.values():
        assert frames.shape == (8, 3, 128, 128)
        assert 0 <= frames.min() <= frames.max() <= 1


@pytest.mark.parametrize(
    ("frames", "landmarks", "says"),
    [
        (np.zeros((2, 2, 2, 8, 8, 3), np.float32), (2, 2, 2, 68, 2), "uint8"),
        (np.zeros((2, 2, 8, 8, 3), np.uint8), (2, 2, 68, 2), "people, motions"),
        (np.zeros((2, 2, 2, 8, 8, 3), np.uint8), (2, 2, 2, 67, 2), "68, 2"),
        (np.zeros((1, 2, 2, 8, 8, 3), np.uint8), (1, 2, 2, 68, 2), "two people"),
        (np.zeros((2, 2, 1, 8, 8, 3), np.uint8), (2, 2, 1, 68, 2), "two frames"),
    ],
)
def test_unfit_performances_are_refused(frames, landmarks, says):
    with pytest.raises(MotionError, match=says):
        Performances(frames, np.zeros(landmarks, np.float32))
