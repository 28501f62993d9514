import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.augment import Augmentation, augment, mirror_table

LABELS = ("FD1", "FD2-L", "FD2-R", "FD3-L")
MIRROR = {"FD1": "FD1", "FD2-L": "FD2-R", "FD2-R": "FD2-L", "FD3-L": "FD3-R"}
STILL = Augmentation(shift=0, zoom=0, roll=0, contrast=0, brightness=0, noise=0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def windows(count=64, seed=1):
    return torch.rand(count, 3, 1, 16, 16, generator=seeded(seed))


def changed(amounts, seed=0, targets=None):
    targets = torch.zeros(64, dtype=torch.long) if targets is None else targets
    return augment(windows(), targets, mirror_table(LABELS, MIRROR), amounts, seeded(seed))


def test_a_class_without_its_mirror_is_never_flipped():
    assert mirror_table(LABELS, MIRROR).tolist() == [0, 2, 1, -1]
    assert mirror_table(LABELS, {}).tolist() == [-1] * 4
    targets = torch.full((64,), 3)
    moved, after = changed(STILL, targets=targets)
    torch.testing.assert_close(moved, windows(), atol=1e-5, rtol=0)
    assert torch.equal(after, targets)


def test_flipped_pictures_have_flipped_labels():
    moved, after = changed(STILL, targets=torch.ones(64, dtype=torch.long))
    flipped = after == 2
    assert 16 < flipped.sum() < 48
    torch.testing.assert_close(moved[flipped], windows()[flipped].flip(-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[~flipped], windows()[~flipped], atol=1e-5, rtol=0)


@given(st.integers(0, 2**31))
def test_pixels_stay_greys(seed):
    moved, _ = changed(Augmentation(), seed)
    assert moved.shape == (64, 3, 1, 16, 16)
    assert 0 <= moved.min() <= moved.max() <= 1


def test_changes_scaled_to_nothing_change_nothing():
    moved, after = changed(Augmentation().scaled(0), targets=torch.ones(64, dtype=torch.long))
    torch.testing.assert_close(moved, windows(), atol=1e-5, rtol=0)
    assert (after == 1).all()
    assert Augmentation().scaled(0.5).roll == Augmentation().roll / 2


def test_a_window_moves_as_a_whole():
    still = windows(8)[:, :1].expand(-1, 3, -1, -1, -1)
    amounts = Augmentation(noise=0)
    moved, _ = augment(
        still, torch.zeros(8, dtype=torch.long), mirror_table(LABELS, MIRROR), amounts, seeded()
    )
    torch.testing.assert_close(moved[:, 0], moved[:, 2])
    assert not torch.allclose(moved, still)


def test_the_generator_alone_decides():
    assert torch.equal(changed(Augmentation(), 4)[0], changed(Augmentation(), 4)[0])
    assert not torch.equal(changed(Augmentation(), 4)[0], changed(Augmentation(), 5)[0])
