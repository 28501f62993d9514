from typing import get_args

import numpy as np
import pytest

from pipeline.evaluation.hide import MOMENTS, REGIONS, hidden
from pipeline.task import Hidden

WINDOWS = np.random.default_rng(0).integers(0, 256, (2, 6, 48, 48, 2), dtype=np.uint8)


def test_every_part_that_a_study_may_name_can_be_hidden():
    assert {*REGIONS, *MOMENTS} == set(get_args(Hidden))


@pytest.mark.parametrize("windows", [WINDOWS, WINDOWS[..., 0]])
@pytest.mark.parametrize("part", get_args(Hidden))
def test_a_part_is_flat_and_the_rest_as_it_was(part, windows):
    before = windows.copy()
    made = hidden(windows, part)
    changed = made != windows
    assert (windows == before).all()
    assert made.dtype == np.uint8
    assert 0.05 < changed.mean() < 0.4
    for window, other in zip(made, changed, strict=True):
        flat = window[other] if window.ndim == 3 else window[..., 0][other[..., 0]]
        assert len(np.unique(flat)) == 1


def test_a_moment_is_a_third_of_the_frames_and_a_region_is_in_all():
    assert [(hidden(WINDOWS, p) != WINDOWS).any((0, 2, 3, 4)).nonzero()[0].tolist()
            for p in MOMENTS] == [[0, 1], [2, 3], [4, 5]]  # fmt: skip
    rows = {p: (hidden(WINDOWS, p) != WINDOWS).any((0, 1, 3, 4)).nonzero()[0] for p in REGIONS}
    assert rows["eyes"].max() < rows["mouth"].min()


def test_one_frame_is_hidden_at_every_moment():
    assert all((hidden(WINDOWS[:, :1], p) != WINDOWS[:, :1]).any() for p in MOMENTS[:1])
